import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../../../../s3-website/public/js/aws/request.js";
import { readRows } from "../../../../s3-website/public/js/aws/table.js";

const config = {
  table: "messages",
  endpoints: { dynamodb: "https://dynamodb.eu-west-1.amazonaws.com" },
};

/** A service that gives these answers in turn and records the requests. */
function service(...answers) {
  const asked = [];
  const signed = async (name, url, init) => {
    asked.push({ name, url, init });
    return answers.shift();
  };
  return { asked, signed };
}

const NOW = Date.UTC(2026, 0, 2, 12);
const rows = (signed, range, limit = 500) => readRows(signed, config, "default", range, limit, NOW);
const stored = (id) => ({ id: { S: id }, message: { S: `text ${id}` }, kind: { S: "user" } });
const EDIT = { ...stored("7"), kind: { S: "edit" }, target: { S: "2" } };
const inputOf = ({ init }) => JSON.parse(init.body);

test("a range is read page by page until it ends, oldest first, without its end", async () => {
  const next = { channel: { S: "default" }, id: { S: "3" } };
  const { asked, signed } = service(
    Response.json({ Items: ["5", "4", "3"].map(stored), LastEvaluatedKey: next }),
    Response.json({ Items: [stored("2"), { id: { S: "x" } }, stored("1")] }),
  );
  const { messages, more } = await rows(signed, { after: "1", before: "5" });
  assert.deepEqual([messages.map(({ id }) => id), more], [["1", "2", "3", "4"], false]);
  const inputs = asked.map(inputOf);
  assert.equal(inputs[0].ExclusiveStartKey, undefined);
  assert.deepEqual(inputs[1].ExclusiveStartKey, next);
  assert.equal(asked[0].init.headers["x-amz-target"], "DynamoDB_20120810.Query");
  const { ":after": after, ":before": before } = inputs[0].ExpressionAttributeValues;
  assert.deepEqual([after.S, before.S], ["1", "5"]);
  assert.deepEqual([inputs[0].ScanIndexForward, inputs[0].ConsistentRead], [false, true]);
});

test("rows that have expired are not asked for, by AWS's clock", async () => {
  const { asked, signed } = service(Response.json({ Items: [] }));
  await rows(signed, { after: "1", before: "5" });
  const { FilterExpression, ExpressionAttributeValues } = inputOf(asked[0]);
  assert.equal(FilterExpression, "attribute_not_exists(expires_at) OR expires_at > :now");
  assert.deepEqual(ExpressionAttributeValues[":now"], { N: `${NOW / 1000}` });
});

test("a row is read whole: what a transcript shows of a message, the table shows too", async () => {
  const { asked, signed } = service(Response.json({ Items: [] }));
  await rows(signed, { after: "1", before: "5" });
  assert.equal(inputOf(asked[0]).ProjectionExpression, undefined);
});

test("a night's messages are read only as far as the page shows them", async () => {
  const page = () =>
    Response.json({
      Items: Array.from({ length: 250 }, (_, index) => stored(`${index}`)),
      LastEvaluatedKey: { id: { S: "k" } },
    });
  const { asked, signed } = service(page(), page(), page(), page());
  const { more } = await rows(signed, { after: "a", before: "b" });
  assert.deepEqual([asked.length, more], [3, true]);
});

test("of a night's changes no more are read than the page keeps", async () => {
  const page = () =>
    Response.json({
      Items: Array.from({ length: 500 }, (_, index) => ({ ...EDIT, id: { S: `~${index}` } })),
      LastEvaluatedKey: { id: { S: "k" } },
    });
  const { asked, signed } = service(page(), page(), page(), page());
  const { more } = await rows(signed, { after: "~", before: "~~" });
  assert.deepEqual([asked.length, more], [3, true]);
});

test("earlier messages come with whether there are more before them", async () => {
  const answer = Response.json({ Items: ["7", "6", "5"].map(stored), LastEvaluatedKey: { id: {} } });
  const { asked, signed } = service(answer);
  const { messages, more } = await rows(signed, { after: "", before: "8" }, 2);
  assert.deepEqual([messages.map(({ id }) => id), more], [["6", "7"], true]);
  const { ExpressionAttributeValues, Limit } = inputOf(asked[0]);
  assert.deepEqual([ExpressionAttributeValues[":after"], Limit], [{ S: " " }, 4]);
});

test("the beginning of a channel is known as such, also when it is full to the row", async () => {
  const answers = [
    Response.json({ Items: ["2", "1"].map(stored) }),
    Response.json({ Items: ["2", "1"].map(stored), LastEvaluatedKey: { id: { S: "1" } } }),
    Response.json({ Items: [] }),
    Response.json({ Items: [] }),
  ];
  const { asked, signed } = service(...answers);
  for (const ids of [["1", "2"], ["1", "2"], []]) {
    const found = await rows(signed, { after: "", before: "3" }, 2);
    assert.deepEqual([found.messages.map(({ id }) => id), found.more], [ids, false]);
  }
  assert.equal(asked.length, 4);
});

test("rows that are no messages do not end the way back", async () => {
  const { signed } = service(
    Response.json({
      Items: [null, 5, { id: { N: "1" } }, { ...stored("8"), kind: { S: "poll" } }, EDIT],
      LastEvaluatedKey: { id: { S: "5" } },
    }),
    Response.json({ Items: [stored("4")] }),
  );
  const { messages, changes, more } = await rows(signed, { after: "", before: "9" }, 2);
  assert.deepEqual([messages.map(({ id }) => id), more], [["4"], false]);
  assert.deepEqual(changes, [{ id: "7", target: "2", kind: "edit" }]);
});

test("a table that denies or answers nonsense is an error", async () => {
  const denied = Response.json({ __type: "x#AccessDeniedException" }, { status: 400 });
  const range = { after: "a", before: "b" };
  await assert.rejects(rows(service(denied).signed, range), { code: "AccessDeniedException" });
  await assert.rejects(rows(service(Response.json({})).signed, range), ShapeError);
});
