// Reads and validates the JSON objects of the bucket's data folder, and skips unchanged ones. It must not keep
// what it reads or decide when to read.

import { isChannelName } from "../state/channel_names.js";
import { END } from "../state/messages.js";
import { parseStats, readRecords, string } from "./records.js";
import { readError, ShapeError } from "./request.js";

/**
 * @typedef {import("./request.js").SignedFetch} SignedFetch
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {import("../state.js").Activity} Activity
 */

/** With so many channels listed, others are left out. */
export const NAMES_LIMIT = 1_000;
/** The ETag that stands for a missing object. */
export const NO_OBJECT = "none";

/**
 * Read a transcript if it has changed.
 * @param {SignedFetch} signed @param {string} url @param {string} etag "" at first
 * @returns {Promise<{etag: string} & Reading | null>} null when unchanged
 * @throws {import("./request.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is not a transcript
 */
export async function readTranscript(signed, url, etag) {
  const object = await readObject(signed, url, etag);
  return object && { etag: object.etag, ...parseTranscript(object.text || '{"messages":[]}') };
}

/**
 * Parse a transcript, leaving out invalid messages and changes.
 *
 * A transcript of an earlier version lacks `complete` and `changes_since`: there may be more before
 * it, and its changes reach back to its oldest message.
 * @param {string} text JSON {"messages": [oldest ... newest], "changes"?: [oldest ... newest],
 *   "complete"?, "changes_since"?, "generated_at"?}
 * @returns {Reading}
 * @throws {ShapeError} if it has another shape
 */
export function parseTranscript(text) {
  const raw = parseObject(text);
  if (!Array.isArray(raw.messages)) throw new ShapeError("No messages.");
  const records = readRecords(raw.messages, Array.isArray(raw.changes) ? raw.changes : []);
  const from = raw.complete === true ? "" : (records.messages[0]?.id ?? END);
  const changesSince = string(raw.changes_since) || from;
  return { ...records, from, changesSince, asOf: string(raw.generated_at) };
}

/**
 * Read the list of channels if it has changed.
 * @param {SignedFetch} signed @param {string} url @param {string} etag
 * @returns {Promise<{etag: string, names: string[]} | null>} null when unchanged
 * @throws {import("./request.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is not a list
 */
export async function readChannelList(signed, url, etag) {
  const object = await readObject(signed, url, etag);
  return object && { etag: object.etag, names: object.text ? parseChannelList(object.text) : [] };
}

/**
 * @param {string} text JSON {"channels": [names]}
 * @returns {string[]} the valid names, each once, at most 1,000
 * @throws {ShapeError} if it has another shape
 */
export function parseChannelList(text) {
  const { channels } = parseObject(text);
  if (!Array.isArray(channels)) throw new ShapeError("No channels.");
  return [...new Set(channels.filter(isChannelName))].slice(0, NAMES_LIMIT);
}

/**
 * Read the activity of the whole chat if it has changed.
 * @param {SignedFetch} signed @param {string} url @param {string} etag
 * @returns {Promise<{etag: string, activity: Activity | null} | null>} null when unchanged;
 *   `activity`: null when there is no such object
 * @throws {import("./request.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer has another shape
 */
export async function readStats(signed, url, etag) {
  const object = await readObject(signed, url, etag);
  const activity = object?.text ? parseStats(parseObject(object.text)) : null;
  return object && { etag: object.etag, activity };
}

/**
 * Read an object if it has changed.
 * @param {SignedFetch} signed @param {string} url @param {string} etag "" at first
 * @returns {Promise<{etag: string, text: string} | null>} null when unchanged; an empty text when
 *   there is no such object
 * @throws {import("./request.js").AwsError} if S3 refuses
 */
async function readObject(signed, url, etag) {
  /** @type {HeadersInit} */
  const headers = etag && etag !== NO_OBJECT ? { "if-none-match": etag } : {};
  // no-store: the browser's cache must not answer, nor turn a 304 into a 200
  const response = await signed("s3", url, { method: "GET", headers, cache: "no-store" });
  if (response.status === 304) {
    await response.text();
    return null;
  }
  if (!response.ok) {
    const error = await readError(response);
    if (!isMissing(error)) throw error;
    return etag === NO_OBJECT ? null : { etag: NO_OBJECT, text: "" };
  }
  return { etag: response.headers.get("etag") ?? "", text: await response.text() };
}

/**
 * @param {string} text JSON
 * @returns {Record<string, unknown>}
 * @throws {ShapeError} if it is not a JSON object
 */
function parseObject(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    // reported below
  }
  if (typeof value !== "object" || value === null) throw new ShapeError("No object.");
  return value;
}

/**
 * Whether an error means that the object does not exist.
 *
 * AWS answers 403 AccessDenied for a missing key, since the role may not list the bucket, and names
 * s3:ListBucket; a real denial names s3:GetObject. The emulator answers 404. An error that names
 * neither counts as a missing object: the table is read instead.
 * Source: Amazon S3 API Reference, GetObject, "Permissions"; Amazon S3 User Guide,
 * "Troubleshoot access denied (403 Forbidden) errors".
 * @param {import("./request.js").AwsError} error
 */
function isMissing({ code, message }) {
  return code === "NoSuchKey" || (code === "AccessDenied" && !message.includes("s3:GetObject"));
}
