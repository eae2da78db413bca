import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError } from "../../../s3-website/public/js/aws.js";
import { Session } from "../../../s3-website/public/js/session.js";

const NONCE = "page-1";

function token(claims = {}) {
  const payload = { sub: "1", name: "Ada", nonce: NONCE, iat: 0, exp: 3600, ...claims };
  return `h.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.s`;
}

/** A session whose exchanges are answered by the test; `told` is what it said, in order. */
function open(exchange = async () => credentials()) {
  const told = [];
  const say =
    (word) =>
    (...details) =>
      void told.push([word, ...details]);
  const time = { now: 0 };
  const session = new Session(
    { nonce: NONCE, now: () => time.now, exchange, sign: (given) => given },
    {
      signingIn: say("signingIn"),
      signedIn: (person) => void told.push(["signedIn", person.name]),
      refused: say("refused"),
      renewalDue: say("renewalDue"),
      endsSoon: say("endsSoon"),
      ended: say("ended"),
    },
  );
  return { session, told, time };
}

const credentials = (endsAt = 3_600_000) => ({
  accessKeyId: "k",
  secretAccessKey: "s",
  sessionToken: "t",
  endsAt,
});

test("a token makes a presence that ends with the earlier of token and credentials", async () => {
  const { session, told } = open();
  await session.enter(token({ exp: 600 }));
  assert.deepEqual(told, [["signingIn"], ["signedIn", "Ada"]]);
  assert.equal(session.presence.endsAt, 600_000);
  session.leave();
});

for (const [name, claims] of Object.entries({
  "a token that has ended": { iat: 100, exp: 90 },
  "a token made for another page": { nonce: "page-2" },
})) {
  test(`${name} is refused before AWS is asked`, async () => {
    const { session, told } = open(() => assert.fail("AWS was asked"));
    await session.enter(token(claims));
    assert.equal(told[1][0], "refused");
    assert.match(told[1][1], /Sign in again/);
    assert.equal(session.presence, null);
  });
}

test("a token without a nonce is left to STS", async () => {
  const { session, told } = open();
  await session.enter(token({ nonce: undefined }));
  assert.deepEqual(told.at(-1), ["signedIn", "Ada"]);
  session.leave();
});

test("a refusal of STS is told in words", async () => {
  const { session, told } = open(async () => {
    throw new AwsError("AccessDenied", "Not authorized", 403);
  });
  await session.enter(token());
  assert.deepEqual(told[1], ["refused", "This Google sign-in is not accepted by this chat."]);
});

test("an answer that comes after the sign-out brings nothing back", async () => {
  let answer;
  const { session, told } = open(() => new Promise((resolve) => (answer = resolve)));
  const entering = session.enter(token());
  session.leave();
  answer(credentials());
  await entering;
  assert.equal(session.presence, null);
  assert.deepEqual(told, [["signingIn"]]);
});

test("signing out ends the requests that are under way", async () => {
  const { session } = open();
  await session.enter(token());
  const { signal } = session.presence;
  session.leave();
  assert.equal(signal.aborted, true);
});

test("a renewal keeps the requests that are under way and moves the end", async () => {
  const { session, time } = open(async () => credentials(time.now + 3_600_000));
  await session.enter(token());
  const { signal } = session.presence;
  time.now = 3_300_000;
  await session.enter(token({ iat: 3300, exp: 6900 }));
  assert.equal(session.presence.signal, signal);
  assert.equal(signal.aborted, false);
  assert.equal(session.presence.endsAt, 6_900_000);
  session.leave();
});

test("a renewal that fails leaves the presence as it is", async () => {
  const answers = [async () => credentials(), async () => Promise.reject(new TypeError("offline"))];
  const { session, told } = open(() => answers.shift()());
  await session.enter(token());
  await session.enter(token());
  assert.equal(told.at(-1)[0], "refused");
  assert.notEqual(session.presence, null);
  session.leave();
});

test("a presence past its end is none, even when no timer has run", async () => {
  const { session, told, time } = open();
  await session.enter(token());
  time.now = 3_600_000;
  assert.equal(session.presence, null);
  assert.deepEqual(told.slice(-2), [["ended"], ["renewalDue"]]);
});

test("a presence that AWS ends at once is not renewed in a circle", async () => {
  const { session, told } = open();
  await session.enter(token());
  session.end();
  assert.deepEqual(told.at(-1), ["ended"]);
});

test("a presence asks for its renewal, then warns, then ends", async () => {
  const { session, told } = open();
  const ended = new Promise((resolve) => (session.tell.ended = resolve));
  await session.enter(token({ exp: 0.08 }));
  await ended;
  const words = told.map(([word]) => word);
  assert.deepEqual(words, ["signingIn", "signedIn", "renewalDue", "endsSoon"]);
  assert.equal(session.presence, null);
});
