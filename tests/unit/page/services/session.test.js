import assert from "node:assert/strict";
import { beforeEach, afterEach, mock, test } from "node:test";
import { AwsError, NetworkError } from "../../../../s3-website/public/js/aws/request.js";
import { Session } from "../../../../s3-website/public/js/services/session.js";
import { userId } from "../../../../s3-website/public/js/aws/credentials.js";
import { settle } from "../builders.js";

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

/** A session whose exchanges the test answers; `events` records its events in order. */
function open(exchange = async () => credentials()) {
  const events = [];
  const record =
    (word) =>
    (...details) =>
      void events.push([word, ...details]);
  const time = { now: 0, awsAheadMs: 0 };
  const now = () => time.now;
  const awsNow = () => time.now + time.awsAheadMs;
  const session = new Session(
    { nonce: NONCE, now, awsNow, random: () => 0, exchange, sign: (given) => given },
    {
      signingIn: record("signingIn"),
      signedIn: (person, ...rest) => void events.push(["signedIn", person.name, ...rest]),
      delayed: record("delayed"),
      refused: record("refused"),
      renewalDue: record("renewalDue"),
      endsSoon: record("endsSoon"),
      ended: record("ended"),
    },
  );
  const words = () => events.map(([word]) => word);
  /** Move the timers and the clock together, as when the computer does not sleep. */
  const pass = (ms) => {
    time.now += ms;
    mock.timers.tick(ms);
  };
  /** The same in steps of a second, letting promises settle after each. */
  const live = async (ms) => {
    for (let at = 0; at < ms; at += 1000) {
      pass(1000);
      await settle();
    }
  };
  return { session, events, words, time, pass, live };
}

/** Wait for a digest, which another thread computes. */
async function until(condition) {
  for (let turns = 0; turns < 100_000 && !condition(); turns++) await settle();
  assert.ok(condition());
}

const credentials = (endsAt = 3_600_000) => ({
  accessKeyId: "k",
  secretAccessKey: "s",
  sessionToken: "t",
  endsAt,
});

test("a token makes a presence that ends with the earlier of token and credentials", async () => {
  const { session, events, words } = open();
  await session.enter(token({ exp: 600 }));
  assert.deepEqual(words(), ["signingIn", "signedIn"]);
  assert.deepEqual(events[1].slice(1, 3), ["Ada", session.presence.signal]);
  assert.equal(session.presence.endsAt, 600_000);
});

for (const [name, aheadMs, at] of [
  ["right", 400, 600_400],
  ["ahead", 50_000, 601_000],
  ["behind", -50_000, 600_000],
]) {
  test(`by a clock that is ${name}, one signs in within the second of the token`, async () => {
    const { session, events, time } = open();
    time.now = 600_000;
    time.awsAheadMs = aheadMs;
    await session.enter(token({ iat: 600, exp: 1200 }));
    assert.equal(events[1][3], at);
  });
}

for (const [name, claims] of Object.entries({
  "a token that has ended": { iat: 100, exp: 90 },
  "a token made for another page": { nonce: "page-2" },
})) {
  test(`${name} is refused before AWS is asked`, async () => {
    const { session, events } = open(() => assert.fail("AWS was asked"));
    await session.enter(token(claims));
    assert.equal(events[1][0], "refused");
    assert.match(events[1][1], /Sign in again/);
    assert.equal(session.presence, null);
  });
}

test("a token without a nonce is left to STS", async () => {
  const { session, words } = open();
  await session.enter(token({ nonce: undefined }));
  assert.deepEqual(words(), ["signingIn", "signedIn"]);
});

test("a refusal of STS is told in words", async () => {
  const { session, events } = open(async () => {
    throw new AwsError("AccessDenied", "Not authorized", 403);
  });
  await session.enter(token());
  assert.deepEqual(events[1], ["refused", "This Google sign-in is not accepted by this chat."]);
});

test("an answer that comes after the sign-out brings nothing back", async () => {
  let answer;
  const { session, events } = open(() => new Promise((resolve) => (answer = resolve)));
  const entering = session.enter(token());
  session.leave();
  answer(credentials());
  await entering;
  assert.equal(session.presence, null);
  assert.deepEqual(events, [["signingIn"]]);
});

