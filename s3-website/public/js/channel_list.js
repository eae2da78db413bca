// Owns how the list of channels is read, what a channel's name is, and whose turn it is to be
// looked at for unread messages. It must not keep the list.

import { ShapeError } from "./aws.js";
import { dataUrl, parseObject, readObject } from "./bucket.js";

const LIMIT = 1_000;
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
// these objects of the data folder are no transcripts
const RESERVED = ["channels", "stats"];

/** @param {unknown} name @returns {name is string} as store_message takes it */
export function isChannelName(name) {
  return typeof name === "string" && NAME.test(name) && !RESERVED.includes(name);
}

/** @param {string} dataPrefix @param {string} base the page's address */
export function channelListUrl(dataPrefix, base) {
  return dataUrl(dataPrefix, "channels", base);
}

/**
 * Ask for the list of channels, unless it is still the one that has been read.
 * @param {import("./aws.js").SignedFetch} signed @param {string} url @param {string} etag
 * @returns {Promise<{etag: string, names: string[]} | null>} null when it is unchanged
 * @throws {import("./aws.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is no list
 */
export async function readChannelList(signed, url, etag) {
  const found = await readObject(signed, url, etag);
  return found && { etag: found.etag, names: found.text ? parseChannelList(found.text) : [] };
}

/**
 * @param {string} text JSON {"channels": [names]}
 * @returns {string[]} the valid ones, each once, at most 1,000
 * @throws {ShapeError} if it is not that
 */
export function parseChannelList(text) {
  const { channels } = parseObject(text, "channel list");
  if (!Array.isArray(channels)) throw new ShapeError("The channel list has no channels.");
  return [...new Set(channels.filter(isChannelName))].slice(0, LIMIT);
}

/**
 * The channel to look at next for unread messages: one after the other, never the open one.
 * @param {readonly string[]} names sorted @param {string} open
 * @param {string} last the one that was looked at last; "" at first
 * @returns {string} "" when there is no other
 */
export function nextProbe(names, open, last) {
  const others = names.filter((name) => name !== open);
  return others.find((name) => name > last) ?? others[0] ?? "";
}
