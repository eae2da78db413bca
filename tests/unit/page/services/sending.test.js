import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError, NetworkError } from "../../../../s3-website/public/js/aws/request.js";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { retried } from "../../../../s3-website/public/js/state/outbox.js";
import { createSending } from "../../../../s3-website/public/js/services/sending.js";
import { status } from "../../../../s3-website/public/js/state/status.js";
import * as writing from "../../../../s3-website/public/js/state/draft.js";
import { connected, settle, START_MS } from "../builders.js";

const OFFLINE = new NetworkError("Failed to fetch");

/** A page that sends: each publish waits for the test's answer; advance() moves the time. */
function page(memory = { times: [] }) {
  const told = { sent: 0, ended: 0 };
  const presence = { signal: { aborted: false } };
  let state = connected();
  let here = presence;
  let time = 0;
  let ids = 0;
  let timers = [];
  const asked = [];
  const pump = createSending({
    get: () => state,
    dispatch(next) {
      if (next === state) return;
      state = next;
      pump();
    },
    presence: () => here,
    publish: (_, outgoing) =>
      new Promise((resolve, reject) => void asked.push({ ...outgoing, resolve, reject })),
    onSent: () => (told.sent += 1),
    onEnded: () => (told.ended += 1),
    rate: { messages: 3, seconds: 10 },
    store: {
      sentTimes: () => [...memory.times],
      saveSentTimes: (_, times) => void (memory.times = times),
    },
    now: () => START_MS + time,
    clock: () => time,
    random: () => 0.5,
    after(ms, act) {
      const timer = { at: time + ms, act };
      timers.push(timer);
      return () => (timers = timers.filter((one) => one !== timer));
    },
  });
  const change = (next) => {
    state = next;
    pump();
  };
  return {
    asked,
    told,
    pump,
    change,
    get state() {
      return state;
    },
    end() {
      presence.signal.aborted = true;
      here = null;
      change(chat.signInEnded(state));
    },
    begin() {
      here = { signal: { aborted: false } };
      change(chat.signedIn(state, state.person));
    },
    say: (...texts) =>
      texts.forEach((text) => change(writing.sent(writing.drafted(state, text), `id-${ids++}`, START_MS))),
    outbox: () => state.outbox.map((one) => `${one.text} ${one.state}`),
    why: () => state.outbox.map(({ why }) => why),
    async answer(error) {
      const { resolve, reject } = asked.at(-1);
      error ? reject(error) : resolve();
      await settle();
    },
    async advance(ms) {
      time += ms;
      for (const timer of timers.filter(({ at }) => at <= time)) {
        timers = timers.filter((one) => one !== timer);
        timer.act();
      }
      await settle();
    },
  };
}

test("messages go out one after the other, in order", async () => {
  const ada = page();
  ada.say("a", "b");
  assert.deepEqual(ada.outbox(), ["a sending", "b queued"]);
  await ada.answer();
  assert.deepEqual(ada.outbox(), ["a sent", "b sending"]);
  await ada.answer();
  assert.deepEqual(ada.asked.map(({ text }) => text), ["a", "b"]);
  assert.equal(ada.told.sent, 2);
});

test("a message that SNS refuses failed with the reason; the next one goes", async () => {
  const ada = page();
  ada.say("a", "b");
  await ada.answer(new AwsError("AuthorizationError", "", 403));
  assert.deepEqual(ada.outbox(), ["a failed", "b sending"]);
  assert.match(ada.why()[0], /not allowed/);
});

test("an error that may pass is tried again, in order, with the same client id", async () => {
  const ada = page();
  ada.say("a", "b");
  await ada.answer(OFFLINE);
  assert.deepEqual(ada.outbox(), ["a queued", "b queued"]);
  assert.match(ada.why()[0], /Trying again/);
  await ada.advance(1000);
  assert.equal(ada.asked.length, 1);
  await ada.advance(1000);
  assert.deepEqual(ada.asked.map(({ clientId }) => clientId), ["id-0", "id-0"]);
});

test("where everything else works, a message that cannot be sent fails after minutes of tries", async () => {
  const ada = page();
  ada.say("a");
  for (let turn = 0; turn < 12; turn++) {
    assert.deepEqual(ada.outbox(), ["a sending"]);
    assert.equal(ada.asked.length, turn + 1);
    await ada.answer(OFFLINE);
    for (let second = 0; second < 40; second++) await ada.advance(1000);
  }
  assert.deepEqual(ada.outbox(), ["a failed"]);
  ada.change(chat.withOutbox(ada.state, retried(ada.state.outbox, "id-0", 0)));
  await ada.answer();
  assert.deepEqual(ada.outbox(), ["a sent"]);
});

for (const [how, error] of [
  ["once", OFFLINE],
  ["once", new AwsError("Throttling", "", 400)],
  ["for a minute", OFFLINE],
  ["for a minute", new AwsError("InternalFailure", "", 500)],
]) {
  test(`a message that SNS does not take ${how} (${error.name}) goes out by itself, once`, async () => {
    const ada = page();
    ada.say("a");
    let seconds = 0;
    do {
      if (ada.outbox()[0] === "a sending") await ada.answer(error);
      assert.deepEqual([ada.outbox(), ada.why()], [["a queued"], ["Not sent yet. Trying again."]]);
      await ada.advance(1000);
    } while (how !== "once" && ++seconds < 60);
    for (let wait = 0; wait < 31 && ada.outbox()[0] !== "a sending"; wait++) await ada.advance(1000);
    await ada.answer();
    assert.deepEqual(ada.outbox(), ["a sent"]);
  });
}