test("a sign-out elsewhere is of whoever is signed in here, or just signing in, and of nobody else", async () => {
  const [ada, grace] = await Promise.all(["1", "2"].map((subject) => userId({ subject })));
  let answer;
  const { session } = open((_, signal) => {
    return new Promise((resolve, reject) => {
      answer = resolve;
      signal.addEventListener("abort", () => reject(OFFLINE));
    });
  });
  assert.equal(await session.signedOutElsewhere(ada), false);
  const entering = session.enter(token());
  assert.deepEqual([await session.signedOutElsewhere(ada), await session.signedOutElsewhere(grace)], [true, false]);
  answer(credentials());
  await entering;
  assert.equal(await session.signedOutElsewhere(ada), true);
  const other = session.enter(token({ sub: "2", name: "Grace" }));
  assert.deepEqual([await session.signedOutElsewhere(ada), await session.signedOutElsewhere(grace)], [true, true]);
  session.leave();
  await other;
  assert.deepEqual([await session.signedOutElsewhere(ada), await session.signedOutElsewhere(grace)], [false, false]);
});

test("who could not be signed in is nobody here", async () => {
  const { session } = open(() => Promise.reject(new AwsError("AccessDenied", "", 403)));
  await session.enter(token());
  assert.equal(await session.signedOutElsewhere(await userId({ subject: "1" })), false);
});

