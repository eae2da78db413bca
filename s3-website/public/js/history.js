// Owns how messages are read from the table, where a transcript does not reach back far enough.
// It must not decide when: messages.js sees a gap, the view a reader who scrolls up.

import { readError, ShapeError } from "./aws.js";
import { LINE_LIMIT, readMessage } from "./messages.js";

/**
 * @typedef {import("./aws.js").SignedFetch} SignedFetch
 * @typedef {import("./state.js").Message} Message
 * @typedef {import("../config.js").Config} Config
 * @typedef {Record<string, {S?: string}>} Item
 * @typedef {{condition: string, values: Item, consistent: boolean, limit: number}} Range
 *   `limit`: of rows in one answer
 */

const FIELDS = [
  ...["id", "name", "message", "user", "picture", "sent_at", "client_id", "kind"],
  ...["edited_at", "deleted_at"],
];
const PAGE_SIZE = 500;

/**
 * Read what lies between two ids, newest first, at most as much as a page shows.
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {{after: string, before: string}} range ids, not part of the answer themselves
 * @returns {Promise<Message[]>}
 * @throws {import("./aws.js").AwsError} if DynamoDB refuses
 */
export async function readBetween(signed, config, channel, { after, before }) {
  const range = {
    condition: " AND #id BETWEEN :after AND :before",
    values: { ":after": { S: after }, ":before": { S: before } },
    consistent: true,
    limit: PAGE_SIZE,
  };
  const messages = await readRange(signed, config, channel, range, LINE_LIMIT);
  return messages.filter(({ id }) => id !== after && id !== before);
}

/**
 * Read the messages before an id, for a reader who scrolls up. What changed in the last second
 * does not matter there, so the reads are the cheaper, eventually consistent ones.
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {string} beforeId not part of the answer itself; "" for the newest messages
 * @param {number} limit
 * @returns {Promise<{messages: Message[], more: boolean}>} oldest first; `more` before those
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
  const messages = await readRange(signed, config, channel, range, limit + 1);
  return { messages: messages.slice(0, limit).reverse(), more: messages.length > limit };
}

/**
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {Range} range @param {number} enough
 * @returns {Promise<Message[]>} newest first, until there are enough or no more
 */
async function readRange(signed, config, channel, range, enough) {
  /** @type {Message[]} */
  const messages = [];
  let start;
  do {
    const page = await query(signed, config, queryInput(config.table, channel, range, start));
    messages.push(...page.messages);
    start = page.next;
  } while (start && messages.length < enough);
  return messages;
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
 * @returns {Promise<{messages: Message[], next: Item | undefined}>}
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
  const found = answer.Items.map((/** @type {unknown} */ item) => readMessage(plain(item)));
  return {
    messages: found.filter((/** @type {Message | null} */ one) => one !== null),
    next: answer.LastEvaluatedKey,
  };
}

/** @param {unknown} item DynamoDB's typed values @returns {Record<string, unknown>} */
function plain(item) {
  return Object.fromEntries(Object.entries(item ?? {}).map(([name, value]) => [name, value?.S]));
}
