import assert from "node:assert/strict";
import { test } from "node:test";

// a zone with daylight saving time, which begins on 29 March 2026
process.env.TZ = "Europe/Berlin";
const { dayLabel } = await import("../../../../s3-website/public/js/state/times.js");

const NOW = Date.parse("2026-03-14T15:00:00Z");

test("a label says today, yesterday or the date, by the calendar", () => {
  assert.equal(dayLabel(NOW, NOW), "Today");
  assert.equal(dayLabel(Date.parse("2026-03-13T00:00:00Z"), NOW), "Yesterday");
  assert.match(dayLabel(Date.parse("2026-03-12T12:00:00Z"), NOW), /12/);
  assert.doesNotMatch(dayLabel(Date.parse("2026-03-12T12:00:00Z"), NOW), /2026/);
  assert.match(dayLabel(Date.parse("2025-03-12T12:00:00Z"), NOW), /2025/);
  // the 29th has only 23 hours: 23:30 on the 28th must not be "yesterday" at 00:15 on the 30th
  const after = Date.parse("2026-03-30T00:15:00+02:00");
  assert.equal(dayLabel(Date.parse("2026-03-29T00:30:00+01:00"), after), "Yesterday");
  assert.notEqual(dayLabel(Date.parse("2026-03-28T23:30:00+01:00"), after), "Yesterday");
});
