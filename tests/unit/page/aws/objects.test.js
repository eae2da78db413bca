import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ShapeError } from "../../../../s3-website/public/js/aws/request.js";
import {
  parseChannelList,
  parseTranscript,
  readChannelList,
  readStats,
  readTranscript,
} from "../../../../s3-website/public/js/aws/objects.js";
import { bucket } from "./answers.js";

const URL_ = "https://chat.test/data/default.json";
const LINE = {
  id: "1",
  name: "Ada",
  message: "hi",
  user: "u",
  sent_at: "2026-01-01T00:00:00.000Z",
  kind: "user",
};

const refusal = (code, message) =>
  `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;

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
  // an unread body keeps the connection busy
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
  const summary = (raw) => {
    const { from, changesSince, asOf } = parseTranscript(JSON.stringify({ messages: [LINE], ...raw }));
    return [from, changesSince, asOf];
  };
  assert.deepEqual(summary(more), ["1", "2026", "2027"]);
  assert.deepEqual(summary({ ...more, complete: true }), ["", "2026", "2027"]);
  assert.deepEqual(summary({ messages: [], ...more }), ["~", "2026", "2027"]);
  // as an earlier version wrote it, and as nobody should
  assert.deepEqual(summary({ generated_at: "2027" }), ["1", "1", "2027"]);
  assert.deepEqual(summary({ complete: 1, changes_since: 5, generated_at: {} }), ["1", "1", ""]);
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

const stats = JSON.stringify({ generated_at: "2026-01-02T12:00:00Z", per_minute: [3] });

test("the activity is read on condition; a missing one is none", async () => {
  const found = await readStats(answering(200, stats, { etag: '"e"' }), "", "");
  assert.deepEqual([found.etag, found.activity.perMinute.at(-1)], ['"e"', 3]);
  assert.equal(await readStats(answering(304, null), "", '"e"'), null);
  const missing = answering(404, "<Error><Code>NoSuchKey</Code></Error>");
  assert.deepEqual(await readStats(missing, "", ""), { etag: "none", activity: null });
});

for (const broken of ["{", "null", "7", "[]", "{}"]) {
  test(`${broken} is no activity`, async () => {
    await assert.rejects(readStats(answering(200, broken), "", ""), ShapeError);
  });
}
