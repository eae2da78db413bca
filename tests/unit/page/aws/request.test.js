import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AwsError,
  Clock,
  explain,
  NetworkError,
  readError,
  ShapeError,
  signedFetch,
  tag,
  trouble,
} from "../../../../s3-website/public/js/aws/request.js";
import { NEVER, xmlError } from "./answers.js";

test("an error is read from XML with its words unescaped", async () => {
  const body = xmlError("AccessDenied", "User &lt;x&gt; &amp; co &amp;lt;");
  const error = await readError(new Response(body, { status: 403 }));
  assert.deepEqual(
    [error.code, error.message, error.status],
    ["AccessDenied", "User <x> & co &lt;", 403],
  );
});

test("an error is read from JSON without its namespace", async () => {
  const body = JSON.stringify({
    __type: "com.amazonaws.dynamodb.v20120810#ThrottlingException",
    message: "slow",
  });
  const error = await readError(new Response(body, { status: 400 }));
  assert.equal(error.code, "ThrottlingException");
  assert.equal(trouble(error), "busy");
});

test("an error without a body is known by its status", async () => {
  const error = await readError(new Response("", { status: 502 }));
  assert.equal(error.code, "HTTP 502");
  assert.equal(trouble(error), "busy");
});

for (const [kind, error] of [
  ["ended", new AwsError("ExpiredToken", "", 400)],
  ["ended", new AwsError("ExpiredTokenException", "", 400)],
  ["clock", new AwsError("RequestTimeTooSkewed", "", 403)],
  ["denied", new AwsError("AuthorizationError", "", 403)],
  ["busy", new AwsError("SlowDown", "", 503)],
  ["unknown", new AwsError("Surprise", "", 400)],
  ["unknown", new ShapeError("no list")],
  ["clock", new AwsError("RequestExpired", "", 400)],
  ["offline", new NetworkError(new TypeError("Failed to fetch"))],
  ["fault", new TypeError("state.channels is undefined")],
]) {
  test(`${error.name} ${error.code ?? ""} is ${kind} to a person`, () => {
    assert.equal(trouble(error), kind);
    assert.match(explain(error), /^[A-Z].*\.$/);
  });
}

test("an element's text is found, and nothing where there is none", () => {
  assert.equal(tag("<A><Code>x</Code></A>", "Code"), "x");
  assert.equal(tag("<A></A>", "Code"), "");
});

test("a small difference of clocks is left alone, a large one is corrected", () => {
  const clock = new Clock(() => Date.UTC(2026, 0, 1, 12, 0, 0));
  const askedAt = clock.now();
  clock.observe(new Response("", { headers: { date: "Thu, 01 Jan 2026 12:00:20 GMT" } }), askedAt);
  assert.equal(clock.stamp(), "20260101T120000Z");
  clock.observe(new Response("", { headers: { date: "Thu, 01 Jan 2026 14:30:00 GMT" } }), askedAt);
  assert.equal(clock.stamp(), "20260101T143000Z");
  clock.observe(new Response(""), askedAt);
  assert.equal(clock.stamp(), "20260101T143000Z");
});

test("an answer that is read after a sleep sets no clock", () => {
  const clock = new Clock(() => Date.UTC(2026, 0, 1, 14, 30, 0));
  const askedAt = Date.UTC(2026, 0, 1, 12, 0, 0);
  clock.observe(new Response("", { headers: { date: "Thu, 01 Jan 2026 12:00:01 GMT" } }), askedAt);
  assert.equal(clock.stamp(), "20260101T143000Z");
});

const AT_14_30 = { date: "Thu, 01 Jan 2026 14:30:00 GMT" };

/** A signer and a network that give these answers; `stamps` are the times of the signatures. */
function network(clock, signal, ...answers) {
  const stamps = [];
  const sent = [];
  const signer = {
    async sign(url, init) {
      stamps.push(init.aws.datetime);
      return new Request(url, init);
    },
  };
  const send = async (request) => (sent.push(request), answers.shift());
  return { stamps, sent, signed: signedFetch(signer, clock, signal, send) };
}

