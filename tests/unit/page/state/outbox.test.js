import assert from "node:assert/strict";
import { test } from "node:test";
import * as outbox from "../../../../s3-website/public/js/state/outbox.js";
import { ADA, GRACE, message, outgoing, own, START_MS } from "../builders.js";

const add = (queue, clientId, text = clientId, channel = "default") =>
  outbox.queued(queue, { clientId, channel, text }, START_MS);
const states = (queue) => queue.map(({ clientId, state }) => `${clientId} ${state}`);

test("a text is queued as typed, without the space around it", () => {
  assert.equal(add([], "a", "  two\nlines \n")[0].text, "two\nlines");
});

test("half an emoji does not leave the page", () => {
  assert.equal(add([], "a", "a\ud83d")[0].text, "a\ufffd");
});

for (const [name, text] of Object.entries({
  "an empty text": "",
  "white space": " \n\t ",
  "invisible characters": "\u200b\u2060\ufeff",
  "a letter that is not drawn": "\u3164 \u115f",
  "an empty braille pattern": "\u2800\u2800",
  "marks without a letter": "\u0301\u0336\u20dd",
  "direction marks and tags": "\u202e\u2066\u{e0041}",
  "a text over the limit": "x".repeat(2001),
  "a huge text": "😀".repeat(1_000_000),
})) {
  test(`${name} is not queued`, () => {
    const queue = [];
    assert.equal(add(queue, "a", text), queue);
  });
}

test("the limit counts characters as the server does, not UTF-16 units", () => {
  assert.equal(outbox.isSendable("😀".repeat(2000)), true);
  assert.equal(outbox.isSendable("😀".repeat(2001)), false);
  assert.equal(outbox.lengthOf("😀".repeat(2001)), 2001);
});

test("messages go out in order, one at a time", () => {
  const queue = add(add([], "a"), "b");
  assert.equal(outbox.next(queue).clientId, "a");
  const sending = outbox.started(queue, "a");
  assert.equal(outbox.next(sending), null);
  assert.equal(outbox.next(outbox.accepted(sending, "a", 1)).clientId, "b");
});

test("a failed message holds up none that come after it", () => {
  const queue = outbox.failed(outbox.started(add(add([], "a"), "b"), "a"), "a", "No.");
  assert.deepEqual(states(queue), ["a failed", "b queued"]);
  assert.equal(outbox.next(queue).clientId, "b");
});

test("a retry goes last and keeps its client id; only what failed is retried", () => {
  const queue = outbox.failed(add(add([], "a"), "b"), "a", "No.");
  const again = outbox.retried(queue, "a", START_MS + 5);
  assert.deepEqual(states(again), ["b queued", "a queued"]);
  assert.equal(again[1].why, "");
  assert.equal(outbox.retried(again, "a", 0), again);
});

test("what is on its way cannot be discarded", () => {
  const queue = outbox.started(add([], "a"), "a");
  assert.equal(outbox.discarded(queue, "a"), queue);
  assert.deepEqual(outbox.discarded(outbox.failed(queue, "a", "No."), "a"), []);
});

test("the same message is not queued twice, and no more than a hundred wait", () => {
  let queue = add([], "a");
  assert.equal(add(queue, "a"), queue);
  for (let number = 1; number < 100; number++) queue = add(queue, `a${number}`);
  assert.equal(add(queue, "more"), queue);
});

for (const state of ["queued", "sending", "sent", "failed"]) {
  test(`a ${state} message that is in the channel leaves the outbox`, () => {
    const queue = [outgoing("c7", { state }), outgoing("c8", { state })];
    const seen = outbox.confirmed(queue, "default", [own(7)], ADA.user);
    assert.deepEqual(seen.map(({ clientId }) => clientId), ["c8"]);
  });
}

test("another person's, an operator's or another channel's message confirms nothing", () => {
  const queue = [outgoing("c7", { state: "sent" })];
  for (const [channel, line, user] of [
    ["default", message(7), ADA.user],
    ["default", own(7, { kind: "operator" }), ADA.user],
    ["ops", own(7), ADA.user],
    ["default", own(7, { user: "" }), ""],
  ]) {
    assert.equal(outbox.confirmed(queue, channel, [line], user), queue);
  }
});

test("what was sent and has not appeared after 15 s failed, in words", () => {
  const queue = [outgoing("a", { state: "sent" }), outgoing("b", { state: "sent", channel: "ops" })];
  assert.equal(outbox.overdue(queue, "default", START_MS + 14_999), queue);
  const late = outbox.overdue(queue, "default", START_MS + 15_000);
  assert.deepEqual(states(late), ["a failed", "b sent"]);
  assert.match(late[0].why, /^It has not appeared: it may have been refused\./);
});

test("what is queued is never overdue", () => {
  const queue = [outgoing("a"), outgoing("b", { state: "sending" })];
  assert.equal(outbox.overdue(queue, "default", START_MS + 1e9), queue);
});

test("a clock that jumps loses nothing: what was called late is confirmed when it comes", () => {
  for (const now of [START_MS + 3_600_000, START_MS - 3_600_000]) {
    const late = outbox.overdue([outgoing("c7", { state: "sent" })], "default", now);
    assert.deepEqual(states(late), ["c7 failed"]);
    assert.deepEqual(outbox.confirmed(late, "default", [own(7)], ADA.user), []);
  }
});

test("an answer that comes after the message was seen brings nothing back", () => {
  assert.deepEqual(outbox.accepted([], "a", 1), []);
  assert.deepEqual(outbox.failed([], "a", "No."), []);
  assert.deepEqual(outbox.waiting([], "a", ""), []);
});

test("what was being sent when the page ended is sent again, what failed stays failed", () => {
  const left = [outgoing("a", { state: "sending" }), outgoing("b", { state: "failed", why: "No." })];
  assert.deepEqual(states(outbox.joined([], left)), ["a queued", "b failed"]);
});

test("what two tabs left is taken over once", () => {
  const mine = [outgoing("a", { state: "sent" })];
  assert.deepEqual(states(outbox.joined(mine, [outgoing("a"), outgoing("b")])), ["a sent", "b queued"]);
  assert.equal(outbox.joined(mine, [outgoing("a")]), mine);
});

test("ten messages in ten seconds go at once, the eleventh waits for the first to be ten seconds old", () => {
  const rate = { messages: 10, seconds: 10 };
  const times = Array.from({ length: 10 }, (_, index) => 1000 + index * 100);
  assert.equal(outbox.holdMs(times.slice(1), 2000, rate), 0);
  assert.equal(outbox.holdMs(times, 2000, rate), 9000);
  assert.equal(outbox.holdMs(times, 11_000, rate), 0);
  assert.equal(outbox.holdMs([], 0, rate), 0);
});

test("a change that changes nothing answers the same list", () => {
  const queue = [outgoing("a", { why: "x" })];
  assert.equal(outbox.waiting(queue, "a", "x"), queue);
  assert.equal(outbox.started(queue, "b"), queue);
  assert.equal(outbox.resumed(queue), queue);
  assert.equal(outbox.confirmed(queue, "default", [message(1, { user: GRACE.user })], ADA.user), queue);
});
