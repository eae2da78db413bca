// Owns how a channel's transcript is read and how often. It must not keep messages or show them.

import { AwsError, readError, ShapeError } from "./aws.js";
import { readMessage } from "./messages.js";

/**
 * @typedef {import("./aws.js").SignedFetch} SignedFetch
 * @typedef {import("./messages.js").Message} Message
 * @typedef {{etag: string, messages: Message[]}} Transcript
 */

const POLL_MS = 1000;
const QUICK_POLL_MS = 250;
const QUICK_FOR_MS = 3000;
const SLOWEST_POLL_MS = 30_000;

/** @param {string} dataPrefix @param {string} channel @param {string} base the page's address */
export function transcriptUrl(dataPrefix, channel, base) {
  return new URL(`${dataPrefix}${channel}.json`, base).href;
}

/**
 * Ask for a transcript, unless it is still the one that has been read.
 * @param {SignedFetch} signed @param {string} url @param {string} etag "" at first
 * @returns {Promise<Transcript | null>} null when it is unchanged
 * @throws {AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is no transcript
 */
export async function readTranscript(signed, url, etag) {
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
    if (isMissing(error, etag)) return { etag: "", messages: [] };
    throw error;
  }
  const messages = parseTranscript(await response.text());
  return { etag: response.headers.get("etag") ?? "", messages };
}

/**
 * Check the shape of a transcript; what is no message in it is left out.
 * @param {string} text JSON {"messages": [oldest ... newest]}
 * @returns {Message[]}
 * @throws {ShapeError} if it is not that
 */
export function parseTranscript(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ShapeError("The transcript is not JSON.");
  }
  if (!Array.isArray(value?.messages)) throw new ShapeError("The transcript has no messages.");
  return value.messages
    .map(readMessage)
    .filter((/** @type {Message | null} */ one) => one !== null);
}

/**
 * How long to wait before the next poll: a second, less for a moment after a message was sent,
 * longer and longer (with jitter, so that pages do not come back all at once) while polls fail.
 * @param {{failures: number, sinceSendMs: number, random: number}} pace random is in [0, 1)
 */
export function pollDelay({ failures, sinceSendMs, random }) {
  if (failures > 0) {
    const ceiling = Math.min(SLOWEST_POLL_MS, POLL_MS * 2 ** Math.min(failures, 10));
    return ceiling / 2 + (ceiling / 2) * random;
  }
  return sinceSendMs < QUICK_FOR_MS ? QUICK_POLL_MS : POLL_MS;
}

/**
 * Poll until the signal ends, one request at a time.
 * @param {() => Promise<void>} step one poll; it must not throw
 * @param {() => number} delay milliseconds until the next
 * @param {AbortSignal} signal
 * @returns {() => void} a function that brings the next poll forward
 */
export function startPolling(step, delay, signal) {
  let hurried = false;
  let wake = () => {};
  const rest = () =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const timer = setTimeout(resolve, delay());
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      })
    );
  const loop = async () => {
    while (!signal.aborted) {
      hurried = false;
      await step();
      if (!hurried && !signal.aborted) await rest();
    }
  };
  signal.addEventListener("abort", () => wake());
  void loop();
  return () => {
    hurried = true;
    wake();
  };
}

/**
 * Whether an error says that the channel has no transcript yet.
 *
 * AWS answers 403 AccessDenied for a missing key, as the role may not list the bucket, and names
 * s3:ListBucket; a denial of the read itself names s3:GetObject. The emulator answers 404.
 * Source: Amazon S3 API Reference, GetObject, "Permissions"; Amazon S3 User Guide,
 * "Troubleshoot access denied (403 Forbidden) errors".
 * @param {AwsError} error @param {string} etag what has been read before does exist
 */
function isMissing(error, etag) {
  if (error.code === "NoSuchKey") return true;
  return error.code === "AccessDenied" && !etag && !error.message.includes("s3:GetObject");
}
