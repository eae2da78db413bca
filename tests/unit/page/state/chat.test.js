import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { status, unreadOf } from "../../../../s3-website/public/js/state/status.js";
import * as writing from "../../../../s3-website/public/js/state/draft.js";
import {
  ADA,
  connected,
  GRACE,
  KEPT,
  message,
  outgoing,
  own,
  range,
  reachedBack,
  received,
  sent,
  START_MS,
} from "../builders.js";

const text = (state) => status(state).text;
const queue = (state, ...items) => chat.withOutbox(state, items);
const draft = (state, name) => chat.channelOf(state, name).draft;

test("a refused sign-in says why and lets one try again", () => {
  const refused = chat.signInFailed(chat.signingIn(chat.initial("default")), "Not accepted.");
  assert.equal(refused.phase, "signed_out");
  assert.equal(text(refused), "Not accepted.");
});

test("a renewal behind a working session is not shown, and changes nothing that is kept", () => {
  const state = received(sent(connected(), "hello"), "default", range(0, 3), true);
  assert.equal(chat.signingIn(state), state);
  assert.deepEqual(chat.signedIn(state, { ...ADA }), state);
});

test("a sign-in that ends keeps messages, text and outbox; the same person goes on", () => {
  const before = received(queue(connected(), outgoing("a", { state: "sending" })), "default", [message(1)], true);
  const ended = chat.signInEnded(writing.drafted(before, "half a sen"));
  assert.equal(text(ended), "Your sign-in has ended. Sign in again. 1 message waits.");
  assert.equal(ended.outbox[0].state, "queued");
  assert.equal(draft(ended), "half a sen");
  const again = chat.signedIn(chat.signingIn(ended), ADA);
  assert.equal(again.outbox[0].clientId, "a");
  assert.equal(chat.channelOf(again).messages.length, 1);
});

test("what is sent while the sign-in has ended waits", () => {
  assert.equal(sent(chat.signInEnded(connected()), "hello").outbox[0].state, "queued");
});

test("another person who signs in gets nothing of the first one", () => {
  const seen = received(connected(), "default", range(0, 5), false);
  const ada = writing.drafted(sent(seen, "mine"), "private thought");
  const grace = chat.signedIn(chat.signInEnded(ada), GRACE, { ...KEPT, drafts: { default: "hers" } });
  assert.equal(draft(grace), "hers");
  assert.deepEqual(grace.outbox, []);
  assert.deepEqual(chat.channelOf(grace).messages, []);
  assert.ok(!JSON.stringify(grace).includes("private"));
  assert.equal(text(grace), "Connected as Grace Hopper");
});

test("signing out leaves nothing of the person", () => {
  const state = received(sent(connected(), "draft"), "default", [message(1)], true);
  const out = chat.signedOut(chat.opened(state, "ops"));
  assert.deepEqual(out, { ...chat.initial("ops"), phase: "signed_out" });
});

test("a reload brings back drafts, outbox, places; the lastRead of a visit makes what came unread", () => {
  const state = connected({
    outbox: [outgoing("a", { state: "sending", channel: "ops" })],
    drafts: { art: "half" },
    lastRead: { default: message(2).id },
    visited: ["zoo"],
  });
  assert.deepEqual(state.names, ["default", "zoo", "art", "ops"]);
  assert.equal(draft(state, "art"), "half");
  assert.equal(state.outbox[0].state, "queued");
  assert.equal(chat.channelOf(received(state, "default", range(0, 5), false)).unread, 2);
});

test("what another tab left is not sent again when it is in the channel already", () => {
  const state = received(connected(), "default", [own(7)], true);
  const left = { outbox: [outgoing("c7"), outgoing("c8")], drafts: {} };
  assert.deepEqual(chat.adopted(state, left).outbox.map(({ clientId }) => clientId), ["c8"]);
});

test("a draft that another tab left does not take the place of one's own", () => {
  const state = writing.drafted(connected(), "mine");
  const next = chat.adopted(state, { outbox: [], drafts: { default: "theirs", ops: "more" } });
  assert.deepEqual([draft(next), draft(next, "ops")], ["mine", "more"]);
});

test("sending moves the text from the box to the outbox, at once", () => {
  const state = sent(connected(), "  hello ");
  assert.equal(draft(state), "");
  assert.deepEqual(state.outbox, [outgoing("id-1", { text: "hello" })]);
  assert.equal(text(state), "Connected as Ada Lovelace");
});

test("what is too long stays in the box, and sending it tells why until it is shorter", () => {
  const long = writing.drafted(connected(), "😀".repeat(2001));
  const refused = writing.sent(long, "id-1", 0);
  assert.equal(writing.canSend(long), false);
  assert.match(text(refused), /^Too long: at most 2000 characters/);
  assert.deepEqual([refused.outbox, draft(refused)], [[], draft(long)]);
  assert.equal(writing.drafted(refused, "x".repeat(2001)).notice, refused.notice);
  assert.equal(writing.drafted(refused, "x".repeat(2000)).notice, "");
  assert.equal(writing.drafted(chat.withNotice(long, "Look."), "x").notice, "Look.");
});

