// Owns how messages are read from the table, where a transcript does not reach back far enough.
// It must not decide when: messages.js sees the gap.

import { readError, ShapeError } from "./aws.js";
import { LINE_LIMIT, readMessage } from "./messages.js";

/**
 * @typedef {import("./aws.js").SignedFetch} SignedFetch
 * @typedef {import("./messages.js").Message} Message
 * @typedef {import("../config.js").Config} Config
 * @typedef {Record<string, {S?: string}>} Item
 */

const FIELDS = ["id", "name", "message", "user", "sent_at", "client_id", "kind"];
const PAGE_SIZE = 250;

/**
 * Read what lies between two ids, newest first, at most as much as a page shows.
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {{after: string, before: string}} range ids, not part of the answer themselves
 * @returns {Promise<Message[]>}
 * @throws {import("./aws.js").AwsError} if DynamoDB refuses
 */
export async function readBetween(signed, config, channel, range) {
  /** @type {Message[]} */
  const messages = [];
  let start;
  do {
    const page = await query(signed, config, queryInput(config.table, channel, range, start));
    messages.push(...page.messages);
    start = page.next;
  } while (start && messages.length < LINE_LIMIT);
  return messages.filter(({ id }) => id !== range.after && id !== range.before);
}

/**
 * The parameters of one Query, as the DynamoDB API takes them.
 * @param {string} table @param {string} channel @param {{after: string, before: string}} range
 * @param {Item} [start]
 */
export function queryInput(table, channel, range, start) {
  // every name has an alias: "name" and "user" are reserved words of DynamoDB
  const names = Object.fromEntries(FIELDS.map((field) => [`#${field}`, field]));
  return {
    TableName: table,
    KeyConditionExpression: "#channel = :channel AND #id BETWEEN :after AND :before",
    ProjectionExpression: FIELDS.map((field) => `#${field}`).join(", "),
    ExpressionAttributeNames: { ...names, "#channel": "channel" },
    ExpressionAttributeValues: {
      ":channel": { S: channel },
      ":after": { S: range.after },
      ":before": { S: range.before },
    },
    ScanIndexForward: false,
    ConsistentRead: true,
    Limit: PAGE_SIZE,
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
  const found = answer.Items.map((/** @type {Item} */ item) => readMessage(plain(item)));
  return {
    messages: found.filter((/** @type {Message | null} */ one) => one !== null),
    next: answer.LastEvaluatedKey,
  };
}

/** @param {Item} item DynamoDB's typed values @returns {Record<string, string | undefined>} */
function plain(item) {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, value.S]));
}
