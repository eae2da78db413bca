// Reads Google ID tokens and exchanges them at STS for AWS credentials. It must not keep either: session.js does.

import { pictureUrl, record, string } from "./records.js";
import { answered, AwsError, readError, ShapeError, tag, withTimeout } from "./request.js";

/**
 * @typedef {import("./request.js").Credentials} Credentials
 * @typedef {import("../config.js").Config} Config
 * @typedef {{subject: string, name: string, picture: string, nonce: string, issuedAt: number,
 *   expiresAt: number, lifetimeMs: number}} Claims
 *   the claims that the page uses; for display only, never trusted
 */

const ISSUER = "https://accounts.google.com";
const DURATION_S = 3600;
const RENEW_BEFORE_MS = 5 * 60_000;
const NOT_ACCEPTED = "This Google sign-in is not accepted by this chat.";
/** Explanations of STS's error codes. */
const REFUSALS = new Map([
  ["ExpiredToken", "That sign-in has expired. Sign in again."],
  ["InvalidIdentityToken", "AWS could not verify your Google sign-in. Sign in again."],
  ["AccessDenied", NOT_ACCEPTED],
  ["IDPRejectedClaim", NOT_ACCEPTED],
]);

/**
 * Read the payload of an ID token without verifying it: STS and store_message do that.
 *
 * The lifetime is exp - iat, so that a wrong local clock does not end a new token.
 * @param {string} token @returns {Claims}
 * @throws {ShapeError} if it is not a JWT with a subject and a lifetime
 */
export function readClaims(token) {
  const { sub, name, given_name, picture, nonce, iat, exp } = decode(token.split(".")[1] ?? "");
  if (typeof sub !== "string" || typeof iat !== "number" || typeof exp !== "number") {
    throw new ShapeError("The sign-in gave no valid token.");
  }
  return {
    subject: sub,
    name: nameOf(name) || nameOf(given_name) || "Someone",
    picture: pictureUrl(picture),
    nonce: string(nonce),
    issuedAt: iat * 1000,
    expiresAt: exp * 1000,
    lifetimeMs: (exp - iat) * 1000,
  };
}

/** @param {unknown} value @returns {string} the name as store_message cleans it, or "" */
function nameOf(value) {
  const line = string(value).replace(/[\s\u2800]/g, " ");
  const name = line.replace(/[\p{C}\p{DI}]/gu, "").replace(/ +/g, " ").trim();
  const isAllowed = name.normalize("NFKC").toLowerCase() !== "operator";
  return isAllowed && /[\p{L}\p{N}]/u.test(name) ? name : "";
}

/**
 * Exchange an ID token for credentials of the page's role.
 * Source: AWS STS API reference, AssumeRoleWithWebIdentity (the only unsigned call).
 * @param {Config} config @param {string} token @param {AbortSignal} signal
 * @param {() => number} now milliseconds since the epoch
 * @param {typeof fetch} send
 * @returns {Promise<Credentials>}
 * @throws {AwsError} if STS refuses the token
 * @throws {import("./request.js").NetworkError} if it does not answer
 */
export async function assumeRole(config, token, signal, now, send = fetch) {
  const body = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: config.roleArn,
    RoleSessionName: "lambda-chat-page",
    DurationSeconds: String(DURATION_S),
    WebIdentityToken: token,
  });
  /** @type {RequestInit} */
  const init = { method: "POST", body, signal: withTimeout(signal), cache: "no-store" };
  const endsAt = now() + DURATION_S * 1000;
  const response = await answered(() => send(config.endpoints.sts, init));
  if (!response.ok) throw await readError(response);
  return { ...readCredentials(await response.text()), endsAt };
}

/**
 * Return when to request the next token: a few minutes before the presence ends.
 * @param {number} now @param {number} endsAt when token or credentials expire, ms since the epoch
 */
export function renewsAt(now, endsAt) {
  return endsAt - Math.min(RENEW_BEFORE_MS, (endsAt - now) / 4);
}

/**
 * Compute the user id that store_message writes: a digest, so that the subject is not stored.
 * @param {Claims} claims
 */
export async function userId(claims) {
  const bytes = new TextEncoder().encode(`${ISSUER}#${claims.subject}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {unknown} error @returns {string} why STS refused the sign-in; "" for other errors */
export function explainRefusal(error) {
  if (!(error instanceof AwsError)) return "";
  return REFUSALS.get(error.code.replace(/Exception$/, "")) ?? "";
}

/** @param {string} xml @returns {Omit<Credentials, "endsAt">} */
function readCredentials(xml) {
  const credentials = {
    accessKeyId: tag(xml, "AccessKeyId"),
    secretAccessKey: tag(xml, "SecretAccessKey"),
    sessionToken: tag(xml, "SessionToken"),
  };
  if (!credentials.accessKeyId || !credentials.secretAccessKey || !credentials.sessionToken) {
    throw new ShapeError("STS answered without credentials.");
  }
  return credentials;
}

/** @param {string} part base64url of JSON @returns {Record<string, unknown>} */
function decode(part) {
  try {
    const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
    return record(JSON.parse(text));
  } catch {
    return {};
  }
}
