import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseTranscript,
  pollDelay,
  readTranscript,
  startPolling,
  transcriptUrl,
} from "../../../s3-website/public/js/transcript.js";
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
  const { asked, signed } = bucket(304, "");
  assert.equal(await readTranscript(signed, URL_, '"e1"'), null);
  assert.deepEqual(asked[0].init.headers, { "if-none-match": '"e1"' });
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

test("polls are a second apart, a quarter for a moment after a message was sent", () => {
  const pace = { failures: 0, sinceSendMs: Infinity, random: 0 };
  assert.equal(pollDelay(pace), 1000);
  assert.equal(pollDelay({ ...pace, sinceSendMs: 100 }), 250);
  assert.equal(pollDelay({ ...pace, sinceSendMs: 3000 }), 1000);
});

test("failing polls come further and further apart, never more than 30 s, never all at once", () => {
  const delay = (failures, random) => pollDelay({ failures, sinceSendMs: 0, random });
  assert.deepEqual([delay(1, 0), delay(1, 1)], [1000, 2000]);
  assert.deepEqual([delay(3, 0), delay(3, 1)], [4000, 8000]);
  assert.deepEqual([delay(1000, 0), delay(1000, 1)], [15_000, 30_000]);
});

test("polls never overlap, and none starts after the end", async () => {
  const end = new AbortController();
  let running = 0;
  let polls = 0;
  const done = new Promise((resolve) => {
    const step = async () => {
      running += 1;
      polls += 1;
      assert.equal(running, 1);
      await new Promise((next) => setImmediate(next));
      running -= 1;
      if (polls === 5) {
        end.abort();
        setImmediate(() => setImmediate(resolve));
      } else pollNow();
    };
    const pollNow = startPolling(step, () => 0, end.signal);
  });
  await done;
  assert.equal(polls, 5);
});

test("a hurried poll does not wait for the delay", async () => {
  const end = new AbortController();
  let polls = 0;
  await new Promise((resolve) => {
    const step = async () => {
      polls += 1;
      if (polls === 2) resolve();
    };
    const pollNow = startPolling(step, () => 1e6, end.signal);
    setImmediate(pollNow);
  });
  end.abort();
  assert.equal(polls, 2);
});
