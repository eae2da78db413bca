import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mock, test } from "node:test";
import { ShapeError } from "../../../../s3-website/public/js/aws/request.js";
import { readMessage } from "../../../../s3-website/public/js/state/messages.js";
import {
  createSource,
  parseChannelList,
  parseTranscript,
  readChannelList,
  readRows,
  readStats,
  readTranscript,
} from "../../../../s3-website/public/js/aws/source.js";

const URL_ = "https://chat.test/data/default.json";
const LINE = {
  id: "1",
  name: "Ada",
  message: "hi",
  user: "u",
  sent_at: "2026-01-01T00:00:00.000Z",
  kind: "user",
};

function bucket(status, body, headers = {}) {
  const asked = [];
  const signed = async (service, url, init) => {
    asked.push({ service, url, init });
    return new Response(status === 304 ? null : body, { status, headers });
  };
  return { asked, signed };
}

const refusal = (code, message) =>
  `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;

test("the data lies beside the page, on AWS and in path style", async () => {
  for (const base of ["https://b.s3.eu-west-1.amazonaws.com/", "http://127.0.0.1:4566/b/"]) {
    const { asked, signed } = bucket(200, JSON.stringify({ messages: [] }));
    const source = createSource({ dataPrefix: "data/" }, `${base}index.html`, Date.now);
    await source.transcript({ signed }, "default", "");
    assert.equal(asked[0].url, `${base}data/default.json`);
  }
});

test("a transcript is read with its ETag, past the browser's cache", async () => {
  const { asked, signed } = bucket(200, JSON.stringify({ messages: [LINE] }), { etag: '"e1"' });
  const found = await readTranscript(signed, URL_, "");
  assert.equal(found.etag, '"e1"');
  assert.equal(found.messages[0].text, "hi");
  assert.deepEqual(asked[0].init.headers, {});
  assert.equal(asked[0].init.cache, "no-store");
});

test("an unchanged transcript is not read again", async () => {
  const asked = [];
  const answer = new Response(null, { status: 304 });
  // a body that nobody reads keeps the connection busy
  const read = mock.method(answer, "text");
  const signed = async (service, url, init) => (asked.push(init), answer);
  assert.equal(await readTranscript(signed, URL_, '"e1"'), null);
  assert.deepEqual(asked[0].headers, { "if-none-match": '"e1"' });
  assert.equal(read.mock.callCount(), 1);
});

test("a channel that nobody has written to is empty, as AWS says it and as the emulator does", async () => {
  const listing = "not authorized to perform: s3:ListBucket on resource";
  for (const [status, body] of [
    [404, refusal("NoSuchKey", "The specified key does not exist.")],
    [403, refusal("AccessDenied", listing)],
    [403, refusal("AccessDenied", "Access Denied")],
  ]) {
    const { signed } = bucket(status, body);
    const found = await readTranscript(signed, URL_, "");
    // what is before nothing is not known: the table tells
    assert.deepEqual([found.messages, found.changes, found.from], [[], [], "~"]);
    assert.equal(await readTranscript(signed, URL_, found.etag), null);
    // one that was there and has been deleted is the same
    assert.deepEqual(await readTranscript(signed, URL_, '"e1"'), found);
  }
});

test("a denied read is an error, not an empty channel", async () => {
  const denial = "not authorized to perform: s3:GetObject on resource";
  const { signed } = bucket(403, refusal("AccessDenied", denial));
  for (const etag of ["", '"e1"', "none"]) {
    await assert.rejects(readTranscript(signed, URL_, etag), { code: "AccessDenied" });
  }
});

test("ended credentials and a wrong clock are told from an empty channel", async () => {
  for (const code of [
    "ExpiredToken",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "RequestTimeTooSkewed",
  ]) {
    const { signed } = bucket(403, refusal(code, ""));
    await assert.rejects(readTranscript(signed, URL_, ""), { code });
  }
});

for (const broken of ["", "{", "null", "[]", '"text"', "{}", '{"messages": {}}', "<html>"]) {
  test(`${broken || "nothing"} is no transcript`, () => {
    assert.throws(() => parseTranscript(broken), ShapeError);
  });
}

test("a transcript tells what is before it, and since when it tells of changes", () => {
  const more = { complete: false, changes_since: "2026", generated_at: "2027" };
  const told = (raw) => {
    const { from, changesSince, asOf } = parseTranscript(JSON.stringify({ messages: [LINE], ...raw }));
    return [from, changesSince, asOf];
  };
  assert.deepEqual(told(more), ["1", "2026", "2027"]);
  assert.deepEqual(told({ ...more, complete: true }), ["", "2026", "2027"]);
  assert.deepEqual(told({ messages: [], ...more }), ["~", "2026", "2027"]);
  // as an earlier version wrote it, and as nobody should
  assert.deepEqual(told({ generated_at: "2027" }), ["1", "1", "2027"]);
  assert.deepEqual(told({ complete: 1, changes_since: 5, generated_at: {} }), ["1", "1", ""]);
});

test("what is no message in a transcript is left out", () => {
  const text = JSON.stringify({ messages: [null, 5, LINE, { id: "2" }], extra: true });
  assert.deepEqual(
    parseTranscript(text).messages.map(({ id }) => id),
    ["1"],
  );
});

test("a transcript that is broken or a page of somebody's network is an error", async () => {
  for (const body of ["<html>Log in to the hotel's network</html>", '{"messages":null}']) {
    await assert.rejects(readTranscript(bucket(200, body).signed, URL_, ""), ShapeError);
  }
});

const list = (...channels) => JSON.stringify({ channels });
const answering = (status, body, headers) => async () => new Response(body, { status, headers });

test("a list is read with its ETag", async () => {
  const signed = answering(200, list("a", "b"), { etag: '"e"' });
  assert.deepEqual(await readChannelList(signed, "", ""), { etag: '"e"', names: ["a", "b"] });
});

test("an unchanged list is none, a missing one is empty", async () => {
  assert.equal(await readChannelList(answering(304, null), "", '"e"'), null);
  const missing = answering(403, "<Error><Code>AccessDenied</Code></Error>");
  assert.deepEqual(await readChannelList(missing, "", ""), { etag: "none", names: [] });
});

test("what is no channel's name is left out, and none is there twice", () => {
  const text = list("b", "a", "b", "<b>", "__proto__", "../stats", "stats", null, 7, {}, ["a"]);
  assert.deepEqual(parseChannelList(text), ["b", "a"]);
});

test("a huge list is cut", () => {
  const names = Array.from({ length: 5_000 }, (_, index) => `c${index}`);
  assert.equal(parseChannelList(list(...names)).length, 1_000);
});

for (const broken of ["", "{", "null", "7", "[]", "{}", '{"channels": {"0": "a"}}', '{"channels": "a"}']) {
  test(`${broken || "nothing"} is no list of channels`, () => {
    assert.throws(() => parseChannelList(broken), ShapeError);
  });
}

const MINUTE = 60_000;
const AT = Date.UTC(2026, 0, 2, 12);
const stats = (change = {}) =>
  JSON.stringify({ generated_at: new Date(AT).toISOString(), per_minute: [3], ...change });
const ofActivity = (answer, etag, known, now = AT) =>
  readStats(answer, "", etag, known, () => now);

test("the activity is read on condition; a missing one is none", async () => {
  const found = await ofActivity(answering(200, stats(), { etag: '"e"' }), "", null);
  assert.deepEqual([found.etag, found.activity.perMinute.at(-1)], ['"e"', 3]);
  const missing = answering(404, "<Error><Code>NoSuchKey</Code></Error>");
  assert.deepEqual(await ofActivity(missing, "", null), { etag: "none", activity: null });
});

test("the activity grows old, read anew or unchanged", async () => {
  const minutes = ({ activity }) => activity.perMinute.slice(-3);
  const late = await ofActivity(answering(200, stats()), "", null, AT + MINUTE);
  assert.deepEqual(minutes(late), [0, 3, 0]);
  const same = await ofActivity(answering(304, null), '"e"', late.activity, AT + 2 * MINUTE);
  assert.deepEqual([same.etag, minutes(same)], ['"e"', [3, 0, 0]]);
  const again = await ofActivity(answering(304, null), '"e"', same.activity, AT + 2 * MINUTE);
  assert.equal(again.activity, same.activity);
});

for (const broken of ["{", "null", "7", "[]", "{}"]) {
  test(`${broken} is no activity`, async () => {
    await assert.rejects(ofActivity(answering(200, broken), "", null), ShapeError);
  });
}

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
/** A service that gives these answers in turn and remembers what it was asked. */
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

/** The fields that the page reads of a message. */
function fieldsRead() {
  const read = new Set();
  const raw = { id: "1", kind: "user", message: "x" };
  const spy = new Proxy(raw, {
    get: (target, key) => (read.add(key), target[key]),
    ownKeys: () => [...Object.keys(raw), "edited_at", "deleted_at", "changed_by"],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
  readMessage(spy);
  return [...read].sort();
}

test("a field of a message is in the page and in transcripts, or in neither", () => {
  const code = readFileSync(new URL("../../../../lambda/dynamodb/code/transcripts.py", import.meta.url), "utf8");
  const form = /^MESSAGE = Form\(([^]*?)^\)/m.exec(code)[1];
  const shown = [...form.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual(fieldsRead(), shown.sort());
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
