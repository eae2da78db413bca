import assert from "node:assert/strict";
import { test } from "node:test";
import { aged, busier } from "../../../../s3-website/public/js/state/activity.js";

const AT = Date.UTC(2026, 0, 2, 12, 0, 30);
const MINUTE = 60_000;
const MINUTES = Array.from({ length: 60 }, (_, index) => index);

const ACTIVITY = {
  generatedAt: AT,
  perMinute: MINUTES,
  messages: 9,
  people: 3,
  channels: [
    { name: "b", messages: 7 },
    { name: "a", messages: 2 },
  ],
};

test("minutes that have gone by since are empty", () => {
  const activity = ACTIVITY;
  assert.deepEqual(aged(activity, AT + 29_000), activity);
  // 12:00:30 and 12:02:00: two minutes of the clock
  const later = aged(activity, AT + 90_000);
  assert.deepEqual(later.perMinute, [...MINUTES.slice(2), 0, 0]);
  assert.equal(later.generatedAt, AT + 90_000);
  assert.equal(later.messages, 9);
});

test("an hour later every minute is empty, and never more than sixty", () => {
  for (const minutes of [60, 61, 1e9]) {
    assert.deepEqual(aged(ACTIVITY, AT + minutes * MINUTE).perMinute, Array(60).fill(0));
  }
});

test("a new day (UTC) has begun at nothing", () => {
  const { messages, people, channels } = aged(ACTIVITY, AT + 12 * 60 * MINUTE);
  assert.deepEqual({ messages, people, channels }, { messages: 0, people: 0, channels: [] });
});

test("a clock that is behind changes nothing", () => {
  const activity = ACTIVITY;
  assert.equal(aged(activity, AT - 600 * MINUTE), activity);
  assert.equal(aged(activity, NaN), activity);
});

/** Readings with these messages in each channel. */
const counted = (channels, generatedAt = AT) => ({
  ...ACTIVITY,
  generatedAt,
  channels: Object.entries(channels).map(([name, messages]) => ({ name, messages })),
});

test("a channel has as many new messages as its counts differ; after midnight (UTC) any number", () => {
  const before = counted({ a: 9, b: 2, c: 1, d: 1 });
  const midnight = AT + 12 * 60 * MINUTE;
  const rows = [
    [before, counted({ a: 10, b: 2, e: 1, c: 1 }), { a: 1, e: 1 }],
    // one that dropped out of the busiest starts again from one
    [before, counted({ a: 9, b: 1 }), { b: 1 }],
    [before, before, {}],
    [counted({ a: 1, b: 5 }, midnight - MINUTE), counted({ a: 1 }, midnight), { a: Infinity }],
    [null, counted({ a: 1 }), { a: Infinity }],
    [counted({ a: 1 }), null, {}],
  ];
  for (const [earlier, later, news] of rows) assert.deepEqual(Object.fromEntries(busier(earlier, later)), news);
});
