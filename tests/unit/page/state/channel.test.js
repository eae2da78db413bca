import assert from "node:assert/strict";
import { test } from "node:test";
import * as channels from "../../../../s3-website/public/js/state/channel.js";
import { ADA, message, own, range, reading, transcript } from "../builders.js";

const AWAY = { person: ADA, open: true, seen: false };
const HERE = { person: ADA, open: true, seen: true };
const ELSEWHERE = { person: ADA, open: false, seen: false };
const { EMPTY } = channels;
const received = (channel, messages, reader) =>
  channels.received(channel, reading(messages), { visited: true, ...reader });
const loaded = (messages, changes = {}) => ({ ...received(EMPTY, messages, HERE), ...changes });

test("a channel that was never open in this browser has nothing unread at first sight", () => {
  const first = received(EMPTY, range(0, 20), ELSEWHERE);
  assert.equal(first.unread, 0);
  assert.equal(first.lastRead, message(19).id);
  assert.equal(received(first, range(5, 22), ELSEWHERE).unread, 2);
});

test("a channel that was empty at first sight counts what comes", () => {
  const empty = received(EMPTY, [], ELSEWHERE);
  assert.equal(empty.loaded, true);
  assert.equal(received(empty, range(0, 3), ELSEWHERE).unread, 3);
});

test("what is newer than the last visit is unread, and the divider stands before it", () => {
  const known = { ...EMPTY, lastRead: message(5).id };
  const opened = received(known, range(0, 10), HERE);
  assert.equal(opened.unread, 4);
  assert.equal(opened.divider, message(5).id);
  const seen = channels.read(opened);
  assert.deepEqual([seen.unread, seen.lastRead], [0, message(9).id]);
  assert.equal(seen.divider, message(5).id);
});

test("one's own messages and deleted ones are not unread, an operator's are", () => {
  const fresh = [own(1), message(2, { deleted: true, text: "" }), message(3, { kind: "operator", user: "" })];
  assert.equal(received(loaded([message(0)]), [message(0), ...fresh], AWAY).unread, 1);
});

test("what comes while the reader looks is read, and no divider is needed", () => {
  const after = received(loaded(range(0, 3)), range(0, 5), HERE);
  assert.deepEqual([after.unread, after.divider, after.lastRead], [0, "", message(4).id]);
});

test("the divider stands before the first that came while the reader was away, and stays", () => {
  const one = received(loaded(range(0, 3)), range(0, 4), AWAY);
  const two = received(one, range(0, 6), AWAY);
  assert.deepEqual([two.unread, two.divider], [3, message(2).id]);
  const back = received(channels.read(two), range(0, 7), HERE);
  assert.deepEqual([back.unread, back.divider], [0, message(2).id]);
  assert.equal(received(back, range(0, 8), AWAY).divider, message(6).id);
});

test("leaving a channel takes its divider; opening it again sets one before what is unread", () => {
  const left = channels.closed({ ...loaded(range(0, 3)), divider: message(1).id });
  assert.equal(left.divider, "");
  assert.equal(channels.opened(received(left, range(0, 4), ELSEWHERE), true).divider, message(2).id);
  assert.equal(channels.opened(left).divider, "");
});

test("an unread mention marks the channel until it is read", () => {
  const fresh = [message(0), message(1, { text: "@Ada look" })];
  const channel = received(loaded([message(0)]), fresh, ELSEWHERE);
  assert.equal(channel.mentioned, true);
  assert.equal(channels.read(channel).mentioned, false);
});

test("what brings nothing new leaves the channel the same", () => {
  const channel = loaded(range(0, 20));
  assert.equal(received(channel, structuredClone(range(10, 20)), HERE), channel);
  assert.equal(channels.read(channel), channel);
  assert.equal(channels.readUpTo(channel, message(3).id, ADA), channel);
});

test("what another tab has read is read here", () => {
  const channel = received(loaded(range(0, 2)), range(0, 6), AWAY);
  assert.equal(channels.readUpTo(channel, message(4).id, ADA).unread, 1);
  assert.equal(channels.readUpTo(channel, message(9).id, ADA).unread, 0);
});

test("a transcript that does not meet what is known takes its place, and earlier ones can be read", () => {
  const before = { ...loaded(range(0, 20)), earlier: "none" };
  const channel = channels.received(before, transcript(range(100, 120)), { ...ELSEWHERE, visited: true });
  assert.equal(channel.messages[0].id, message(100).id);
  assert.equal(channel.messages.length, 20);
  assert.equal(channel.earlier, "more");
  assert.equal(channel.unread, 20);
});

