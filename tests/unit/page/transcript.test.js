import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { parseTranscript, readTranscript, transcriptUrl } from "../../../s3-website/public/js/transcript.js";
import { ShapeError } from "../../../s3-website/public/js/aws.js";

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

test("a transcript lies beside the page, on AWS and in path style", () => {
  assert.equal(
    transcriptUrl("data/", "default", "https://b.s3.eu-west-1.amazonaws.com/index.html"),
    "https://b.s3.eu-west-1.amazonaws.com/data/default.json",
  );
  assert.equal(
    transcriptUrl("data/", "default", "http://127.0.0.1:4566/b/index.html"),
    "http://127.0.0.1:4566/b/data/default.json",
  );
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
    assert.deepEqual(await readTranscript(signed, URL_, ""), { etag: "", messages: [] });
  }
});

test("a denied read is an error, not an empty channel", async () => {
  const denial = "not authorized to perform: s3:GetObject on resource";
  const { signed } = bucket(403, refusal("AccessDenied", denial));
  await assert.rejects(readTranscript(signed, URL_, ""), { code: "AccessDenied" });
});

test("a transcript that was there and is denied now is an error", async () => {
  const { signed } = bucket(403, refusal("AccessDenied", "Access Denied"));
  await assert.rejects(readTranscript(signed, URL_, '"e1"'), { code: "AccessDenied" });
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

test("what is no message in a transcript is left out", () => {
  const text = JSON.stringify({ messages: [null, 5, LINE, { id: "2" }], extra: true });
  assert.deepEqual(
    parseTranscript(text).map(({ id }) => id),
    ["1"],
  );
});

test("a transcript that is broken or a page of somebody's network is an error", async () => {
  for (const body of ["<html>Log in to the hotel's network</html>", '{"messages":null}']) {
    await assert.rejects(readTranscript(bucket(200, body).signed, URL_, ""), ShapeError);
  }
});
