import assert from "node:assert/strict";
import { test } from "node:test";
import { createAttention } from "../../../../s3-website/public/js/services/attention.js";

/** A visible page and its clock. */
function attended() {
  const heard = {};
  const page = { hidden: false, addEventListener: (name, act) => (heard[name] = act) };
  const time = { now: 0 };
  const attention = createAttention(page, () => time.now, { onReturn() {}, onInput() {} });
  return { ...attention, page, time, heard, idle: () => attention.times().sinceActiveMs };
}

test("what comes keeps a page active for ten minutes after the last input, and no longer", () => {
  const { time, keepActive, idle, heard } = attended();
  for (; time.now < 3_600_000; time.now += 10_000) keepActive();
  assert.ok(idle() >= 3_000_000, `${idle()} ms`);
  heard.keydown();
  time.now += 500_000;
  keepActive();
  assert.equal(idle(), 0);
});

test("a page that is visible again is active", () => {
  const { page, time, heard, idle, keepActive } = attended();
  page.hidden = true;
  heard.visibilitychange();
  time.now = 3_600_000;
  page.hidden = false;
  heard.visibilitychange();
  assert.equal(idle(), 0);
  time.now += 100_000;
  keepActive();
  assert.equal(idle(), 0);
});
