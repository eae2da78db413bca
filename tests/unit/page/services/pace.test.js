import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BACKOFF_LAST_MS,
  isUsed,
  JITTER,
  listDelay,
  pollDelay,
  probeDelay,
  statsDelay,
  backoff,
} from "../../../../s3-website/public/js/services/pace.js";

const USUAL = { failures: 0, sinceSendMs: Infinity, sinceActiveMs: 0, hiddenMs: 0, random: 0.5 };
const MINUTE = 60_000;
const poll = (pace = {}) => pollDelay({ ...USUAL, ...pace });
const probe = (pace = {}) => probeDelay({ ...USUAL, ...pace });

for (const [name, pace, ms] of [
  ["a page in use", {}, 1_000],
  ["a page whose message has just gone out", { sinceSendMs: 0 }, 250],
  ["a page whose message went out three seconds ago", { sinceSendMs: 3_000 }, 1_000],
  ["a hidden page whose message has just gone out", { sinceSendMs: 100, hiddenMs: 100 }, 250],
  ["a page that is idle for almost a minute", { sinceActiveMs: MINUTE - 1 }, 1_000],
  ["a page that is idle for a minute", { sinceActiveMs: MINUTE }, 3_000],
  ["a page that is idle for ten minutes", { sinceActiveMs: 10 * MINUTE }, 10_000],
  ["a page that is idle for a week", { sinceActiveMs: 10_080 * MINUTE }, 10_000],
  ["a hidden page", { hiddenMs: 1 }, 15_000],
  ["a page that is hidden for ten minutes", { hiddenMs: 10 * MINUTE }, 60_000],
  ["a page that is offline", { online: false }, Infinity],
  ["a page that is offline after a send", { online: false, sinceSendMs: 0 }, Infinity],
  ["a page that is told at once", { live: true }, 2 * MINUTE],
  ["an idle page that is told at once", { live: true, sinceActiveMs: MINUTE }, 5 * MINUTE],
  ["a page that is told at once and has just sent", { live: true, sinceSendMs: 0 }, 2 * MINUTE],
  ["a hidden page that is told at once", { live: true, hiddenMs: 1 }, 5 * MINUTE],
  ["a page that would be told at once, but is offline", { live: true, online: false }, Infinity],
  ["a page whose clock was set back", { sinceActiveMs: -5 * MINUTE, hiddenMs: 0 }, 1_000],
]) {
  test(`${name} polls each ${ms} ms`, () => assert.equal(poll(pace), ms));
}

for (const [name, pace, ms] of [
  ["a page in use", {}, 10_000],
  ["an idle page", { sinceActiveMs: MINUTE }, 30_000],
  ["a hidden page", { hiddenMs: 1 }, 60_000],
  ["a page that is offline", { online: false }, Infinity],
]) {
  test(`${name} looks at another channel each ${ms} ms`, () => assert.equal(probe(pace), ms));
}

test("pages do not march in step", () => {
  assert.equal(JITTER, 0.1);
  assert.deepEqual([poll({ random: 0 }), poll({ random: 0.999_999 }) < 1_100], [900, true]);
  assert.ok(poll({ random: 0.9 }) > 1_000);
});

test("failing polls come further and further apart, never more than 30 s", () => {
  const delay = (failures, random) => poll({ failures, random, sinceSendMs: 0 });
  assert.deepEqual([delay(1, 0), delay(1, 1)], [1_000, 2_000]);
  assert.deepEqual([delay(3, 0), delay(3, 1)], [4_000, 8_000]);
  assert.deepEqual([delay(1_000, 0), delay(1_000, 1)], [BACKOFF_LAST_MS / 2, BACKOFF_LAST_MS]);
});

test("a page that polls slowly does not poll faster when polls fail", () => {
  assert.equal(poll({ failures: 1, hiddenMs: 20 * MINUTE }), 60_000);
  assert.equal(probe({ failures: 1 }), 10_000);
});

test("a next try comes after twice the time, up to half a minute", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 99].map((failures) => backoff(failures, 0)), [1e3, 2e3, 4e3, 8e3, 15e3, 15e3]);
  assert.equal(backoff(99, 1), 30_000);
});

test("a page that is told at once reads the statistics each 5 s at most while somebody is there, the rest rarely", () => {
  const live = (pace = {}) => ({ ...USUAL, live: true, ...pace });
  const paces = (pace) => [isUsed(pace), statsDelay(pace, false), probe(pace), listDelay(pace)];
  assert.deepEqual(paces(live()), [true, 5_000, 15_000, 30 * MINUTE]);
  assert.equal(statsDelay(live({ random: 0.999_999 }), false), 5_000);
  assert.equal(statsDelay(live({ failures: 9 }), false), 22_500);
  assert.deepEqual(paces(live({ sinceActiveMs: MINUTE })), [false, 2 * MINUTE, 2 * MINUTE, 30 * MINUTE]);
  assert.deepEqual(paces(live({ hiddenMs: 1 })), [false, 5 * MINUTE, 5 * MINUTE, 30 * MINUTE]);
  assert.deepEqual(paces(USUAL), [true, Infinity, 10_000, MINUTE]);
});

test("the statistics are read each 15 s for the panel, or more often", () => {
  assert.equal(statsDelay(USUAL, true), 15_000);
  assert.equal(statsDelay({ ...USUAL, live: true }, true), 5_000);
  assert.equal(statsDelay({ ...USUAL, live: true, sinceActiveMs: MINUTE }, true), 15_000);
});

test("a page that is told at once tries again soon after a failed poll", () => {
  const first = poll({ live: true, failures: 1 });
  assert.ok(first >= 1_000 && first <= 2_000, String(first));
});