test("a mistake of the page itself is no passing trouble: it is told and reported", async (t) => {
  const reported = [];
  globalThis.reportError = (error) => void reported.push(error);
  t.after(() => delete globalThis.reportError);
  const ada = page();
  ada.say("a");
  const mistake = new TypeError("it is undefined");
  await ada.answer(mistake);
  assert.deepEqual(ada.outbox(), ["a failed"]);
  assert.match(ada.why()[0], /this page/);
  assert.deepEqual(reported, [mistake]);
});

test("while nothing can be reached a message waits for as long as that lasts, then goes at once", async () => {
  const ada = page();
  ada.change(chat.pollFailed(ada.state, "Busy.", true));
  ada.say("a");
  for (let minute = 0; minute < 20; minute++) {
    await ada.answer(OFFLINE);
    for (let second = 0; second < 31; second++) await ada.advance(1000);
  }
  await ada.answer(OFFLINE);
  const before = ada.asked.length;
  assert.deepEqual(ada.outbox(), ["a queued"]);
  ada.change(chat.polled(ada.state, "default", START_MS));
  assert.equal(ada.asked.length, before + 1);
});

test("offline nothing is tried; back online all goes, in order", async () => {
  const ada = page();
  ada.change(chat.pollFailed(ada.state, "Offline.", false));
  ada.say("a", "b");
  await ada.advance(60_000);
  assert.equal(ada.asked.length, 0);
  ada.change(chat.cameOnline(ada.state));
  await ada.answer();
  await ada.answer();
  assert.deepEqual(ada.outbox(), ["a sent", "b sent"]);
});

test("an expired sign-in is told, and the message goes after the next one", async () => {
  const ada = page();
  ada.say("a");
  await ada.answer(new AwsError("ExpiredToken", "", 403));
  assert.equal(ada.told.ended, 1);
  ada.end();
  assert.deepEqual(ada.outbox(), ["a queued"]);
  ada.begin();
  await ada.answer();
  assert.deepEqual(ada.outbox(), ["a sent"]);
});

test("a message that was under way at a sign-out does not come back", async () => {
  const ada = page();
  ada.say("a");
  ada.end();
  ada.change(chat.signedOut(ada.state));
  await ada.answer(OFFLINE);
  assert.deepEqual(ada.outbox(), []);
  assert.equal(ada.told.ended, 0);
});

test("an answer that comes after the end of the session still counts", async () => {
  const ada = page();
  ada.say("a");
  ada.end();
  await ada.answer();
  assert.deepEqual(ada.outbox(), ["a sent"]);
});

test("no more go out than the chat takes of one person; the wait is told each second", async () => {
  const ada = page();
  ada.say("a", "b", "c", "d", "e");
  for (let turn = 0; turn < 3; turn++) await ada.answer();
  assert.deepEqual(ada.outbox().slice(3), ["d queued", "e queued"]);
  assert.equal(ada.why()[3], "Too fast: sending in 10 s");
  await ada.advance(7000);
  assert.equal(ada.why()[3], "Too fast: sending in 3 s");
  for (let turn = 0; turn < 3; turn++) await ada.advance(1000);
  assert.equal(ada.asked.at(-1).text, "d");
});

test("what another tab has sent, or is sending, counts; what failed does not", async () => {
  const memory = { times: [] };
  const [ada, other] = [page(memory), page(memory)];
  other.say("x", "y");
  await other.answer();
  await other.answer(new AwsError("AuthorizationError", "", 403));
  assert.deepEqual(memory.times, [START_MS]);
  other.say("z");
  ada.say("a", "b");
  assert.equal(memory.times.length, 3);
  await ada.answer();
  assert.deepEqual(ada.outbox(), ["a sent", "b queued"]);
  assert.equal(ada.why()[1], "Too fast: sending in 10 s");
  for (let turn = 0; turn < 10; turn++) await ada.advance(1000);
  assert.deepEqual(ada.outbox(), ["a sent", "b sending"]);
});

test("after a reload the messages before it count", () => {
  const memory = { times: [START_MS - 9000, START_MS - 9000, START_MS - 9000] };
  const ada = page(memory);
  ada.say("a");
  assert.equal(ada.why()[0], "Too fast: sending in 1 s");
});

test("times that a clock set forward has left hold nothing back", () => {
  const ada = page({ times: Array(50).fill(START_MS + 3_600_000) });
  ada.say("a");
  assert.deepEqual(ada.outbox(), ["a sending"]);
});

test("a slow request is told, and no longer when it is answered", async () => {
  const ada = page();
  ada.say("a");
  await ada.advance(3000);
  assert.equal(status(ada.state).text, "Sending…");
  await ada.answer();
  assert.deepEqual(ada.why(), [""]);
});