test("the hundred-and-first message stays in the box, and the person is told", () => {
  let state = connected();
  for (let number = 0; number < 100; number++) state = sent(state, "x", `id-${number}`);
  state = sent(state, "one more", "id-100");
  assert.equal(state.outbox.length, 100);
  assert.equal(draft(state), "one more");
  assert.match(text(state), /100 messages are waiting. Your text is kept/);
});

test("the counter shows near the limit only", () => {
  const counted = (draft) => writing.counter(writing.drafted(connected(), draft));
  assert.deepEqual(counted("short"), { count: "", step: "" });
  assert.equal(counted("x".repeat(1900)).count, "1900 / 2000");
  assert.equal(counted("😀".repeat(2001)).count, "2001 / 2000");
});

test("each channel has its draft, its messages, its place in the list", () => {
  const first = writing.drafted(received(connected(), "default", range(0, 3), true), "to all");
  const ops = writing.drafted(chat.opened(first, "ops"), "to ops");
  assert.deepEqual(ops.names, ["default", "ops"]);
  assert.equal(chat.channelOf(ops).messages.length, 0);
  const back = chat.opened(ops, "default");
  assert.deepEqual([draft(back), draft(back, "ops")], ["to all", "to ops"]);
  assert.equal(chat.channelOf(back).messages.length, 3);
  assert.equal(chat.opened(back, "default"), back);
});

test("opening a channel closes the panel that it was chosen from", () => {
  const open = (panel) => chat.opened(chat.withPanel(connected(), panel), "ops").panel;
  assert.deepEqual([open("channels"), open("activity")], ["none", "activity"]);
});

test("a channel called like a part of every object is a channel like any other", () => {
  const state = chat.opened(connected(), "constructor");
  assert.deepEqual(chat.channelOf(chat.initial("default"), "constructor").messages, []);
  const read = received(state, "constructor", range(0, 2), true);
  assert.equal(chat.channelOf(read).messages.length, 2);
  assert.equal(chat.channelOf(chat.readElsewhere(connected(), { constructor: "2026" }), "constructor").lastRead, "2026");
});

test("a poll that brings nothing changes nothing", () => {
  const state = received(connected(), "default", range(0, 20), true);
  assert.equal(chat.polled(state, "default", START_MS), state);
  assert.equal(received(state, "default", structuredClone(range(0, 20)), true), state);
  assert.equal(chat.endSeen(state), state);
  assert.equal(chat.withNames(state, ["default"]), state);
  assert.equal(chat.withSettings(state, { theme: "auto" }), state);
  assert.equal(chat.pollFailed(chat.pollFailed(state, "X.", true), "X.", true).trouble, "X. Reconnecting…");
});

test("trouble with the link passes with the next good poll", () => {
  const state = chat.pollFailed(sent(connected(), "hello"), "The chat is busy at the moment.", true);
  assert.equal(text(state), "The chat is busy at the moment. Reconnecting… 1 message waits.");
  assert.equal(text(chat.polled(state, "default", 0)), "Connected as Ada Lovelace");
});

test("routine sending does not show in the status, a slow one does", () => {
  const sending = queue(connected(), outgoing("a", { state: "sending" }));
  assert.equal(text(sending), "Connected as Ada Lovelace");
  assert.equal(text(queue(connected(), outgoing("a", { state: "sending", why: "Slow." }))), "Sending…");
});

test("a failure is told where the message cannot be seen", () => {
  const failed = queue(connected(), outgoing("a", { state: "failed", why: "No.", channel: "ops" }));
  assert.equal(text(failed), "A message was not sent: see #ops.");
  assert.equal(text(chat.opened(failed, "ops")), "Connected as Ada Lovelace");
});

test("a message that never appears failed, one that does is confirmed", () => {
  const state = queue(connected(), outgoing("c7", { state: "sent" }));
  const late = chat.polled(state, "default", START_MS + 16_000);
  assert.equal(late.outbox[0].state, "failed");
  assert.deepEqual(received(late, "default", [own(7)], true).outbox, []);
  assert.deepEqual(reachedBack(late, "default", "", [own(7)], true).outbox, []);
});

test("what is not all read yet cannot have been looked at", () => {
  const probed = received(connected({ ...KEPT, lastRead: { ops: message(1).id } }), "ops", range(50, 70), false);
  const open = chat.opened(probed, "ops");
  assert.equal(chat.endSeen(open), open);
  assert.equal(unreadOf(chat.endSeen(received(open, "ops", range(0, 70), true))).unread, 0);
});

test("earlier messages that could not be read can be asked for again", () => {
  const state = chat.reachingBack(received(connected(), "default", range(5, 8), true), "default");
  assert.equal(chat.channelOf(state).earlier, "loading");
  const failed = chat.reachBackFailed(state, "default");
  assert.equal(chat.channelOf(failed).earlier, "failed");
  assert.equal(chat.reachBackFailed(failed, "default"), failed);
  assert.equal(chat.reachBackFailed(chat.signedOut(state), "default").channels.default, undefined);
});
