import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { startPolling } from "../../../../s3-website/public/js/services/polling.js";
import { end, reported } from "../presence.js";
import { settle } from "../builders.js";

/** Steps that last until the test ends them. */
function steps(delayMs = 1_000) {
  const open = [];
  let most = 0;
  const step = () =>
    new Promise((resolve, reject) => {
      open.push({ resolve, reject });
      most = Math.max(most, open.length - done);
    });
  let done = 0;
  const pollNow = startPolling(step, typeof delayMs === "function" ? delayMs : () => delayMs, end.signal);
  return {
    pollNow,
    count: () => open.length,
    most: () => most,
    async finish(error) {
      const { resolve, reject } = open[done++];
      if (error) reject(error);
      else resolve();
      await settle();
    },
  };
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settle();
}

test("the first step is at once, the next when the delay is over", async () => {
  const poll = steps();
  assert.equal(poll.count(), 1);
  await poll.finish();
  await pass(999);
  assert.equal(poll.count(), 1);
  await pass(1);
  assert.equal(poll.count(), 2);
});

test("a step that takes long is waited for: two are never under way", async () => {
  const poll = steps();
  poll.pollNow();
  poll.pollNow();
  await pass(60_000);
  assert.equal(poll.count(), 1);
  await poll.finish();
  assert.equal(poll.count(), 2);
  assert.equal(poll.most(), 1);
});

test("however often the next step is hurried during one, one comes", async () => {
  const poll = steps();
  for (let call = 0; call < 5; call += 1) poll.pollNow();
  await poll.finish();
  await poll.finish();
  await pass(999);
  assert.equal(poll.count(), 2);
});

test("a hurried step does not wait for the delay, and starts it anew", async () => {
  const poll = steps();
  await poll.finish();
  await pass(500);
  poll.pollNow();
  await settle();
  assert.equal(poll.count(), 2);
  await poll.finish();
  await pass(999);
  assert.equal(poll.count(), 2);
  await pass(1);
  assert.equal(poll.count(), 3);
});

test("an endless delay is a pause until the next call", async () => {
  const poll = steps(Infinity);
  await poll.finish();
  await pass(2 ** 31);
  assert.equal(poll.count(), 1);
  poll.pollNow();
  await settle();
  assert.equal(poll.count(), 2);
});

test("a delay that a timer cannot hold is no busy loop", async () => {
  const poll = steps(2 ** 40);
  await poll.finish();
  await pass(60_000);
  assert.equal(poll.count(), 1);
});

test("the delay is asked for after each step", async () => {
  const delays = [10, 5_000];
  const poll = steps(() => delays.shift());
  await poll.finish();
  await pass(10);
  await poll.finish();
  await pass(4_999);
  assert.equal(poll.count(), 2);
});

test("a timer that fires an hour late is followed by one step, not by those that were missed", async () => {
  const poll = steps();
  await poll.finish();
  await pass(3_600_000);
  assert.equal(poll.count(), 2);
  assert.equal(poll.most(), 1);
});

test("a step that throws is reported, and the loop goes on after a rest", async () => {
  const poll = steps(0);
  const bug = new Error("a bug");
  poll.pollNow();
  await poll.finish(bug);
  assert.deepEqual(reported, [bug]);
  await pass(999);
  assert.equal(poll.count(), 1);
  await pass(1);
  assert.equal(poll.count(), 2);
});

test("a step that throws at once is reported, too", async () => {
  startPolling(() => {
    throw new Error("a bug");
  }, () => 0, end.signal);
  await settle();
  assert.equal(reported.length, 1);
});

test("an end during the wait is the end at once", async () => {
  const poll = steps();
  await poll.finish();
  end.abort();
  poll.pollNow();
  await pass(60_000);
  assert.equal(poll.count(), 1);
});

test("an end during a step lets no other follow", async () => {
  const poll = steps();
  poll.pollNow();
  end.abort();
  await poll.finish();
  await pass(60_000);
  assert.equal(poll.count(), 1);
});

test("after the end nothing starts", async () => {
  end.abort();
  assert.equal(steps().count(), 0);
});
