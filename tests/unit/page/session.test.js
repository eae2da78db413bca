import assert from "node:assert/strict";
import { beforeEach, afterEach, mock, test } from "node:test";
import { AwsError } from "../../../s3-website/public/js/aws.js";
import { Session } from "../../../s3-website/public/js/session.js";

const NONCE = "page-1";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

// no timer of an hour may outlive a test that fails
beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

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
      signedIn: (person, signal) => void told.push(["signedIn", person.name, signal]),
      refused: say("refused"),
      renewalDue: say("renewalDue"),
      endsSoon: say("endsSoon"),
      ended: say("ended"),
    },
  );
  const words = () => told.map(([word]) => word);
  /** Timers and the clock go on together, as they do unless a computer sleeps. */
  const pass = (ms) => {
    time.now += ms;
    mock.timers.tick(ms);
  };
  return { session, told, words, time, pass };
}

const credentials = (endsAt = 3_600_000) => ({
  accessKeyId: "k",
  secretAccessKey: "s",
  sessionToken: "t",
  endsAt,
});

test("a token makes a presence that ends with the earlier of token and credentials", async () => {
  const { session, told, words } = open();
  await session.enter(token({ exp: 600 }));
  assert.deepEqual(words(), ["signingIn", "signedIn"]);
  assert.equal(told[1][1], "Ada");
  assert.equal(session.presence.endsAt, 600_000);
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
  const { session, words } = open();
  await session.enter(token({ nonce: undefined }));
  assert.deepEqual(words(), ["signingIn", "signedIn"]);
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
});

test("a renewal that fails leaves the presence as it is", async () => {
  const answers = [async () => credentials(), async () => Promise.reject(new TypeError("offline"))];
  const { session, told } = open(() => answers.shift()());
  await session.enter(token());
  const { presence } = session;
  await session.enter(token({ iat: 1 }));
  assert.equal(told.at(-1)[0], "refused");
  assert.equal(session.presence, presence);
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
  const { session, words, pass } = open();
  await session.enter(token());
  pass(55 * MINUTE - 1);
  assert.deepEqual(words(), ["signingIn", "signedIn"]);
  pass(1);
  assert.equal(words().at(-1), "renewalDue");
  pass(MINUTE);
  assert.equal(words().at(-1), "endsSoon");
  pass(4 * MINUTE);
  assert.deepEqual(words().slice(-2), ["ended", "renewalDue"]);
  assert.equal(session.presence, null);
});

test("a renewal in time puts warning and end off", async () => {
  const { session, words, time, pass } = open(async () => credentials(time.now + HOUR));
  await session.enter(token());
  pass(55 * MINUTE);
  await session.enter(token({ iat: 3300, exp: 6900 }), "silent");
  pass(30 * MINUTE);
  assert.deepEqual(words().slice(-3), ["renewalDue", "signingIn", "signedIn"]);
});

test("after a sleep in which a renewal fell due, it is asked for at once, and not again and again", async () => {
  const { session, words, time } = open();
  await session.enter(token());
  time.now = 56 * MINUTE;
  session.wake();
  session.wake();
  assert.deepEqual(words().slice(2), ["renewalDue"]);
  time.now += MINUTE;
  session.wake();
  assert.deepEqual(words().slice(2), ["renewalDue", "renewalDue"]);
});

test("waking up in the middle of a presence changes nothing", async () => {
  const { session, words, time } = open();
  session.wake();
  await session.enter(token());
  time.now = 10 * MINUTE;
  session.wake();
  assert.deepEqual(words(), ["signingIn", "signedIn"]);
});

test("a token that Google hands over twice is exchanged once", async () => {
  let exchanges = 0;
  const { session, words } = open(async () => (exchanges++, credentials()));
  await Promise.all([session.enter(token()), session.enter(token(), "silent")]);
  await session.enter(token());
  assert.equal(exchanges, 1);
  assert.deepEqual(words(), ["signingIn", "signedIn"]);
});

