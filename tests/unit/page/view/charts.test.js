import assert from "node:assert/strict";
import { test } from "node:test";
import {
  barPath,
  busiest,
  hour,
  hourText,
  number,
  othersText,
  peopleText,
  scaleEnd,
  steps,
} from "../../../../s3-website/public/js/view/activity.js";
import { ShapeError } from "../../../../s3-website/public/js/aws/request.js";
import { aged, parseStats } from "../../../../s3-website/public/js/aws/source.js";

const AT = Date.UTC(2026, 0, 2, 12, 0, 30);
const MINUTE = 60_000;
const MINUTES = Array.from({ length: 60 }, (_, index) => index);

function stats(change = {}) {
  return {
    generated_at: "2026-01-02T12:00:30.000Z",
    per_minute: MINUTES,
    today: { date: "2026-01-02", messages: 9, people: 3, channels: { a: 2, b: 7 }, seen: "AAAA" },
    bits: "private",
    ...change,
  };
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

for (const broken of [{}, { generated_at: 5 }, { generated_at: "soon" }]) {
  test(`${JSON.stringify(broken)} is no activity`, () => {
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
  assert.deepEqual(parseStats(stats(today({ channels: JSON.parse(hostile) }))).channels, [
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

const NOON = Date.UTC(2026, 0, 1, 12);

function activity(changes = {}) {
  const perMinute = [...Array(58).fill(0), 3, 2];
  return { generatedAt: NOON, perMinute, channels: [], people: 0, messages: 0, ...changes };
}

const channels = (...counts) => counts.map((messages, n) => ({ name: `c${n}`, messages }));

test("the scale ends at a round even number that holds the largest value", () => {
  const ends = [0, 1, 4, 5, 10, 11, 21, 51, 101, 201, 501, 1001].map(scaleEnd);
  assert.deepEqual(ends, [4, 4, 4, 10, 10, 20, 50, 100, 200, 500, 1000, 2000]);
  for (let value = 0; value < 100_000; value = value * 1.3 + 1) {
    const end = scaleEnd(value);
    assert.ok(end >= value && end % 2 === 0 && (end === 4 || end <= Math.max(10, value * 2.5)));
  }
});

test("the largest count that stats.json may hold has a scale", () => {
  assert.ok(scaleEnd(Number.MAX_SAFE_INTEGER) >= Number.MAX_SAFE_INTEGER);
});

test("a bar stands on the ground and is as high as its share", () => {
  assert.equal(barPath([10, 5], 10, 30), "M0.1 30v-30h0.8v30zM1.1 30v-15h0.8v15z");
  assert.equal(barPath([10], 10, 30, 59), "M59.1 30v-30h0.8v30z");
});

test("a minute without a message has no bar, one among thousands a small one", () => {
  assert.equal(barPath([0, 0], 4, 30), "");
  assert.equal(barPath([1], 5000, 30), "M0.1 30v-0.6h0.8v0.6z");
});

test("the hour is told in words", () => {
  assert.deepEqual(hour(activity()), { now: 2, most: 3, total: 5 });
  assert.equal(hourText(activity()), "5 in the last hour, 3 at most, 2 this minute");
  assert.equal(hourText(activity({ perMinute: Array(60).fill(0) })), "No message in the last hour");
});

test("an hour of another length is drawn, too", () => {
  assert.deepEqual(hour(activity({ perMinute: [] })), { now: 0, most: 0, total: 0 });
  assert.deepEqual(steps(activity({ perMinute: [] })), []);
});

test("channels are shown by their share of the busiest, none too short to be seen", () => {
  const shown = busiest(activity({ channels: channels(1000, 250, 1) }), 6);
  assert.deepEqual(
    shown.map(({ name, share }) => [name, share]),
    [
      ["c0", 1],
      ["c1", 0.25],
      ["c2", 0.01],
    ],
  );
  assert.deepEqual(busiest(activity(), 6), []);
});

test("what is not listed is told: channels past the limit and those that were not kept", () => {
  const some = { channels: channels(5, 4, 3), messages: 20 };
  assert.equal(busiest(activity(some), 2).length, 2);
  assert.equal(othersText(activity(some), 2), "11 in other channels");
  assert.equal(othersText(activity({ ...some, messages: 12 }), 3), "");
  assert.equal(othersText(activity({ ...some, messages: 1 }), 3), "");
});

test("the table's steps are the chart's hour", () => {
  const perMinute = Array.from({ length: 60 }, (_, minute) => minute);
  const rows = steps(activity({ perMinute }));
  assert.equal(rows.length, 12);
  assert.deepEqual(rows.slice(0, 2).map(({ messages }) => messages), [10, 35]);
  const sum = rows.reduce((total, { messages }) => total + messages, 0);
  assert.equal(sum, hour(activity({ perMinute })).total);
  const format = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  assert.equal(rows.at(-1)?.time, format.formatRange(NOON - 4 * 60_000, NOON));
});

test("an estimate is told as one", () => {
  assert.equal(peopleText(100), "100");
  assert.equal(peopleText(12_345), `≈\u202f${number(12_345)}`);
});
