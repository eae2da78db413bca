import assert from "node:assert/strict";
import { test } from "node:test";
import {
  changesGap,
  gap,
  meets,
  merged,
  newerThan,
  stale,
} from "../../../../s3-website/public/js/state/messages.js";
import { message, own, range, reading } from "../builders.js";

test("messages are in the order of their ids, each once, whatever the order they came in", () => {
  const [one, two, three] = range(1, 4);
  assert.deepEqual(merged([two], [three, one, two]), [one, two, three]);
});

test("a list to which nothing is new stays the same list", () => {
  const known = range(0, 50);
  assert.equal(merged(known, structuredClone(known.slice(30))), known);
  assert.equal(merged(known, []), known);
});

test("a message that did not change stays the same object beside one that did", () => {
  const known = range(0, 3);
  const edited = message(1, { text: "better", edited: true });
  const list = merged(known, [structuredClone(known[0]), edited, structuredClone(known[2])]);
  assert.equal(list[0], known[0]);
  assert.equal(list[1], edited);
  assert.equal(list[2], known[2]);
});

test("a message that its page sent twice is one line, the first", () => {
  const first = message(1);
  const again = message(5, { clientId: first.clientId });
  const others = own(6, { clientId: first.clientId });
  assert.deepEqual(merged([first], [again, others]), [first, others]);
  assert.deepEqual(merged([again], [first]), [first]);
  const known = [first, others];
  assert.equal(merged(known, [again]), known);
});

test("messages without a client id are never taken for each other", () => {
  const lines = [message(1, { clientId: "" }), message(2, { clientId: "" })];
  assert.deepEqual(merged([], lines), lines);
});

test("a transcript that meets what is shown leaves no gap", () => {
  assert.equal(gap("", message(9).id), null);
  assert.equal(gap(message(1).id, ""), null);
  assert.equal(gap(message(9).id, message(2).id), null);
});

test("lists meet only where they overlap by more than a message may be late", () => {
  const known = range(0, 10);
  const meeting = (from) => meets({ messages: known, readTo: "", asOf: message(9).sentAt }, reading([], [], { from }));
  assert.equal(meeting(message(5).id), true);
  // what is written 3.3 s behind its place stands at 6, or a moment later
  for (const late of [6, 7, 8, 9, 10]) assert.equal(meeting(message(late).id), false, `${late}`);
  assert.equal(meeting(""), true);
  assert.equal(meeting("~"), false);
});

test("lists meet only where no change is missing between them", () => {
  const asOf = message(60).sentAt;
  const meeting = (changesSince) => meets({ messages: range(0, 9), readTo: "", asOf }, reading([], [], { changesSince }));
  assert.deepEqual([0, 49, 51, 70].map((second) => meeting(message(second).id)), [true, true, false, false]);
  assert.equal(meets({ messages: range(0, 9), readTo: "", asOf: "" }, reading([])), false);
});

test("changes that a transcript does not tell of are asked for since the table was read", () => {
  const asked = changesGap(message(60).sentAt, message(70).id);
  assert.deepEqual(asked, { after: `~${message(50).sentAt}`, before: "~~" });
  assert.equal(changesGap(message(60).sentAt, message(40).id), null);
  assert.equal(changesGap("", message(40).id), null);
});

test("a transcript that starts after the newest line leaves a gap, read with an overlap", () => {
  const found = { after: "2026-01-01T12:00:20.000Z", before: message(50).id };
  assert.deepEqual(gap(message(30).id, message(50).id), found);
});

test("a gap after an id that tells no time starts at the id", () => {
  const last = message(30, { id: "!" });
  assert.deepEqual(gap(last.id, message(50).id), { after: last.id, before: message(50).id });
});

test("with nothing known, what the transcript is too young for is looked for", () => {
  const found = { after: "2026-01-01T12:00:20.000Z", before: message(50).id };
  for (const since of [message(30).sentAt, message(30).id]) {
    assert.deepEqual(gap("", message(50).id, since), found);
    assert.equal(gap("", message(20).id, since), null);
  }
});

test("a message that was edited since it was read is stale, a deleted one never", () => {
  const [old, fresh, gone] = [message(1), message(2, { version: "~2" }), message(3, { deleted: true })];
  const edits = [old, fresh, gone, message(4)].map(({ id }) => ({ id: "~2", target: id, kind: "edit" }));
  assert.deepEqual(stale({ messages: [old, fresh, gone], changes: edits }), [old]);
});

/** @param {number} size @returns {number} microseconds of CPU time for twenty transcripts */
function mergeCost(size) {
  let list = merged([], range(0, size));
  const news = Array.from({ length: 20 }, (_, turn) => range(size - 100, size + turn + 1));
  const before = process.cpuUsage();
  for (const one of news) list = merged(list, one);
  const { user, system } = process.cpuUsage(before);
  assert.equal(list.length, size + 20);
  return user + system;
}

test("what a transcript costs grows no faster than the list that takes it in", () => {
  mergeCost(500);
  const ratio = mergeCost(5000) / mergeCost(500);
  assert.ok(ratio < 40, `ten times the messages, ${ratio} times the work`);
});

test("newer messages are those after an id, whether it is still there or not", () => {
  const [old, middle, fresh] = [message(1), message(2), message(3)];
  assert.deepEqual(newerThan([old, middle, fresh], middle.id), [fresh]);
  assert.deepEqual(newerThan([old, fresh], middle.id), [fresh]);
  assert.deepEqual(newerThan([old, middle], middle.id), []);
  assert.deepEqual(newerThan([], ""), []);
});
