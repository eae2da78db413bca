import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../../../s3-website/public/js/aws.js";
import { readBefore, readBetween } from "../../../s3-website/public/js/history.js";
import { clientIds, publish } from "../../../s3-website/public/js/publish.js";

const config = {
  region: "eu-west-1",
  roleArn: "arn:aws:iam::123456789012:role/page",
  topicArn: "arn:aws:sns:eu-west-1:123456789012:chat",
  table: "messages",
  endpoints: {
    sts: "https://sts.eu-west-1.amazonaws.com",
    sns: "https://sns.eu-west-1.amazonaws.com",
    dynamodb: "https://dynamodb.eu-west-1.amazonaws.com",
    s3: "https://s3.eu-west-1.amazonaws.com",
  },
};
const xmlError = (code, message) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

/** A service that gives these answers in turn and remembers what it was asked. */
function service(...answers) {
  const asked = [];
  const signed = async (name, url, init) => {
    asked.push({ name, url, init });
    return answers.shift();
  };
  return { asked, signed };
}

test("a message is published with its channel, its client id and the sender's token", async () => {
  const { asked, signed } = service(new Response("<PublishResponse/>"));
  const outgoing = { message: 'é "&+= 😀', channel: "default", clientId: "c-1" };
  await publish(signed, config, outgoing, "a.b.c");
  const form = new URLSearchParams(asked[0].init.body);
  assert.equal(asked[0].name, "sns");
  assert.equal(form.get("TopicArn"), config.topicArn);
  assert.deepEqual(JSON.parse(form.get("Message")), {
    message: 'é "&+= 😀',
    channel: "default",
    client_id: "c-1",
  });
  assert.equal(form.get("MessageAttributes.entry.1.Value.StringValue"), "a.b.c");
});

test("a refused publish is an error", async () => {
  const { signed } = service(new Response(xmlError("AuthorizationError", "no"), { status: 403 }));
  const outgoing = { message: "x", channel: "default", clientId: "c-1" };
  await assert.rejects(publish(signed, config, outgoing, "t"), { code: "AuthorizationError" });
});

test("client ids sort by time, never repeat, and hold safe characters only", () => {
  const times = [1000, 1000, 999, 1_800_000_000_000, 5];
  const next = clientIds(
    () => times.shift(),
    () => "abcdef01",
  );
  const made = [next(), next(), next(), next(), next()];
  assert.deepEqual(made, [...new Set(made)].sort());
  for (const id of made) assert.match(id, /^[a-z0-9-]{1,64}$/);
});

test("a gap is read page by page until it is filled, without its two ends", async () => {
  const item = (id) => ({ id: { S: id }, message: { S: `text ${id}` }, name: { S: "Ada" } });
  const next = { channel: { S: "default" }, id: { S: "3" } };
  const { asked, signed } = service(
    Response.json({ Items: [item("5"), item("4"), item("3")], LastEvaluatedKey: next }),
    Response.json({ Items: [item("2"), { id: { S: "x" } }, item("1")] }),
  );
  const messages = await readBetween(signed, config, "default", { after: "1", before: "5" });
  assert.deepEqual(
    messages.map(({ id }) => id),
    ["4", "3", "2"],
  );
  const inputs = asked.map(({ init }) => JSON.parse(init.body));
  assert.equal(inputs[0].ExclusiveStartKey, undefined);
  assert.deepEqual(inputs[1].ExclusiveStartKey, next);
  assert.equal(asked[0].init.headers["x-amz-target"], "DynamoDB_20120810.Query");
});

test("a night's messages are read only as far as the page shows them", async () => {
  const page = () =>
    Response.json({
      Items: Array.from({ length: 250 }, (_, index) => stored(`${index}`)),
      LastEvaluatedKey: { id: { S: "k" } },
    });
  const { asked, signed } = service(page(), page(), page());
  await readBetween(signed, config, "default", { after: "a", before: "b" });
  assert.equal(asked.length, 2);
});

const stored = (id) => ({ id: { S: id }, message: { S: `text ${id}` } });
const inputOf = ({ init }) => JSON.parse(init.body);

test("earlier messages come oldest first, with whether there are more before them", async () => {
  const rows = ["7", "6", "5"].map(stored);
  const { asked, signed } = service(Response.json({ Items: rows, LastEvaluatedKey: { id: {} } }));
  const { messages, more } = await readBefore(signed, config, "default", "8", 2);
  assert.deepEqual([messages.map(({ id }) => id), more], [["6", "7"], true]);
  const input = inputOf(asked[0]);
  assert.equal(input.KeyConditionExpression, "#channel = :channel AND #id < :before");
  assert.deepEqual(input.ExpressionAttributeValues[":before"], { S: "8" });
  assert.deepEqual([input.Limit, input.ScanIndexForward, input.ConsistentRead], [3, false, false]);
  for (const field of ["picture", "edited_at", "deleted_at"]) {
    assert.equal(input.ExpressionAttributeNames[`#${field}`], field);
  }
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
    const found = await readBefore(signed, config, "default", "3", 2);
    assert.deepEqual([found.messages.map(({ id }) => id), found.more], [ids, false]);
  }
  assert.equal(asked.length, 4);
});

test("rows that are no messages do not end the way back", async () => {
  const { signed } = service(
    Response.json({ Items: [null, 5, { id: { N: "1" } }], LastEvaluatedKey: { id: { S: "5" } } }),
    Response.json({ Items: [stored("4")] }),
  );
  const { messages, more } = await readBefore(signed, config, "default", "9", 2);
  assert.deepEqual([messages.map(({ id }) => id), more], [["4"], false]);
});

test("without an id the newest messages are read", async () => {
  const { asked, signed } = service(Response.json({ Items: [stored("1")] }));
  await readBefore(signed, config, "default", "", 2);
  const input = inputOf(asked[0]);
  assert.equal(input.KeyConditionExpression, "#channel = :channel");
  assert.deepEqual(Object.keys(input.ExpressionAttributeValues), [":channel"]);
});

test("a table that denies or answers nonsense is an error", async () => {
  const denied = Response.json({ __type: "x#AccessDeniedException" }, { status: 400 });
  const range = { after: "a", before: "b" };
  await assert.rejects(readBetween(service(denied).signed, config, "default", range), {
    code: "AccessDeniedException",
  });
  await assert.rejects(
    readBetween(service(Response.json({})).signed, config, "default", range),
    ShapeError,
  );
});