test("a token that was refused may be tried again", async () => {
  const answers = [async () => Promise.reject(new TypeError("offline")), async () => credentials()];
  const { session, words } = open(() => answers.shift()());
  await session.enter(token());
  await session.enter(token());
  assert.deepEqual(words(), ["signingIn", "refused", "signingIn", "signedIn"]);
});

for (const bad of ["a", "a.b.c", "..", "x".repeat(100_000)]) {
  test(`"${bad.slice(0, 5)}" is refused without asking AWS`, async () => {
    const { session, words } = open(() => assert.fail("AWS was asked"));
    await session.enter(bad);
    assert.deepEqual(words(), ["refused"]);
    assert.equal(session.presence, null);
  });
}

test("after a sign-out only a click signs in again", async () => {
  const { session, words } = open();
  await session.enter(token());
  session.leave();
  await session.enter(token({ iat: 1 }), "silent");
  await session.enter(token({ iat: 2 }), "shared");
  assert.deepEqual(words(), ["signingIn", "signedIn"]);
  await session.enter(token({ iat: 3 }), "clicked");
  assert.deepEqual(words().slice(2), ["signingIn", "signedIn"]);
});

test("nobody becomes another person without a click, not even after the end", async () => {
  const { session, words, time } = open();
  await session.enter(token());
  await session.enter(token({ sub: "2", name: "Grace" }), "silent");
  time.now = HOUR;
  assert.equal(session.presence, null);
  await session.enter(token({ sub: "2", name: "Grace" }), "silent");
  assert.deepEqual(words(), ["signingIn", "signedIn", "ended", "renewalDue"]);
});

test("another person's sign-in ends the requests of the one before", async () => {
  const { session, told } = open();
  await session.enter(token());
  const { signal } = session.presence;
  await session.enter(token({ sub: "2", name: "Grace" }));
  assert.equal(signal.aborted, true);
  assert.equal(session.presence.signal.aborted, false);
  assert.equal(told.at(-1)[1], "Grace");
  assert.equal(told.at(-1)[2], session.presence.signal);
  await session.enter(token({ sub: "2", name: "Grace" }));
  assert.equal(told.length, 4);
});

test("the same person after an end starts with a signal that has not ended", async () => {
  const { session, time } = open(async () => credentials(time.now + HOUR));
  await session.enter(token());
  time.now = HOUR;
  assert.equal(session.presence, null);
  await session.enter(token({ iat: 3600, exp: 7200 }));
  assert.equal(session.presence.signal.aborted, false);
  assert.equal(session.presence.endsAt, 2 * HOUR);
});

test("a token from another tab renews the same person, and signs nobody in", async () => {
  const { session, words, time } = open(async () => credentials(time.now + HOUR));
  const theirs = { nonce: "page-2", iat: 3300, exp: 6900 };
  await session.enter(token(theirs), "shared");
  assert.deepEqual(words(), []);
  await session.enter(token());
  time.now = 55 * MINUTE;
  await session.enter(token({ ...theirs, sub: "2" }), "shared");
  assert.equal(session.presence.endsAt, HOUR);
  await session.enter(token(theirs), "shared");
  assert.equal(session.presence.endsAt, 55 * MINUTE + HOUR);
  await session.enter(token({ nonce: "page-2", iat: 3299 }), "shared");
  assert.equal(words().filter((word) => word === "signedIn").length, 2);
});

test("of two tokens on their way the later one counts", async () => {
  const waiting = [];
  const { session, told } = open(() => new Promise((resolve) => waiting.push(resolve)));
  const first = session.enter(token());
  const second = session.enter(token({ sub: "2", name: "Grace" }));
  waiting[1](credentials());
  await second;
  waiting[0](credentials());
  await first;
  assert.deepEqual(told.filter(([word]) => word === "signedIn").map(([, name]) => name), ["Grace"]);
});