test("a token that comes after its person signed out elsewhere signs in by a click only", async () => {
  const { session, words } = open();
  await session.signedOutElsewhere(await userId({ subject: "1" }));
  await session.enter(token(), "silent");
  assert.deepEqual([words().includes("signedIn"), session.presence], [false, null]);
  await session.enter(token({ sub: "2" }), "silent");
  assert.equal(words().at(-1), "signedIn");
  session.leave();
  await session.enter(token());
  assert.equal(words().at(-1), "signedIn");
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

test("a renewal that is refused leaves the presence as it is", async () => {
  const refusal = new AwsError("AccessDenied", "", 403);
  const answers = [async () => credentials(), async () => Promise.reject(refusal)];
  const { session, events } = open(() => answers.shift()());
  await session.enter(token());
  const { presence } = session;
  await session.enter(token({ iat: 1 }));
  assert.equal(events.at(-1)[0], "refused");
  assert.equal(session.presence, presence);
});

test("a presence past its end is none, even when no timer has run", async () => {
  const { session, events, time } = open();
  await session.enter(token());
  time.now = 3_600_000;
  assert.equal(session.presence, null);
  assert.deepEqual(events.slice(-2), [["ended"], ["renewalDue"]]);
});

test("credentials that AWS takes no longer are exchanged for once more while the token is good", async () => {
  let exchanges = 0;
  const { session, words, time, events } = open(async () => (exchanges++, credentials(Infinity)));
  await session.enter(token());
  const { signal } = session.presence;
  time.now = 30_000;
  session.end();
  await until(() => session.presence);
  assert.deepEqual(words(), ["signingIn", "signedIn", "ended", "signingIn", "signedIn"]);
  assert.deepEqual([exchanges, signal.aborted, session.presence.signal.aborted], [2, true, false]);
  assert.equal(session.presence.endsAt, HOUR);
  time.now = 31_000;
  session.end();
  await settle();
  assert.deepEqual([exchanges, events.at(-1), session.presence], [2, ["ended"], null]);
  await session.enter(token({ iat: 1 }));
  session.end();
  await until(() => exchanges === 4);
});

test("an exchange once more that is refused ends the presence, and Google is asked", async () => {
  const { service, exchange } = sts(null);
  const { session, events, words, time } = open(exchange);
  await session.enter(token());
  time.now = 20 * MINUTE;
  service.error = new AwsError("ExpiredToken", "", 400);
  session.end();
  await settle();
  assert.equal(session.presence, null);
  assert.deepEqual(words().slice(2), ["ended", "signingIn", "refused", "renewalDue"]);
  assert.match(events.at(-2)[1], /has expired/);
});

test("a sign-out while credentials are exchanged for once more is a sign-out", async () => {
  const { session, words } = open();
  await session.enter(token());
  session.end();
  session.leave();
  await settle();
  assert.equal(session.presence, null);
  assert.equal(words().filter((word) => word === "signedIn").length, 1);
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

test("who comes back after the presence ended in a hidden tab is asked for", async () => {
  const { session, words, time, pass } = open();
  session.wake();
  assert.deepEqual(words(), []);
  await session.enter(token());
  pass(HOUR);
  session.wake();
  assert.deepEqual(words().slice(2), ["renewalDue", "endsSoon", "ended"]);
  time.now += 10 * MINUTE;
  session.wake();
  assert.equal(words().at(-1), "renewalDue");
  session.leave();
  time.now += 10 * MINUTE;
  session.wake();
  assert.equal(words().filter((word) => word === "renewalDue").length, 2);
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
  const refusal = new AwsError("InvalidIdentityToken", "", 400);
  const answers = [async () => Promise.reject(refusal), async () => credentials()];
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
  const { session, events } = open();
  await session.enter(token());
  const { signal } = session.presence;
  await session.enter(token({ sub: "2", name: "Grace" }));
  assert.equal(signal.aborted, true);
  assert.equal(session.presence.signal.aborted, false);
  assert.equal(events.at(-1)[1], "Grace");
  assert.equal(events.at(-1)[2], session.presence.signal);
  await session.enter(token({ sub: "2", name: "Grace" }));
  assert.equal(events.length, 4);
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

test("a shared token that waited for this tab to wake up ends when AWS takes it no longer", async () => {
  const { session, words, time } = open(async () => credentials(time.now + HOUR));
  time.awsAheadMs = 5 * MINUTE;
  await session.enter(token());
  assert.equal(session.presence.endsAt, HOUR);
  time.now = 100 * MINUTE;
  const renewal = token({ nonce: "page-2", iat: 3300, exp: 6900 });
  await session.enter(renewal, "shared");
  assert.equal(session.presence.endsAt, 110 * MINUTE);
  time.now = 170 * MINUTE;
  assert.equal(session.presence, null);
  await session.enter(token({ iat: 6600, exp: 10_200 }), "shared");
  assert.equal(session.presence, null);
  assert.ok(!words().includes("refused"));
});

test("of two tokens on their way the later one counts", async () => {
  const waiting = [];
  const { session, events } = open(() => new Promise((resolve) => waiting.push(resolve)));
  const first = session.enter(token());
  const second = session.enter(token({ sub: "2", name: "Grace" }));
  waiting[1](credentials());
  await second;
  waiting[0](credentials());
  await first;
  assert.deepEqual(events.filter(([word]) => word === "signedIn").map(([, name]) => name), ["Grace"]);
});

const OFFLINE = new NetworkError(new TypeError("Failed to fetch"));
const BUSY = new AwsError("ServiceUnavailable", "", 503);

/** An STS that is down until the test repairs it. */
function sts(error) {
  const service = { error, exchanges: 0 };
  const exchange = async () => {
    service.exchanges += 1;
    if (service.error) throw service.error;
    return credentials(Infinity);
  };
  return { service, exchange };
}

for (const error of [OFFLINE, BUSY]) {
  for (const [how, ms] of [
    ["once", 1],
    ["for a minute", MINUTE],
  ]) {
    test(`a sign-in whose exchange fails ${how} (${error.name}) is told, and goes on by itself`, async () => {
      const { service, exchange } = sts(error);
      const { session, events, words, live } = open(exchange);
      const entering = session.enter(token());
      await live(ms);
      assert.deepEqual(events[1], ["delayed", error]);
      assert.ok(!words().includes("refused"));
      service.error = null;
      await live(MINUTE);
      await entering;
      assert.equal(words().at(-1), "signedIn");
      assert.equal(session.presence.endsAt, HOUR);
      // no more often than a failing poll
      assert.ok(service.exchanges <= 10, String(service.exchanges));
    });

    test(`a renewal whose exchange fails ${how} (${error.name}) is not seen at all`, async () => {
      const { service, exchange } = sts(null);
      const { session, words, pass, live } = open(exchange);
      await session.enter(token());
      const { signal } = session.presence;
      pass(55 * MINUTE);
      service.error = error;
      const renewal = session.enter(token({ iat: 3300, exp: 6900 }), "silent");
      await live(ms);
      service.error = null;
      await live(MINUTE);
      await renewal;
      assert.deepEqual(words().slice(2), ["renewalDue", "signingIn", "signedIn"]);
      assert.equal(session.presence.signal, signal);
      assert.equal(session.presence.endsAt, 55 * MINUTE + HOUR);
    });
  }
}

test("a renewal that cannot reach STS until the end says so then, and asks for no other token", async () => {
  const { service, exchange } = sts(null);
  const { session, words, pass, live } = open(exchange);
  await session.enter(token());
  pass(55 * MINUTE);
  service.error = OFFLINE;
  const renewal = session.enter(token({ iat: 3300, exp: 6900 }), "silent");
  await live(10 * MINUTE);
  assert.equal(session.presence, null);
  const seen = [...new Set(words().slice(2))];
  assert.deepEqual(seen, ["renewalDue", "signingIn", "ended", "delayed"]);
  service.error = null;
  await live(MINUTE);
  await renewal;
  assert.equal(words().at(-1), "signedIn");
  assert.equal(session.presence.endsAt, 55 * MINUTE + HOUR);
});

const NO_KEY = new AwsError("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider", 400);

test("a token whose key STS could not fetch is kept, and tried again", async () => {
  const { service, exchange } = sts(NO_KEY);
  const { session, events, words, live } = open(exchange);
  const entering = session.enter(token());
  await live(10_000);
  assert.deepEqual(events[1], ["delayed", NO_KEY]);
  service.error = null;
  await live(MINUTE);
  await entering;
  assert.equal(words().at(-1), "signedIn");
});

test("a token whose key STS does not find for a minute is refused, however long it was offline before", async () => {
  const { service, exchange } = sts(OFFLINE);
  const { session, events, words, live } = open(exchange);
  const entering = session.enter(token());
  await live(2 * MINUTE);
  service.error = NO_KEY;
  await live(MINUTE / 2);
  assert.ok(!words().includes("refused"));
  await live(2 * MINUTE);
  await entering;
  assert.deepEqual(events.at(-1), ["refused", "AWS could not verify your Google sign-in. Sign in again."]);
});

test("a token is tried until it ends, then its sign-in has failed", async () => {
  const { exchange } = sts(OFFLINE);
  const { session, events, words, live } = open(exchange);
  const entering = session.enter(token({ exp: 90 }));
  await live(2 * MINUTE);
  await entering;
  assert.deepEqual([...new Set(words())], ["signingIn", "delayed", "refused"]);
  assert.match(events.at(-1)[1], /^Offline/);
});

test("a return to the page, or to the network, brings the next try forward", async () => {
  const { service, exchange } = sts(OFFLINE);
  const { session, words, live } = open(exchange);
  const entering = session.enter(token());
  await live(MINUTE);
  service.error = null;
  session.wake();
  await entering;
  assert.equal(words().at(-1), "signedIn");
});

test("a sign-out ends the tries, and a newer token takes their place", async () => {
  const { service, exchange } = sts(OFFLINE);
  const { session, words, live } = open(exchange);
  const first = session.enter(token());
  await live(MINUTE);
  service.error = null;
  await session.enter(token({ iat: 1 }));
  await first;
  assert.equal(words().filter((word) => word === "signedIn").length, 1);
  service.error = OFFLINE;
  const renewal = session.enter(token({ iat: 2 }));
  await settle();
  session.leave();
  await renewal;
  const { exchanges } = service;
  service.error = null;
  await live(2 * MINUTE);
  assert.equal(service.exchanges, exchanges);
  assert.equal(session.presence, null);
});

test("a mistake of the page itself is not tried again: it is told and reported", async (t) => {
  const reported = [];
  globalThis.reportError = (error) => void reported.push(error);
  t.after(() => delete globalThis.reportError);
  const mistake = new TypeError("it is undefined");
  const { exchange } = sts(mistake);
  const { session, events } = open(exchange);
  await session.enter(token());
  assert.match(events.at(-1)[1], /^Something went wrong in this page/);
  assert.deepEqual(reported, [mistake]);
});
