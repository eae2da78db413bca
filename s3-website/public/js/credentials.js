// Owns the exchange of a Google ID token for AWS credentials, and when to renew the two.
// It must not keep them: the session that asked does.

import { AwsError, readError, ShapeError, tag, withTimeout } from "./aws.js";

/**
 * @typedef {import("./aws.js").Credentials} Credentials
 * @typedef {import("../config.js").Config} Config
 * @typedef {{subject: string, name: string, picture: string, nonce: string, issuedAt: number,
 *   lifetimeMs: number}} Claims
 *   what the page reads of a token; shown only, never trusted
 */

const GOOGLE = "https://accounts.google.com";
const DURATION_S = 3600;
const RENEW_BEFORE_MS = 5 * 60_000;
// neither a port nor a user name, which could make the host look like another
const PICTURE = /^https:\/\/([a-z0-9-]+\.)+googleusercontent\.com\/[\x21-\x7e]{0,1000}$/;

/**
 * Read the payload of an ID token. Nothing is verified here: STS and store_message do that.
 *
 * The lifetime is the token's own (exp - iat), so that a wrong clock here does not end it.
 * @param {string} token @returns {Claims}
 * @throws {ShapeError} if it is not a JWT with a subject and a lifetime
 */
export function readClaims(token) {
  const payload = decode(token.split(".")[1] ?? "");
  const { sub, name, picture, nonce, iat, exp } = payload;
  if (typeof sub !== "string" || typeof iat !== "number" || typeof exp !== "number") {
    throw new ShapeError("The sign-in gave no valid token.");
  }
  return {
    subject: sub,
    name: typeof name === "string" && name.trim() ? name.trim() : "Someone",
    picture: pictureUrl(picture),
    nonce: typeof nonce === "string" ? nonce : "",
    issuedAt: iat * 1000,
    lifetimeMs: (exp - iat) * 1000,
  };
}

/** @param {unknown} value @returns {string} an https address of Google's pictures, or "" */
export function pictureUrl(value) {
  return typeof value === "string" && PICTURE.test(value) ? value : "";
}

/**
 * Exchange an ID token for credentials of the page's role.
 * Source: AWS STS API reference, AssumeRoleWithWebIdentity (the one call that is not signed).
 * @param {Config} config @param {string} token @param {AbortSignal} signal
 * @param {() => number} now milliseconds since the epoch
 * @param {typeof fetch} send
 * @returns {Promise<Credentials>}
 * @throws {AwsError} if STS refuses the token
 */
export async function assumeRole(
  config,
  token,
  signal,
  now,
  send = (url, init) => fetch(url, init),
) {
  const body = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: config.roleArn,
    RoleSessionName: "lambda-chat-page",
    DurationSeconds: String(DURATION_S),
    WebIdentityToken: token,
  });
  const init = { method: "POST", body, signal: withTimeout(signal), cache: "no-store" };
  const endsAt = now() + DURATION_S * 1000;
  const response = await send(config.endpoints.sts, /** @type {RequestInit} */ (init));
  if (!response.ok) throw await readError(response);
  return { ...readCredentials(await response.text()), endsAt };
}

/**
 * When to ask Google for the next token: some minutes before the earlier of the two ends.
 * @param {number} now @param {number} endsAt milliseconds since the epoch
 */
export function renewsAt(now, endsAt) {
  return endsAt - Math.min(RENEW_BEFORE_MS, (endsAt - now) / 4);
}

/**
 * Who a message is from, as store_message writes it: a digest, so that no subject is stored.
 * @param {Claims} claims
 */
export async function userId(claims) {
  const bytes = new TextEncoder().encode(`${GOOGLE}#${claims.subject}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {unknown} error @returns {string} why a sign-in failed, where STS's code says more */
export function explainRefusal(error) {
  if (!(error instanceof AwsError)) return "";
  switch (error.code) {
    case "ExpiredToken":
    case "ExpiredTokenException":
      return "That sign-in has ended already. Sign in again.";
    case "InvalidIdentityToken":
    case "InvalidIdentityTokenException":
      return "AWS could not verify your Google sign-in. Sign in again.";
    case "AccessDenied":
    case "IDPRejectedClaim":
    case "IDPRejectedClaimException":
      return "This Google sign-in is not accepted by this chat.";
    default:
      return "";
  }
}

/** @param {string} xml @returns {Omit<Credentials, "endsAt">} */
function readCredentials(xml) {
  const found = {
    accessKeyId: tag(xml, "AccessKeyId"),
    secretAccessKey: tag(xml, "SecretAccessKey"),
    sessionToken: tag(xml, "SessionToken"),
  };
  if (!found.accessKeyId || !found.secretAccessKey || !found.sessionToken) {
    throw new ShapeError("STS answered without credentials.");
  }
  return found;
}

/** @param {string} part base64url of JSON @returns {Record<string, unknown>} */
function decode(part) {
  try {
    const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
