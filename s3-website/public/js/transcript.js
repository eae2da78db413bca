// Owns how a channel's transcript is read. It must not keep messages or show them.

import { ShapeError } from "./aws.js";
import { dataUrl, parseObject, readObject } from "./bucket.js";
import { readMessage } from "./messages.js";

/**
 * @typedef {import("./aws.js").SignedFetch} SignedFetch
 * @typedef {import("./state.js").Message} Message
 * @typedef {{etag: string, messages: Message[]}} Transcript
 */

export { dataUrl as transcriptUrl };

/**
 * Ask for a transcript, unless it is still the one that has been read.
 * @param {SignedFetch} signed @param {string} url @param {string} etag "" at first
 * @returns {Promise<Transcript | null>} null when it is unchanged
 * @throws {import("./aws.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is no transcript
 */
export async function readTranscript(signed, url, etag) {
  const found = await readObject(signed, url, etag);
  return found && { etag: found.etag, messages: found.text ? parseTranscript(found.text) : [] };
}

/**
 * Check the shape of a transcript; what is no message in it is left out.
 * @param {string} text JSON {"messages": [oldest ... newest]}
 * @returns {Message[]}
 * @throws {ShapeError} if it is not that
 */
export function parseTranscript(text) {
  const { messages } = parseObject(text, "transcript");
  if (!Array.isArray(messages)) throw new ShapeError("The transcript has no messages.");
  return messages.map(readMessage).filter((message) => message !== null);
}
