import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { END } from "../../../../s3-website/public/js/state/messages.js";
import { status } from "../../../../s3-website/public/js/state/status.js";
import { ADA, chance, connected, message, outgoing, own, push, range, reading, START_MS, transcript } from "../builders.js";

const at = (second) => message(second).id;
const ids = (state, name = "default") => chat.channelOf(state, name).messages.map(({ id }) => id);
/** Ada has read the messages `from` to `to` of "default", whose transcript holds no others. */
const known = (from, to) => chat.received(connected(), "default", transcript(range(from, to)), true);
const told = (state, what, seen = true) => chat.pushed(state, what, seen);

test("what follows a known message is shown, whatever came twice or late", () => {
  const first = told(known(0, 3), push(range(3, 5), { after: at(2) }));
  assert.ok(first.complete);
  assert.deepEqual(ids(first.state), range(0, 5).map(({ id }) => id));
  const again = told(first.state, push(range(3, 5), { after: at(2) }));
  assert.deepEqual(again, first);
  const late = told(first.state, push([message(1.5), ...range(2, 5)], { after: at(1) }));
  assert.ok(late.complete);
  assert.deepEqual(ids(late.state), [at(0), at(1), message(1.5).id, at(2), at(3), at(4)]);
});

test("what follows a message that is not known changes nothing and asks for the transcript", () => {
  const before = known(0, 3);
  const lost = told(before, push(range(5, 7), { after: at(4) }));
  assert.deepEqual(lost, { state: before, complete: false });
  assert.equal(told(before, push([], { notice: true })).complete, false);
  assert.equal(told(connected(), push(range(0, 2))).complete, false, "nothing has been read yet");
});

test("the first message of an empty channel is shown", () => {
  const empty = chat.received(connected(), "default", reading([]), true);
  const { state, complete } = told(empty, push([message(1)]));
  assert.deepEqual([ids(state), complete], [[at(1)], true]);
  assert.equal(told(known(0, 3), push([message(7)])).complete, false, "it is not empty");
});

test("an edit replaces a known message, and only that", () => {
  const edited = message(1, { text: "better", edited: true, version: `${END}${message(9).sentAt}#x` });
  const { state, complete } = told(known(0, 3), push([], { edited: [edited, message(-50)] }));
  assert.ok(complete);
  assert.deepEqual(chat.channelOf(state).messages.map(({ text }) => text), ["text 0", "better", "text 2"]);
});

test("a delete of an older message is applied, an edit of one asks for a reading", () => {
  const change = (kind) => ({ id: `${END}${message(9).sentAt}#x`, target: at(1), kind });
  const gone = told(known(0, 3), push([], { changes: [change("delete")] }));
  assert.deepEqual([chat.channelOf(gone.state).messages[1].text, gone.complete], ["", true]);
  assert.equal(told(known(0, 3), push([], { changes: [change("edit")] })).complete, false);
});

test("a transcript looks for what may be missing among the pushed messages", () => {
  const { state } = told(known(0, 30), push(range(30, 60), { after: at(29) }));
  assert.equal(chat.channelOf(state).readTo, at(29));
  // a reading from before the last pushes moves the mark as far as it reaches
  const older = chat.received(state, "default", reading(range(20, 40), [], { from: at(20) }), true);
  assert.equal(chat.channelOf(older).readTo, at(39));
  assert.deepEqual(ids(older), range(0, 60).map(({ id }) => id));
  const stale = chat.received(older, "default", reading(range(20, 35), [], { from: at(20) }), true);
  assert.equal(chat.channelOf(stale).readTo, at(39));
  const newest = chat.received(older, "default", reading(range(30, 60), [], { from: at(30) }), true);
  assert.equal(chat.channelOf(newest).readTo, "");
});

test("a message of one's own that is pushed has been sent", () => {
  const sending = chat.withOutbox(known(0, 3), [outgoing("c3", { state: "sent" })]);
  const { state } = told(sending, push([own(3)], { after: at(2) }));
  assert.deepEqual(state.outbox, []);
});

test("a channel that somebody has just made is listed, and read to be known", () => {
  const { state, complete } = told(known(0, 3), push([message(4)], { channel: "tea" }));
  assert.ok(state.names.includes("tea"));
  assert.equal(complete, false);
});

