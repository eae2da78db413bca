// Owns how data/stats.json is read, and what is left of it some minutes later. It must not draw.

import { ShapeError } from "./aws.js";
import { isChannelName } from "./channel_list.js";
import { dataUrl, parseObject, readObject } from "./bucket.js";

/** @typedef {import("./state.js").Activity} Activity */

const MINUTES = 60;
const MINUTE_MS = 60_000;
const CHANNELS = 50;

/** @param {string} dataPrefix @param {string} base the page's address */
export function statsUrl(dataPrefix, base) {
  return dataUrl(dataPrefix, "stats", base);
}

/**
 * Ask for the activity of the whole chat, unless it is still what has been read.
 * @param {import("./aws.js").SignedFetch} signed @param {string} url @param {string} etag
 * @returns {Promise<{etag: string, activity: Activity | null} | null>} null when it is unchanged;
 *   a null activity when there is none
 * @throws {import("./aws.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is no such object
 */
export async function readStats(signed, url, etag) {
  const found = await readObject(signed, url, etag);
  return found && { etag: found.etag, activity: found.text ? parseStats(found.text) : null };
}

/**
 * @param {string} text JSON {"generated_at", "per_minute": [60], "today": {"date", "messages",
 *   "channels": {name: count}, "people"}}
 * @returns {Activity}
 * @throws {ShapeError} if it does not say when it was made
 */
export function parseStats(text) {
  const { generated_at, per_minute, today } = parseObject(text, "activity");
  const generatedAt = typeof generated_at === "string" ? Date.parse(generated_at) : NaN;
  if (Number.isNaN(generatedAt)) throw new ShapeError("The activity has no time.");
  const minutes = Array.isArray(per_minute) ? per_minute.slice(-MINUTES).map(count) : [];
  const perMinute = [...zeros(MINUTES - minutes.length), ...minutes];
  const { date, messages, channels, people } = record(today);
  const day = { messages: count(messages), people: count(people), channels: busiest(channels) };
  return { generatedAt, perMinute, ...(date === dayOf(generatedAt) ? day : QUIET_DAY) };
}

/**
 * The same activity as it looks at another time: minutes that have gone by since are empty, and
 * so is a new day (UTC).
 * @param {Activity} activity @param {number} now milliseconds since the epoch, by AWS's clock
 * @returns {Activity}
 */
export function aged(activity, now) {
  const gone = Math.floor(now / MINUTE_MS) - Math.floor(activity.generatedAt / MINUTE_MS);
  if (!(gone > 0)) return activity;
  const perMinute = [...activity.perMinute, ...zeros(Math.min(gone, MINUTES))].slice(-MINUTES);
  const day = dayOf(now) === dayOf(activity.generatedAt) ? {} : QUIET_DAY;
  return { ...activity, generatedAt: now, perMinute, ...day };
}

const QUIET_DAY = Object.freeze({ messages: 0, people: 0, channels: Object.freeze([]) });

/** @param {unknown} channels {name: count} @returns {{name: string, messages: number}[]} */
function busiest(channels) {
  return Object.entries(record(channels))
    .filter(([name]) => isChannelName(name))
    .map(([name, messages]) => ({ name, messages: count(messages) }))
    .filter(({ messages }) => messages > 0)
    .sort((a, b) => b.messages - a.messages || (a.name < b.name ? -1 : 1))
    .slice(0, CHANNELS);
}

/** @param {number} time @returns {string} YYYY-MM-DD, UTC */
function dayOf(time) {
  return new Date(time).toISOString().slice(0, 10);
}

/** @param {unknown} value @returns {number} a count, 0 for what is none */
function count(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** @param {number} length */
function zeros(length) {
  return Array.from({ length }, () => 0);
}

/** @param {unknown} value @returns {Record<string, unknown>} */
function record(value) {
  const known = typeof value === "object" && value !== null && !Array.isArray(value);
  return known ? /** @type {Record<string, unknown>} */ (value) : {};
}
