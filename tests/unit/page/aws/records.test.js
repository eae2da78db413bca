import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readMessage, parseStats } from "../../../../s3-website/public/js/aws/records.js";
import { ShapeError } from "../../../../s3-website/public/js/aws/request.js";

/** The fields that the page reads of a message. */
function fieldsRead() {
  const read = new Set();
  const raw = { id: "1", kind: "user", message: "x" };
  const spy = new Proxy(raw, {
    get: (target, key) => (read.add(key), target[key]),
    ownKeys: () => [...Object.keys(raw), "edited_at", "deleted_at", "changed_by"],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
  readMessage(spy);
  return [...read].sort();
}

test("a field of a message is in the page and in transcripts, or in neither", () => {
  const code = readFileSync(new URL("../../../../lambda/dynamodb/code/transcripts.py", import.meta.url), "utf8");
  const form = /^MESSAGE = Form\(([^]*?)^\)/m.exec(code)[1];
  const shown = [...form.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual(fieldsRead(), shown.sort());
});

const AT = Date.UTC(2026, 0, 2, 12, 0, 30);
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

for (const raw of [null, 1, "text", [], {}, { id: "1" }, { id: "", message: "x" }, { id: 1, message: "x" }]) {
  test(`${JSON.stringify(raw)} is no message`, () => {
    assert.equal(readMessage(raw), null);
  });
}

test("wrong and unknown fields of a message do no harm", () => {
  const raw = {
    id: "1",
    message: "<b>\ud83d",
    name: { evil: 1 },
    user: 5,
    picture: ["x"],
    kind: "user",
    sent_at: "tomorrow",
    edited_at: 7,
    __proto__: { x: 1 },
  };
  assert.deepEqual(readMessage(raw), {
    id: "1",
    name: "Someone",
    text: "<b>\ufffd",
    user: "",
    picture: "",
    sentAt: "",
    clientId: "",
    kind: "user",
    edited: false,
    deleted: false,
  });
});

test("an edited message says so; a deleted one has no text, whatever it holds", () => {
  const raw = { id: "1", message: "x", kind: "user", edited_at: "2026-01-01T12:00:00.000Z" };
  assert.equal(readMessage(raw).edited, true);
  for (const text of ["secret", undefined]) {
    const gone = readMessage({ ...raw, message: text, deleted_at: raw.edited_at });
    assert.deepEqual([gone.text, gone.deleted, gone.edited], ["", true, false]);
  }
});

for (const [picture, taken] of [
  ["https://lh3.googleusercontent.com/a/x=s96-c", true],
  ["http://lh3.googleusercontent.com/a", false],
  ["https://googleusercontent.com.evil.test/a", false],
  ["https://evil.test/https://lh3.googleusercontent.com/", false],
  ["https://user@lh3.googleusercontent.com/a", false],
  ["javascript:alert(1)//lh3.googleusercontent.com/", false],
  [`https://lh3.googleusercontent.com/${"x".repeat(1000)}`, false],
]) {
  test(`the picture ${picture.slice(0, 60)} is ${taken ? "" : "not "}taken`, () => {
    const { picture: shown } = readMessage({ id: "1", message: "x", kind: "user", picture });
    assert.equal(shown, taken ? picture : "");
  });
}
