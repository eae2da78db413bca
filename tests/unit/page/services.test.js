import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AwsError,
  Clock,
  explain,
  readError,
  ShapeError,
  signedFetch,
  tag,
  trouble,
} from "../../../s3-website/public/js/aws.js";
import {
  assumeRole,
  explainRefusal,
  readClaims,
  renewsAt,
  userId,
} from "../../../s3-website/public/js/credentials.js";
import { readBetween } from "../../../s3-website/public/js/history.js";
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
const NEVER = new AbortController().signal;

/** A service that gives these answers in turn and remembers what it was asked. */
function service(...answers) {
  const asked = [];
  const signed = async (name, url, init) => {
    asked.push({ name, url, init });
    return answers.shift();
  };
  return { asked, signed };
}

function token(claims) {
  const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${base64url({ alg: "RS256" })}.${base64url(claims)}.signature`;
}

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
  ["offline", new TypeError("Failed to fetch")],
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
  clock.observe(new Response("", { headers: { date: "Thu, 01 Jan 2026 12:00:20 GMT" } }));
  assert.equal(clock.stamp(), "20260101T120000Z");
  clock.observe(new Response("", { headers: { date: "Thu, 01 Jan 2026 14:30:00 GMT" } }));
  assert.equal(clock.stamp(), "20260101T143000Z");
  clock.observe(new Response(""));
  assert.equal(clock.stamp(), "20260101T143000Z");
});

test("each request is signed for its service at the corrected time, and ends with the session", async () => {
  const clock = new Clock(() => 0);
  const session = new AbortController();
  let asked;
  const signer = {
    sign: async (url, init) => ((asked = init), new Request(url, { signal: init.signal })),
  };
  const answer = new Response("", { headers: { date: "Thu, 01 Jan 2026 14:30:00 GMT" } });
  let sent;
  const send = async (request) => ((sent = request), answer);
  const response = await signedFetch(
    signer,
    clock,
    session.signal,
    send,
  )("s3", "https://x.test/", {});
  assert.equal(response, answer);
  assert.deepEqual(asked.aws, { service: "s3", datetime: "19700101T000000Z" });
  assert.equal(clock.stamp(), "20260101T143000Z");
  session.abort();
  assert.equal(sent.signal.aborted, true);
});

test("a token's name and lifetime are read, whatever script the name is in", () => {
  const claims = readClaims(
    token({ sub: "1", name: "Łukasz 李", nonce: "n", iat: 100, exp: 3700 }),
  );
  assert.deepEqual(claims, { subject: "1", name: "Łukasz 李", nonce: "n", lifetimeMs: 3_600_000 });
});

for (const bad of [
  "",
  "a.b",
  "a.!!.c",
  token({ name: "Ada" }),
  token([]),
  token({ sub: 1, iat: 1, exp: 2 }),
]) {
  test(`"${bad.slice(0, 40)}" is no token`, () => {
    assert.throws(() => readClaims(bad), ShapeError);
  });
}

test("a user's id is the one that store_message writes", async () => {
  const id = await userId({ subject: "110169484474386276334" });
  assert.equal(id, "4c1e8cb1fa903ce1");
});

test("a token is exchanged for credentials of the page's role", async () => {
  const body =
    "<R><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s/+=</SecretAccessKey>" +
    "<SessionToken>t</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration></Credentials></R>";
  let asked;
  const send = async (url, init) => ((asked = { url, form: init.body }), new Response(body));
  const found = await assumeRole(config, "a.b.c", NEVER, () => 1000, send);
  assert.deepEqual(found, {
    accessKeyId: "ASIA1",
    secretAccessKey: "s/+=",
    sessionToken: "t",
    endsAt: 3_601_000,
  });
  assert.equal(asked.url, config.endpoints.sts);
  assert.equal(asked.form.get("RoleArn"), config.roleArn);
  assert.equal(asked.form.get("WebIdentityToken"), "a.b.c");
});

test("a refused token is an error with STS's code", async () => {
  const send = async () =>
    new Response(xmlError("AccessDenied", "Not authorized"), { status: 403 });
  await assert.rejects(assumeRole(config, "a.b.c", NEVER, Date.now, send), {
    code: "AccessDenied",
  });
});

test("an answer of STS without credentials is an error", async () => {
  const send = async () => new Response("<html>captive portal</html>");
  await assert.rejects(assumeRole(config, "a.b.c", NEVER, Date.now, send), ShapeError);
});

test("each refusal of a sign-in is told in words", () => {
  for (const code of [
    "ExpiredTokenException",
    "InvalidIdentityToken",
    "IDPRejectedClaim",
    "AccessDenied",
  ]) {
    assert.match(explainRefusal(new AwsError(code, "", 400)), /sign-in/);
  }
  assert.equal(explainRefusal(new AwsError("SlowDown", "", 503)), "");
  assert.equal(explainRefusal(new TypeError("Failed to fetch")), "");
});

test("a sign-in is renewed five minutes before its end, a short one in its last quarter", () => {
  assert.equal(renewsAt(0, 3_600_000), 3_300_000);
  assert.equal(renewsAt(0, 60_000), 45_000);
});

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
      Items: Array.from({ length: 250 }, (_, index) => ({
        id: { S: `${index}` },
        message: { S: "x" },
      })),
      LastEvaluatedKey: { id: { S: "k" } },
    });
  const { asked, signed } = service(page(), page(), page());
  await readBetween(signed, config, "default", { after: "a", before: "b" });
  assert.equal(asked.length, 2);
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
