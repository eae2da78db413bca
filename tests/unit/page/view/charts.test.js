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
} from "../../../../s3-website/public/js/view/charts.js";

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
  assert.equal(hourText(activity({ perMinute: Array(60).fill(0) })), "No messages in the last hour");
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
