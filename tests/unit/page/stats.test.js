import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../../../s3-website/public/js/aws.js";
import { aged, parseStats, readStats, statsUrl } from "../../../s3-website/public/js/stats.js";

const AT = Date.UTC(2026, 0, 2, 12, 0, 30);
const MINUTE = 60_000;
const MINUTES = Array.from({ length: 60 }, (_, index) => index);

function stats(change = {}) {
  return JSON.stringify({
    generated_at: "2026-01-02T12:00:30.000Z",
    per_minute: MINUTES,
    today: { date: "2026-01-02", messages: 9, people: 3, channels: { a: 2, b: 7 }, seen: "AAAA" },
    bits: "private",
    ...change,
  });
}

const today = (change) => ({ today: { date: "2026-01-02", messages: 9, people: 3, channels: {}, ...change } });

test("the activity is read, the busiest channel first", () => {
  assert.deepEqual(parseStats(stats()), {
    generatedAt: AT,
    perMinute: MINUTES,
    messages: 9,
    people: 3,
    channels: [
      { name: "b", messages: 7 },
      { name: "a", messages: 2 },
    ],
  });
});

test("it lies beside the transcripts, and is read on condition", async () => {
  assert.equal(statsUrl("data/", "https://b.test/index.html"), "https://b.test/data/stats.json");
  const answer = (status, body, headers) => async () => new Response(body, { status, headers });
  assert.equal(await readStats(answer(304, null), "", '"e"'), null);
  const found = await readStats(answer(200, stats(), { etag: '"e"' }), "", "");
  assert.deepEqual([found.etag, found.activity.messages], ['"e"', 9]);
  const missing = answer(404, "<Error><Code>NoSuchKey</Code></Error>");
  assert.deepEqual(await readStats(missing, "", ""), { etag: "", activity: null });
});

for (const broken of ["", "{", "null", "[]", "{}", '{"generated_at": 5}', '{"generated_at": "soon"}']) {
  test(`${broken || "nothing"} is no activity`, () => {
    assert.throws(() => parseStats(broken), ShapeError);
  });
}

for (const [name, given] of Object.entries({
  "no minutes": undefined,
  "minutes that are no list": { 0: 5 },
  "minutes that are no counts": [-1, 1.5, "7", null, true, {}, 1e99],
})) {
  test(`${name} are sixty zeros`, () => {
    assert.deepEqual(parseStats(stats({ per_minute: given })).perMinute, Array(60).fill(0));
  });
}

test("too few minutes are the last ones, of too many the last ones count", () => {
  const few = parseStats(stats({ per_minute: [4, 5] })).perMinute;
  assert.deepEqual([few.length, few.slice(-3)], [60, [0, 4, 5]]);
  const many = parseStats(stats({ per_minute: [...Array(9_000).fill(1), ...MINUTES] })).perMinute;
  assert.deepEqual(many, MINUTES);
});

test("of the channels only counts of names are taken, and the fifty busiest", () => {
  const hostile = '{"a": 3, "__proto__": 9, "<b>": 4, "constructor": 1, "b": -1, "c": "7", "d": 0, "stats": 5}';
  const text = stats(today({ channels: "HERE" })).replace('"HERE"', hostile);
  assert.deepEqual(parseStats(text).channels, [
    { name: "a", messages: 3 },
    { name: "constructor", messages: 1 },
  ]);
  const channels = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`c${index}`, index]));
  const found = parseStats(stats(today({ channels }))).channels;
  assert.deepEqual([found.length, found[0]], [50, { name: "c98", messages: 98 }]);
});

for (const [name, day] of Object.entries({
  "none": undefined,
  "a text": "today",
  "a list": [1, 2],
  "another day": { date: "2026-01-01", messages: 5, people: 5, channels: { a: 5 } },
})) {
  test(`a day that is ${name} is a quiet one`, () => {
    const { messages, people, channels } = parseStats(stats({ today: day }));
    assert.deepEqual({ messages, people, channels }, { messages: 0, people: 0, channels: [] });
  });
}

test("minutes that have gone by since are empty", () => {
  const activity = parseStats(stats());
  assert.deepEqual(aged(activity, AT + 29_000), activity);
  // 12:00:30 and 12:02:00: two minutes of the clock
  const later = aged(activity, AT + 90_000);
  assert.deepEqual(later.perMinute, [...MINUTES.slice(2), 0, 0]);
  assert.equal(later.generatedAt, AT + 90_000);
  assert.equal(later.messages, 9);
});

test("an hour later every minute is empty, and never more than sixty", () => {
  for (const minutes of [60, 61, 1e9]) {
    assert.deepEqual(aged(parseStats(stats()), AT + minutes * MINUTE).perMinute, Array(60).fill(0));
  }
});

test("a new day (UTC) has begun at nothing", () => {
  const { messages, people, channels } = aged(parseStats(stats()), AT + 12 * 60 * MINUTE);
  assert.deepEqual({ messages, people, channels }, { messages: 0, people: 0, channels: [] });
});

test("a clock that is behind changes nothing", () => {
  const activity = parseStats(stats());
  assert.equal(aged(activity, AT - 600 * MINUTE), activity);
  assert.equal(aged(activity, NaN), activity);
});
