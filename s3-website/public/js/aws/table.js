// Reads the table, for what transcripts do not hold. It must not keep what it reads or decide when to read.

import { readRecords } from "./records.js";
import { readError, ShapeError } from "./request.js";

/**
 * @typedef {import("./records.js").Records} Records
 * @typedef {import("./request.js").SignedFetch} SignedFetch
 * @typedef {import("../state/messages.js").Range} Range
 * @typedef {import("../config.js").Config} Config
 * @typedef {import("../state.js").Rows} Rows
 * @typedef {Record<string, {S?: string}>} Item
 */

const CHANGES_LIMIT = 1_000;
const PAGE_SIZE = 500;

/**
 * Read the newest rows of a range, without expired ones. The reads are consistent.
 * @param {SignedFetch} signed @param {Config} config @param {string} channel
 * @param {Range} range an `after` of "" means the beginning @param {number} limit of messages
 * @param {number} now ms since the epoch, by AWS's clock
 * @returns {Promise<Rows>}
 * @throws {import("./request.js").AwsError} if DynamoDB refuses
 */
export async function readRows(signed, config, channel, { after, before }, limit, now) {
  /** @type {Records} */
  const rows = { messages: [], changes: [] };
  let start;
  do {
    const page = await query(signed, config, {
      TableName: config.table,
      KeyConditionExpression: "channel = :channel AND id BETWEEN :after AND :before",
      FilterExpression: "attribute_not_exists(expires_at) OR expires_at > :now",
      ExpressionAttributeValues: {
        ":channel": { S: channel },
        // sorts before every id: DynamoDB allows no empty key value
        ":after": { S: after || " " },
        ":before": { S: before },
        ":now": { N: `${Math.floor(now / 1000)}` },
      },
      ScanIndexForward: false,
      ConsistentRead: true,
      // one more row shows whether there are more, and one may be `before` itself
      Limit: Math.min(limit + 2, PAGE_SIZE),
      ...(start && { ExclusiveStartKey: start }),
    });
    rows.messages.push(...page.messages.filter(({ id }) => id !== before));
    rows.changes.push(...page.changes);
    start = page.next;
  } while (start && rows.messages.length <= limit && rows.changes.length <= CHANGES_LIMIT);
  const messages = rows.messages.slice(0, limit).reverse();
  return { messages, changes: rows.changes, more: !!start || rows.messages.length > limit };
}

/**
 * @param {SignedFetch} signed @param {Config} config @param {object} input
 * @returns {Promise<Records & {next: Item | undefined}>}
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
  const items = answer.Items.map(plain);
  return { ...readRecords(items, items), next: answer.LastEvaluatedKey };
}

/** @param {unknown} item DynamoDB's typed values @returns {Record<string, unknown>} */
function plain(item) {
  return Object.fromEntries(Object.entries(item ?? {}).map(([name, value]) => [name, value?.S]));
}
