// Owns how a JSON object of the bucket's data folder is asked for: signed, on condition that it
// has changed. It must not know what is in it.

import { readError, ShapeError } from "./aws.js";

/** @typedef {import("./aws.js").SignedFetch} SignedFetch */

/** @param {string} dataPrefix @param {string} name @param {string} base the page's address */
export function dataUrl(dataPrefix, name, base) {
  return new URL(`${dataPrefix}${name}.json`, base).href;
}

/**
 * Ask for an object, unless it is still the one that has been read.
 * @param {SignedFetch} signed @param {string} url @param {string} etag "" at first
 * @returns {Promise<{etag: string, text: string} | null>} null when it is unchanged; "" for both
 *   when there is none
 * @throws {import("./aws.js").AwsError} if S3 refuses
 */
export async function readObject(signed, url, etag) {
  /** @type {HeadersInit} */
  const headers = etag ? { "if-none-match": etag } : {};
  // no-store: the browser's own cache must not answer, nor turn a 304 into a 200
  const response = await signed("s3", url, { method: "GET", headers, cache: "no-store" });
  if (response.status === 304) {
    await response.text();
    return null;
  }
  if (!response.ok) {
    const error = await readError(response);
    if (isMissing(error, etag)) return { etag: "", text: "" };
    throw error;
  }
  return { etag: response.headers.get("etag") ?? "", text: await response.text() };
}

/**
 * @param {string} text JSON
 * @param {string} what for the error's message
 * @returns {Record<string, unknown>}
 * @throws {ShapeError} if it is not the JSON of an object
 */
export function parseObject(text, what) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ShapeError(`The ${what} is not JSON.`);
  }
  if (typeof value !== "object" || value === null) throw new ShapeError(`The ${what} is no object.`);
  return value;
}

/**
 * Whether an error says that there is no such object yet.
 *
 * AWS answers 403 AccessDenied for a missing key, as the role may not list the bucket, and names
 * s3:ListBucket; a denial of the read itself names s3:GetObject. The emulator answers 404.
 * Source: Amazon S3 API Reference, GetObject, "Permissions"; Amazon S3 User Guide,
 * "Troubleshoot access denied (403 Forbidden) errors".
 * @param {import("./aws.js").AwsError} error @param {string} etag what has been read before exists
 */
function isMissing(error, etag) {
  if (error.code === "NoSuchKey") return true;
  return error.code === "AccessDenied" && !etag && !error.message.includes("s3:GetObject");
}
