// Owns how the page reads what AWS holds, and checks its shape: the JSON objects of the bucket's data
// folder, on condition that they have changed; and the table, where a transcript does not reach back
// far enough. It must not keep what it reads, nor decide when.

import { readError, ShapeError } from "./request.js";
import { END, isChannelName, readChange, readMessage, record, string } from "../state/messages.js";

/**
 * @typedef {import("./request.js").SignedFetch} SignedFetch
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Change} Change
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {import("../state/messages.js").Range} Range
 * @typedef {{messages: Message[], changes: Change[]}} Found
 * @typedef {Found & {more: boolean}} Rows oldest first, the newest of a range; `more` before those
 * @typedef {import("../state.js").Activity} Activity
 * @typedef {import("../../config.js").Config} Config
 * @typedef {Record<string, {S?: string}>} Item
 */

const NAMES_LIMIT = 1_000;
const CHANGES_LIMIT = 1_000;
const PAGE_SIZE = 500;
const MINUTES = 60;
const MINUTE_MS = 60_000;
const CHANNELS = 50;
const QUIET_DAY = { messages: 0, people: 0, channels: [] };
/** The ETag of what is not there. */
const NONE = "none";

/**
 * @param {Config} config @param {string} base the page's address
 * @param {() => number} now milliseconds since the epoch, by AWS's clock
 * @returns {import("../services/reading.js").Source}
 */
export function createSource(config, base, now) {
  const url = (/** @type {string} */ name) => new URL(`${config.dataPrefix}${name}.json`, base).href;
  return {
    transcript: ({ signed }, channel, etag) => readTranscript(signed, url(channel), etag),
    rows: ({ signed }, channel, range, limit) =>
      readRows(signed, config, channel, range, limit, now()),
    channelList: ({ signed }, etag) => readChannelList(signed, url("channels"), etag),
    stats: ({ signed }, etag, known) => readStats(signed, url("stats"), etag, known, now),
  };
}

/**
 * Ask for a transcript, unless it is still the one that has been read.
 * @param {SignedFetch} signed @param {string} url @param {string} etag "" at first
 * @returns {Promise<{etag: string} & Reading | null>} null when it is unchanged
 * @throws {import("./request.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is no transcript
 */
export async function readTranscript(signed, url, etag) {
  const found = await readObject(signed, url, etag);
  return found && { etag: found.etag, ...parseTranscript(found.text || '{"messages":[]}') };
}

/**
 * Check the shape of a transcript; what is no message and no change in it is left out.
 *
 * One that an earlier version wrote does not tell whether anything is before it, and tells of the
 * changes since its oldest message.
 * @param {string} text JSON {"messages": [oldest ... newest], "changes"?: [oldest ... newest],
 *   "complete"?, "changes_since"?, "generated_at"?}
 * @returns {Reading}
 * @throws {ShapeError} if it is not that
 */
export function parseTranscript(text) {
  const raw = parseObject(text);
  if (!Array.isArray(raw.messages)) throw new ShapeError("No messages.");
  const found = foundIn(raw.messages, Array.isArray(raw.changes) ? raw.changes : []);
  const from = raw.complete === true ? "" : (found.messages[0]?.id ?? END);
  const changesSince = string(raw.changes_since) || from;
  return { ...found, from, changesSince, asOf: string(raw.generated_at) };
}

/** @param {unknown[]} messages @param {unknown[]} changes @returns {Found} what can be read */
function foundIn(messages, changes) {
  return {
    messages: messages.map(readMessage).filter((message) => message !== null),
    changes: changes.map(readChange).filter((change) => change !== null),
  };
}

/**
 * Ask for the list of channels, unless it is still the one that has been read.
 * @param {SignedFetch} signed @param {string} url @param {string} etag
 * @returns {Promise<{etag: string, names: string[]} | null>} null when it is unchanged
 * @throws {import("./request.js").AwsError} if S3 refuses
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
  const { channels } = parseObject(text);
  if (!Array.isArray(channels)) throw new ShapeError("No channels.");
  return [...new Set(channels.filter(isChannelName))].slice(0, NAMES_LIMIT);
}

/**
 * Ask for the activity of the whole chat.
 * @param {SignedFetch} signed @param {string} url @param {string} etag
 * @param {Activity | null} known what is shown while it is unchanged, some minutes older
 * @param {() => number} now milliseconds since the epoch, by AWS's clock
 * @returns {Promise<{etag: string, activity: Activity | null}>} null when there is none
 * @throws {import("./request.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is no such object
 */
export async function readStats(signed, url, etag, known, now) {
  const found = await readObject(signed, url, etag);
  const read = found?.text ? parseStats(parseObject(found.text)) : null;
  const activity = found ? read : known;
  return { etag: found?.etag ?? etag, activity: activity && aged(activity, now()) };
}

/**
 * Ask for an object, unless it is still the one that has been read.
 * @param {SignedFetch} signed @param {string} url @param {string} etag "" at first
 * @returns {Promise<{etag: string, text: string} | null>} null when it is unchanged; an empty text
 *   when there is none
 * @throws {import("./request.js").AwsError} if S3 refuses
 */