test("each request is signed at the corrected time, and ends with the session", async () => {
  const clock = new Clock(() => 0);
  const session = new AbortController();
  const answers = [new Response("", { headers: AT_14_30 }), new Response("")];
  const { stamps, sent, signed } = network(clock, session.signal, ...answers);
  assert.equal((await signed("s3", "https://x.test/", {})).headers.get("date"), AT_14_30.date);
  assert.equal((await signed("s3", "https://x.test/", {})).status, 200);
  assert.deepEqual(stamps, ["19700101T000000Z", "20260101T143000Z"]);
  assert.equal(clock.time(), Date.UTC(2026, 0, 1, 14, 30));
  session.abort();
  assert.equal(sent[1].signal.aborted, true);
});

test("a request that a wrong clock spoiled goes out again at once, with its body", async () => {
  const skewed = xmlError("RequestTimeTooSkewed", "");
  const answers = [new Response(skewed, { status: 403, headers: AT_14_30 }), new Response("ok")];
  const { stamps, sent, signed } = network(new Clock(() => 0), NEVER, ...answers);
  const response = await signed("sns", "https://x.test/", { method: "POST", body: "a=b" });
  assert.equal(await response.text(), "ok");
  assert.deepEqual(stamps, ["19700101T000000Z", "20260101T143000Z"]);
  assert.equal(await sent[1].text(), "a=b");
});

test("a request is sent again once at most, and only where its answer shows the right time", async () => {
  const refused = (headers) => new Response("", { status: 403, headers });
  const twice = network(new Clock(() => 0), NEVER, refused(AT_14_30), refused(AT_14_30));
  assert.equal((await twice.signed("s3", "https://x.test/", {})).status, 403);
  assert.equal(twice.sent.length, 2);
  const hidden = network(new Clock(() => 0), NEVER, refused({}));
  assert.equal((await hidden.signed("sns", "https://x.test/", {})).status, 403);
  assert.equal(hidden.sent.length, 1);
  const right = network(new Clock(() => Date.UTC(2026, 0, 1, 14, 30, 5)), NEVER, refused(AT_14_30));
  assert.equal((await right.signed("s3", "https://x.test/", {})).status, 403);
  assert.equal(right.sent.length, 1);
});

test("a server's fault is no reason to send again at once", async () => {
  const answer = new Response("", { status: 503, headers: AT_14_30 });
  const { sent, signed } = network(new Clock(() => 0), NEVER, answer);
  assert.equal((await signed("s3", "https://x.test/", {})).status, 503);
  assert.equal(sent.length, 1);
});

test("an answer keeps its status, headers and body; one that is unchanged has none", async () => {
  const headers = { etag: '"1"' };
  const answers = [new Response("text", { status: 403, headers }), new Response(null, { status: 304 })];
  const { signed } = network(new Clock(() => 0), NEVER, ...answers);
  const found = await signed("s3", "https://x.test/", {});
  assert.deepEqual([found.status, found.headers.get("etag"), await found.text()], [403, '"1"', "text"]);
  const unchanged = await signed("s3", "https://x.test/", {});
  assert.deepEqual([unchanged.status, await unchanged.text()], [304, ""]);
});

test("no answer, or half of one, is the network's; what the signer cannot do is the page's fault", async () => {
  const broken = new ReadableStream({ pull: (half) => half.error(new TypeError("network error")) });
  const { signed } = network(new Clock(() => 0), NEVER, Promise.reject(new TypeError("Failed to fetch")), new Response(broken));
  for (let turn = 0; turn < 2; turn++) {
    await assert.rejects(signed("s3", "https://x.test/", {}), NetworkError);
  }
  await assert.rejects(signed("s3", "no address", {}), (error) => trouble(error) === "fault");
});
