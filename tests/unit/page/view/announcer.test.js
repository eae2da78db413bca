import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnnouncer, sentences } from "../../../../s3-website/public/js/view/announcer.js";
import { message } from "../builders.js";

test("a screen reader hears each of a few new messages, and only the number of many", () => {
  const long = message(1, { text: "🎉".repeat(200) });
  assert.deepEqual(sentences([message(1, { text: "Hello" })]), ["Grace Hopper: Hello"]);
  assert.equal(sentences([long])[0], `Grace Hopper: ${"🎉".repeat(150)}…`);
  assert.deepEqual(sentences([1, 2, 3, 4].map((at) => message(at))), ["4 new messages"]);
  assert.deepEqual(sentences([long, long, long]), ["3 new messages"]);
});

/** An announcer on the test's clock; records what it announces and when. */
function announcerFor(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const announced = [];
  let time = 0;
  const announcer = createAnnouncer((texts) => announced.push({ time, texts }));
  return {
    ...announcer,
    announced,
    pass(ms) {
      for (const ends = time + ms; time < ends; ) t.mock.timers.tick(Math.min(100, ends - (time += 100) + 100));
    },
  };
}

test("a steady conversation is told of every five seconds, and every message is counted", (t) => {
  const announcer = announcerFor(t);
  for (let second = 0; second < 20; second++) {
    announcer.announce([message(second)]);
    announcer.pass(1000);
  }
  announcer.pass(10_000);
  const times = announcer.announced.map(({ time }) => time);
  assert.ok(times.length <= 5, `${times.length} announcements`);
  times.slice(1).forEach((time, at) => assert.ok(time - times[at] >= 5000));
  const count = ({ texts }) => Number(/^(\d+) new messages$/.exec(texts[0])?.[1] ?? texts.length);
  assert.equal(announcer.announced.reduce((sum, one) => sum + count(one), 0), 20);
});

test("after a long text there is time to hear it; after silence a message is told at once", (t) => {
  const announcer = announcerFor(t);
  announcer.announce([message(1, { text: "long ".repeat(40) })]);
  announcer.pass(1000);
  announcer.announce([message(2)]);
  announcer.pass(8000);
  assert.equal(announcer.announced.length, 1);
  announcer.pass(30_000);
  assert.equal(announcer.announced.length, 2);
  announcer.announce([message(3)]);
  announcer.pass(1000);
  assert.equal(announcer.announced.length, 3);
});

test("a failure waits for nothing", (t) => {
  const announcer = announcerFor(t);
  announcer.announce([message(1)]);
  announcer.pass(1000);
  announcer.announceNow(["It failed."]);
  assert.deepEqual(announcer.announced.at(-1).texts, ["It failed."]);
  announcer.announceNow([]);
  assert.equal(announcer.announced.length, 2);
});

test("what was deleted before it was told of is not told", (t) => {
  const announcer = announcerFor(t);
  announcer.announce([message(1)]);
  announcer.retract([]);
  announcer.pass(5000);
  assert.deepEqual(announcer.announced.map(({ texts }) => texts), [[]]);
});