test("a transcript in the wrong order is shown in the right one", () => {
  const shuffled = [message(2), message(0), message(1)];
  assert.deepEqual(loaded(shuffled).messages, range(0, 3));
  assert.equal(received(loaded(range(0, 2)), shuffled, HERE).messages.length, 3);
});

test("what was read before the oldest message goes before it, unless all has begun anew", () => {
  const channel = { ...loaded(range(50, 60)), earlier: "loading" };
  const back = channels.reachedBack(channel, message(50).id, range(30, 50), true, ADA);
  assert.deepEqual([back.messages.length, back.earlier], [30, "more"]);
  assert.equal(channels.reachedBack(back, message(30).id, [], false, ADA).earlier, "none");
  assert.equal(channels.reachedBack(channel, message(40).id, range(0, 40), true, ADA), channel);
});

test("what is unread before the loaded messages is told by a plus, and counted once it is loaded", () => {
  const known = { ...EMPTY, lastRead: message(10).id };
  const probed = received(known, range(180, 200), ELSEWHERE);
  const count = (channel) => channels.countText(channel.unread, channels.hasMoreUnread(channel));
  assert.equal(count(probed), "20+");
  const before = range(100, 180).with(3, message(103, { text: "@Ada look" }));
  const one = channels.reachedBack(probed, message(180).id, before, true, ADA);
  assert.deepEqual([one.unread, one.mentioned, count(one)], [100, true, "99+"]);
  const all = channels.reachedBack(one, message(100).id, range(0, 100), true, ADA);
  assert.deepEqual([all.unread, all.mentioned], [189, true]);
  assert.equal(channels.hasMoreUnread(all), false);
  assert.equal(count(received(known, range(5, 25), ELSEWHERE)), "14");
  assert.equal(count(channels.read(all)), "");
});

test("a channel with more unread than is loaded opens at their beginning, once that is read", () => {
  const probed = received({ ...EMPTY, lastRead: message(10).id }, range(180, 200), ELSEWHERE);
  const open = channels.opened(probed, true);
  assert.deepEqual([open.loaded, open.divider, open.messages], [false, message(10).id, probed.messages]);
  const filled = received(open, range(0, 200), { ...AWAY, seen: true });
  assert.deepEqual([filled.loaded, filled.divider, filled.unread], [true, message(10).id, 189]);
  assert.equal(channels.opened(received(EMPTY, [], ELSEWHERE), true).loaded, true);
});

test("of a channel that is not open no more is kept than a gap's Query reads", () => {
  let channel = received({ ...EMPTY, lastRead: message(0).id }, range(0, 20), ELSEWHERE);
  for (let last = 30; last <= 20_000; last += 10) {
    channel = received(channel, range(last - 20, last), ELSEWHERE);
  }
  assert.deepEqual([channel.messages.length, channel.earlier], [500, "more"]);
  assert.deepEqual([channel.unread, channels.hasMoreUnread(channel)], [500, true]);
});

test("a hidden tab keeps the newest 5,000, however long it is hidden", () => {
  let channel = loaded(range(0, 20));
  for (let last = 520; last <= 40_020; last += 500) {
    channel = received(channel, range(last - 520, last), AWAY);
  }
  assert.deepEqual([channel.messages.length, channel.unread], [5000, 5000]);
  assert.equal(channel.divider, message(19).id);
  assert.equal(channels.read(channel).unread, 0);
});

test("what came while a reader scrolled back further takes the place of the oldest", () => {
  const far = { ...loaded(range(0, 20)), messages: range(0, 6000) };
  const after = received(far, range(5990, 6010), AWAY);
  assert.deepEqual([after.messages.length, after.messages[0].id], [6000, message(10).id]);
});

test("a list longer than is kept loses its oldest once its reader is at the end", () => {
  const far = { ...loaded(range(0, 20)), messages: range(0, 5010) };
  const back = channels.read(far);
  assert.deepEqual([back.messages.length, back.earlier], [5000, "more"]);
  assert.equal(back.messages[0].id, message(10).id);
  assert.equal(channels.closed(back).messages.length, 500);
});

test("news is what came since the last look, from others, never at the first look", () => {
  const before = loaded(range(0, 3));
  const after = received(before, [...range(0, 4), own(4)], AWAY);
  assert.deepEqual(channels.news(before, after, ADA), [message(3)]);
  assert.deepEqual(channels.news(EMPTY, before, ADA), []);
  const back = channels.reachedBack(before, message(0).id, range(-5, 0), true, ADA);
  assert.deepEqual(channels.news(before, back, ADA), []);
});
