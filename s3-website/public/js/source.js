// Owns how the page reads what AWS holds, and checks its shape: the JSON objects of the bucket's data
// folder, on condition that they have changed; and the table, where a transcript does not reach back
// far enough. It must not keep what it reads, nor decide when.

import { readError, ShapeError } from "./aws.js";
import { aged, isChannelName, LINE_LIMIT, parseStats, readChange, readMessage } from "./messages.js";

/**
 * @typedef {import("./aws.js").SignedFetch} SignedFetch
 * @typedef {import("./state.js").Message} Message
 * @typedef {import("./state.js").Change} Change
 * @typedef {{messages: Message[], changes: Change[]}} Found
 * @typedef {import("./state.js").Activity} Activity
 * @typedef {import("../config.js").Config} Config
 * @typedef {Record<string, {S?: string}>} Item
 * @typedef {{condition: string, values: Item, consistent: boolean, limit: number}} Range
 *   `limit`: of rows in one answer
 */

const NAMES_LIMIT = 1_000;
const FIELDS = [
  ...["id", "name", "message", "user", "picture", "sent_at", "client_id", "kind"],
  ...["edited_at", "deleted_at", "changed_by", "target"],
];
const PAGE_SIZE = 500;

/**
 * @param {Config} config @param {string} base the page's address
 * @param {() => number} now milliseconds since the epoch, by AWS's clock
 * @returns {import("./reading.js").Source}
 */
export function createSource(config, base, now) {
  const url = (/** @type {string} */ name) => dataUrl(config.dataPrefix, name, base);
  return {
    transcript: ({ signed }, channel, etag) => readTranscript(signed, url(channel), etag),
    between: ({ signed }, channel, range) => readBetween(signed, config, channel, range),
    before: ({ signed }, channel, id, limit) => readBefore(signed, config, channel, id, limit),
    channelList: ({ signed }, etag) => readChannelList(signed, url("channels"), etag),
    stats: ({ signed }, etag, known) => readStats(signed, url("stats"), etag, known, now),
  };
}

/**
 * Ask for a transcript, unless it is still the one that has been read.
 * @param {SignedFetch} signed @param {string} url @param {string} etag "" at first
 * @returns {Promise<{etag: string} & Found | null>} null when it is unchanged
 * @throws {import("./aws.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is no transcript
 */
export async function readTranscript(signed, url, etag) {
  const found = await readObject(signed, url, etag);
  return found && { etag: found.etag, ...parseTranscript(found.text || '{"messages":[]}') };
}

/**
 * Check the shape of a transcript; what is no message and no change in it is left out.
 * @param {string} text JSON {"messages": [oldest ... newest], "changes"?: [oldest ... newest]}
 * @returns {Found}
 * @throws {ShapeError} if it is not that
 */
export function parseTranscript(text) {
  const { messages, changes } = parseObject(text, "transcript");
  if (!Array.isArray(messages)) throw new ShapeError("The transcript has no messages.");
  return foundIn(messages, Array.isArray(changes) ? changes : []);
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
  return [...new Set(channels.filter(isChannelName))].slice(0, NAMES_LIMIT);
}

/**
 * Ask for the activity of the whole chat.
 * @param {SignedFetch} signed @param {string} url @param {string} etag
 * @param {Activity | null} known what is shown while it is unchanged, some minutes older
 * @param {() => number} now milliseconds since the epoch, by AWS's clock
 * @returns {Promise<{etag: string, activity: Activity | null}>} null when there is none
 * @throws {import("./aws.js").AwsError} if S3 refuses
 * @throws {ShapeError} if the answer is no such object
 */
export async function readStats(signed, url, etag, known, now) {
  const found = await readObject(signed, url, etag);
  const read = found?.text ? parseStats(parseObject(found.text, "activity")) : null;
  const activity = found ? read : known;
  return { etag: found?.etag ?? etag, activity: activity && aged(activity, now()) };
}

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
async function readObject(signed, url, etag) {
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
function parseObject(text, what) {
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

/**
 * Read what lies between two ids, newest first, at most as much as a page shows.
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {{after: string, before: string}} range ids, not part of the answer themselves
 * @returns {Promise<Found>}
 * @throws {import("./aws.js").AwsError} if DynamoDB refuses
 */
export async function readBetween(signed, config, channel, { after, before }) {
  const range = {
    condition: " AND #id BETWEEN :after AND :before",
    values: { ":after": { S: after }, ":before": { S: before } },
    consistent: true,
    limit: PAGE_SIZE,
  };
  const { messages, changes } = await readRange(signed, config, channel, range, LINE_LIMIT);
  return { messages: messages.filter(({ id }) => id !== after && id !== before), changes };
}

/**
 * Read the messages before an id, for a reader who scrolls up. What changed in the last second
 * does not matter there, so the reads are the cheaper, eventually consistent ones.
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {string} beforeId not part of the answer itself; "" for the newest messages
 * @param {number} limit
 * @returns {Promise<Found & {more: boolean}>} oldest first; `more` before those
 * @throws {import("./aws.js").AwsError} if DynamoDB refuses
 */
export async function readBefore(signed, config, channel, beforeId, limit) {
  // one more than wanted tells whether there are more
  const range = {
    condition: beforeId && " AND #id < :before",
    values: beforeId ? { ":before": { S: beforeId } } : {},
    consistent: false,
    limit: limit + 1,
  };
  const { messages, changes } = await readRange(signed, config, channel, range, limit + 1);
  return { messages: messages.slice(0, limit).reverse(), changes, more: messages.length > limit };
}

/**
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {Range} range @param {number} enough messages
 * @returns {Promise<Found>} newest first, until there are enough or no more
 */
async function readRange(signed, config, channel, range, enough) {
  /** @type {Found} */
  const found = { messages: [], changes: [] };
  let start;
  do {
    const page = await query(signed, config, queryInput(config.table, channel, range, start));
    found.messages.push(...page.messages);
    found.changes.push(...page.changes);
    start = page.next;
  } while (start && found.messages.length < enough);
  return found;
}

/**
 * The parameters of one Query, as the DynamoDB API takes them.
 * @param {string} table @param {string} channel @param {Range} range @param {Item} [start]
 */
function queryInput(table, channel, { condition, values, consistent, limit }, start) {
  // every name has an alias: "name" and "user" are reserved words of DynamoDB
  const names = Object.fromEntries(FIELDS.map((field) => [`#${field}`, field]));
  return {
    TableName: table,
    KeyConditionExpression: `#channel = :channel${condition}`,
    ProjectionExpression: FIELDS.map((field) => `#${field}`).join(", "),
    ExpressionAttributeNames: { ...names, "#channel": "channel" },
    ExpressionAttributeValues: { ":channel": { S: channel }, ...values },
    ScanIndexForward: false,
    ConsistentRead: consistent,
    Limit: limit,
    ...(start && { ExclusiveStartKey: start }),
  };
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
  if (!Array.isArray(answer?.Items)) throw new ShapeError("The table answered without items.");
  const rows = answer.Items.map(plain);
  return { ...foundIn(rows, rows), next: answer.LastEvaluatedKey };
}

/** @param {unknown} item DynamoDB's typed values @returns {Record<string, unknown>} */
function plain(item) {
  return Object.fromEntries(Object.entries(item ?? {}).map(([name, value]) => [name, value?.S]));
}