test("what is pushed of another channel is unread there, with its mentions", () => {
  const before = chat.received(known(0, 3), "tea", transcript(range(0, 3)), false);
  const what = push([message(3, { text: "@Ada come" })], { channel: "tea", after: at(2) });
  const { unread, mentioned } = chat.channelOf(told(before, what).state, "tea");
  assert.deepEqual([unread, mentioned], [1, true]);
});

test("what was written in a channel since one came is news at its first reading", () => {
  const ada = chat.signedIn(chat.initial("default"), ADA, undefined, START_MS + 10_000);
  const first = (messages) => chat.channelOf(chat.received(ada, "tea", reading(messages), false), "tea");
  const made = first([...range(0, 10), message(11, { text: "@Ada come" })]);
  assert.deepEqual([made.unread, made.mentioned, made.lastRead], [1, true, at(9)]);
  assert.equal(first([message(12)]).unread, 1);
  assert.equal(first(range(0, 10)).unread, 0);
  const opened = chat.received(ada, "default", reading(range(0, 20)), false);
  assert.equal(chat.channelOf(opened).unread, 0, "the open channel is read as ever");
});

test("the status says how messages arrive, in a chat that has both ways", () => {
  assert.equal(status(connected()).text, "Connected as Ada Lovelace");
  assert.equal(status(chat.withPush(connected(), true)).text, "Connected as Ada Lovelace. Live");
  assert.equal(status(chat.withPush(connected(), false)).text, "Connected as Ada Lovelace. Checking each second");
  assert.equal(chat.signedOut(chat.withPush(connected(), false)).push, "off");
});

/** A poll at that second finds the messages up to `last`. */
const polledAt = (second, state, last) =>
  chat.polled(
    chat.received(state, "default", transcript(range(0, last + 1)), true),
    "default",
    START_MS + second * 1000,
  );
const live = () => polledAt(30, chat.withPush(connected(), true), 2);

test("a message that a poll finds some time after it was written shows that pushes fail", () => {
  const soon = polledAt(4, live(), 3);
  assert.equal(soon.push, "live", "its push may be on its way");
  assert.equal(polledAt(34, soon, 3).push, "off");
  assert.equal(polledAt(60, live(), 40).push, "off");
  assert.equal(polledAt(41, live(), 40).push, "off", "in a lively channel");
  assert.equal(polledAt(60, live(), 2).push, "live", "there is none");
  const other = chat.received(live(), "tea", transcript(range(0, 40)), false);
  assert.equal(chat.polled(other, "tea", START_MS + 60_000).push, "live", "another channel was read");
});

test("pushes count as arriving again from the next one on, until one is lost", () => {
  const off = polledAt(60, live(), 40);
  assert.equal(told(off, push([], { notice: true })).state.push, "live");
  const { state } = told(off, push([message(41)], { after: at(40) }));
  assert.equal(state.push, "live");
  assert.equal(polledAt(90, state, 41).push, "live");
  assert.equal(polledAt(90, state, 42).push, "off");
});

test("what was written before the page listened to the channel does not count as lost", () => {
  assert.equal(polledAt(60, chat.withPush(known(0, 1), true), 40).push, "live");
  assert.equal(polledAt(60, chat.withPush(live(), true), 40).push, "live", "a new connection");
  const back = chat.opened(chat.opened(live(), "tea"), "default");
  assert.equal(polledAt(60, back, 40).push, "live", "another channel was open");
});

test("what a push made the page read does not count as lost", () => {
  const next = told(live(), push([message(40)], { after: at(39) }));
  assert.equal(next.complete, false);
  assert.equal(polledAt(60, next.state, 40).push, "live");
});

test("a page without push does not look for pushes", () => {
  assert.equal(polledAt(60, polledAt(30, connected(), 2), 40).push, "none");
});

test("any pushes, in any order, show no message before one that is missing", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = chance(seed);
    let state = known(0, 1);
    const batches = Array.from({ length: 12 }, (_, at) => range(1 + at * 2, 3 + at * 2));
    for (let count = 0; count < 30; count += 1) {
      const batch = batches[Math.floor(random() * batches.length)];
      const after = at(Math.round((Date.parse(batch[0].sentAt) - START_MS) / 1000) - 1);
      state = told(state, push(batch, { after })).state;
      const shown = ids(state);
      assert.deepEqual(shown, range(0, shown.length).map(({ id }) => id));
    }
  }
});