async function readObject(signed, url, etag) {
  /** @type {HeadersInit} */
  const headers = etag && etag !== NONE ? { "if-none-match": etag } : {};
  // no-store: the browser's own cache must not answer, nor turn a 304 into a 200
  const response = await signed("s3", url, { method: "GET", headers, cache: "no-store" });
  if (response.status === 304) {
    await response.text();
    return null;
  }
  if (!response.ok) {
    const error = await readError(response);
    if (!isMissing(error)) throw error;
    return etag === NONE ? null : { etag: NONE, text: "" };
  }
  return { etag: response.headers.get("etag") ?? "", text: await response.text() };
}

/**
 * @param {string} text JSON
 * @returns {Record<string, unknown>}
 * @throws {ShapeError} if it is not the JSON of an object
 */
function parseObject(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    // as what is no object
  }
  if (typeof value !== "object" || value === null) throw new ShapeError("No object.");
  return value;
}

/**
 * Whether an error says that there is no such object: none yet, or no more.
 *
 * AWS answers 403 AccessDenied for a missing key, as the role may not list the bucket, and names
 * s3:ListBucket; a denial of the read itself names s3:GetObject. The emulator answers 404. Where AWS
 * names nothing, the table tells: it is read instead of what is missing.
 * Source: Amazon S3 API Reference, GetObject, "Permissions"; Amazon S3 User Guide,
 * "Troubleshoot access denied (403 Forbidden) errors".
 * @param {import("./request.js").AwsError} error
 */
function isMissing({ code, message }) {
  return code === "NoSuchKey" || (code === "AccessDenied" && !message.includes("s3:GetObject"));
}

/**
 * Read rows of the table: the newest of a range, with all their attributes, as a transcript has
 * them, and without those that have expired. The reads are consistent.
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {Range} range no `after` is the beginning @param {number} limit of messages
 * @param {number} now ms since the epoch, by AWS's clock
 * @returns {Promise<Rows>}
 * @throws {import("./request.js").AwsError} if DynamoDB refuses
 */
export async function readRows(signed, config, channel, { after, before }, limit, now) {
  /** @type {Found} */
  const found = { messages: [], changes: [] };
  let start;
  do {
    const page = await query(signed, config, {
      TableName: config.table,
      KeyConditionExpression: "channel = :channel AND id BETWEEN :after AND :before",
      FilterExpression: "attribute_not_exists(expires_at) OR expires_at > :now",
      ExpressionAttributeValues: {
        ":channel": { S: channel },
        // below every id: a key cannot be compared with nothing
        ":after": { S: after || " " },
        ":before": { S: before },
        ":now": { N: `${Math.floor(now / 1000)}` },
      },
      ScanIndexForward: false,
      ConsistentRead: true,
      // one more than wanted tells whether there are more; `before` itself is not wanted
      Limit: Math.min(limit + 2, PAGE_SIZE),
      ...(start && { ExclusiveStartKey: start }),
    });
    found.messages.push(...page.messages.filter(({ id }) => id !== before));
    found.changes.push(...page.changes);
    start = page.next;
  } while (start && found.messages.length <= limit && found.changes.length <= CHANGES_LIMIT);
  const messages = found.messages.slice(0, limit).reverse();
  return { messages, changes: found.changes, more: !!start || found.messages.length > limit };
}

/**
 * @param {SignedFetch} signed @param {Config} config @param {object} input
 * @returns {Promise<Found & {next: Item | undefined}>}
 */
async function query(signed, config, input) {
  const response = await signed("dynamodb", config.endpoints.dynamodb, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.Query",
    },
    body: JSON.stringify(input),
  });
  if (!response.ok) throw await readError(response);
  const answer = await response.json();
  if (!Array.isArray(answer?.Items)) throw new ShapeError("No items.");
  const rows = answer.Items.map(plain);
  return { ...foundIn(rows, rows), next: answer.LastEvaluatedKey };
}

/** @param {unknown} item DynamoDB's typed values @returns {Record<string, unknown>} */
function plain(item) {
  return Object.fromEntries(Object.entries(item ?? {}).map(([name, value]) => [name, value?.S]));
}

/**
 * @param {Record<string, unknown>} raw {"generated_at", "per_minute": [60], "today": {"date",
 *   "messages", "channels": {name: count}, "people"}}
 * @returns {Activity}
 * @throws {ShapeError} if it does not say when it was made
 */
export function parseStats({ generated_at, per_minute, today }) {
  const generatedAt = Date.parse(string(generated_at));
  if (Number.isNaN(generatedAt)) throw new ShapeError("No time.");
  const minutes = Array.isArray(per_minute) ? per_minute.slice(-MINUTES).map(count) : [];
  const perMinute = [...Array(MINUTES - minutes.length).fill(0), ...minutes];
  const { date, messages, channels, people } = record(today);
  const day = { messages: count(messages), people: count(people), channels: ranked(channels) };
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
  const perMinute = [...activity.perMinute, ...Array(Math.min(gone, MINUTES)).fill(0)].slice(-MINUTES);
  const day = dayOf(now) === dayOf(activity.generatedAt) ? {} : QUIET_DAY;
  return { ...activity, generatedAt: now, perMinute, ...day };
}

/** @param {unknown} channels {name: count} @returns {{name: string, messages: number}[]} */
function ranked(channels) {
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
