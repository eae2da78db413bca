import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../s3-website/public/js/chat.js";
import { gap, merged, readMessage } from "../../../s3-website/public/js/messages.js";

const ADA = { name: "Ada", user: "a".repeat(16) };
const GRACE = { name: "Grace", user: "b".repeat(16) };

/** @param {number} second @param {object} [changes] */
function message(second, changes = {}) {
  const sentAt = new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
  const clientId = `c${second}`;
  const id = `${sentAt}#${clientId}`;
  return {
    id,
    name: "Ada",
    text: `text ${second}`,
    user: ADA.user,
    sentAt,
    clientId,
    kind: "user",
    ...changes,
  };
}

const connected = (draft = "") =>
  chat.drafted(chat.signedIn(chat.signInReady(chat.initial("default")), ADA), draft);
const text = (state) => chat.status(state).text;

test("the status follows a sign-in from loading to connected", () => {
  const start = chat.initial("default");
  const ready = chat.signInReady(start);
  const during = chat.signingIn(ready);
  assert.equal(text(start), "Loading…");
  assert.equal(text(ready), "Sign in to chat");
  assert.equal(text(during), "Signing in…");
  assert.equal(text(chat.signedIn(during, ADA)), "Connected as Ada");
});

test("a refused sign-in says why and lets one try again", () => {
  const refused = chat.signInFailed(chat.signingIn(chat.initial("default")), "Not accepted.");
  assert.equal(refused.phase, "signed_out");
  assert.equal(text(refused), "Not accepted.");
});

test("a renewal behind a working session is not shown", () => {
  const state = connected();
  assert.equal(chat.signingIn(state), state);
});

test("a sign-in that ends keeps the messages and the text", () => {
  const state = chat.received(connected("half a sen"), "default", [message(1)]);
  const ended = chat.signInEnded(state);
  assert.equal(chat.channelOf(ended).draft, "half a sen");
  assert.equal(chat.channelOf(ended).messages.length, 1);
  assert.match(text(ended), /sign-in has ended/i);
  assert.equal(chat.canSend(ended), false);
  assert.equal(chat.canSend(chat.signedIn(ended, ADA)), true);
});

test("another person who signs in does not get the first one's text", () => {
  const ended = chat.signInEnded(connected("private thought"));
  const next = chat.signedIn(ended, GRACE);
  assert.equal(chat.channelOf(next).draft, "");
  assert.equal(text(next), "Connected as Grace");
});

test("a message that was being sent when the sign-in ended keeps its client id", () => {
  const sending = chat.sendStarted(connected("hello"), "id-1");
  const again = chat.signedIn(chat.signInEnded(sending), ADA);
  assert.equal(again.sending, null);
  assert.equal(chat.sendStarted(again, "id-2").sending.clientId, "id-1");
});

test("signing out leaves nothing of the person", () => {
  const state = chat.received(connected("draft"), "default", [message(1)]);
  assert.deepEqual(chat.signedOut(state), { ...chat.initial("default"), phase: "signed_out" });
});

test("a text is sent as typed, without the space around it", () => {
  const { sending } = chat.sendStarted(connected("  two\nlines \n"), "id-1");
  assert.equal(sending.text, "two\nlines");
});

test("half an emoji does not leave the page", () => {
  assert.equal(chat.sendStarted(connected("a\ud83d"), "id-1").sending.text, "a\ufffd");
});

for (const [name, draft] of Object.entries({
  "an empty text": "",
  "white space": " \n\t ",
  "invisible characters": "\u200b\u2060\ufeff",
  "a text over the limit": "x".repeat(2001),
})) {
  test(`${name} cannot be sent`, () => {
    assert.equal(chat.canSend(connected(draft)), false);
    assert.equal(chat.sendStarted(connected(draft), "id-1").sending, null);
  });
}

test("the limit counts characters as the server does, not UTF-16 units", () => {
  assert.equal(chat.canSend(connected("😀".repeat(2000))), true);
  assert.equal(chat.canSend(connected("😀".repeat(2001))), false);
});

test("the counter shows near the limit only", () => {
  assert.equal(chat.counter(connected("short")), "");
  assert.equal(chat.counter(connected("x".repeat(1900))), "1900 / 2000");
});

test("the text box keeps its text until AWS has the message", () => {
  const sending = chat.sendStarted(connected("hello"), "id-1");
  assert.equal(chat.channelOf(sending).draft, "hello");
  assert.equal(text(sending), "Sending…");
  const sent = chat.sendDone(sending, 0);
  assert.equal(chat.channelOf(sent).draft, "");
  assert.equal(text(sent), "Sent");
});

test("what is typed while a message is on its way stays", () => {
  const sending = chat.sendStarted(connected("hello"), "id-1");
  const typed = chat.drafted(sending, "hello and more");
  assert.equal(chat.channelOf(chat.sendDone(typed, 0)).draft, " and more");
});

test("nothing is sent twice by sending again at once", () => {
  const sending = chat.sendStarted(connected("hello"), "id-1");
  assert.equal(chat.sendStarted(sending, "id-2"), sending);
});

test("a failed message keeps its text, and its client id when it is sent again", () => {
  const failed = chat.sendFailed(chat.sendStarted(connected("hello"), "id-1"), "Offline.");
  assert.equal(chat.channelOf(failed).draft, "hello");
  assert.equal(text(failed), "Not sent, your text is kept. Offline.");
  const back = chat.polled(failed, 0);
  assert.equal(text(back), "Not sent, your text is kept. Send it again.");
  assert.equal(chat.polled(back, 0), back);
  assert.equal(chat.sendStarted(failed, "id-2").sending.clientId, "id-1");
  const other = chat.drafted(failed, "something else");
  assert.equal(chat.sendStarted(other, "id-2").sending.clientId, "id-2");
});

test("a sent message counts as sent until a transcript shows it", () => {
  const sent = chat.sendDone(chat.sendStarted(connected("hello"), "c7"), 0);
  assert.equal(text(chat.polled(sent, 1000)), "Sent");
  assert.equal(text(chat.received(sent, "default", [message(7)])), "Connected as Ada");
});

test("a message that came back before its publish was answered is not waited for", () => {
  const sending = chat.sendStarted(connected("hello"), "c7");
  const done = chat.sendDone(chat.received(sending, "default", [message(7)]), 0);
  assert.equal(text(done), "Connected as Ada");
});

test("a message that never appears is told", () => {
  const sent = chat.sendDone(chat.sendStarted(connected("hello"), "c7"), 1000);
  assert.match(text(chat.polled(sent, 16_000)), /has not appeared/);
});

test("trouble with the link passes with the next good poll", () => {
  const state = chat.pollFailed(connected(), "Offline: the chat cannot be reached.");
  assert.equal(text(state), "Offline: the chat cannot be reached. Reconnecting…");
  assert.equal(text(chat.polled(state, 0)), "Connected as Ada");
});

test("a poll that brings nothing changes nothing", () => {
  const state = connected();
  assert.equal(chat.polled(state, 1), state);
});

test("messages are in the order of their ids, each once, whatever the order they came in", () => {
  const [one, two, three] = [message(1), message(2), message(3)];
  assert.deepEqual(merged([two], [three, one, two]), [one, two, three]);
});

test("a message that its page sent twice is one line", () => {
  const first = message(1);
  const again = message(5, { clientId: first.clientId });
  const others = message(6, { clientId: first.clientId, user: GRACE.user });
  assert.deepEqual(merged([first], [again, others]), [first, others]);
});

test("messages without a client id are never taken for each other", () => {
  const lines = [message(1, { clientId: "" }), message(2, { clientId: "" })];
  assert.deepEqual(merged([], lines), lines);
});

test("the page keeps the newest 500 lines", () => {
  const many = Array.from({ length: 700 }, (_, index) => message(index));
  const kept = merged(many.slice(0, 400), many.slice(300));
  assert.equal(kept.length, 500);
  assert.deepEqual(kept.at(-1), many.at(-1));
});

test("a transcript that meets what is shown leaves no gap", () => {
  assert.equal(gap([], [message(9)]), null);
  assert.equal(gap([message(1)], []), null);
  assert.equal(gap([message(1), message(2)], [message(2), message(3)]), null);
});

test("a transcript that starts after the newest line leaves a gap, read with an overlap", () => {
  const found = gap([message(30)], [message(50), message(51)]);
  assert.deepEqual(found, { after: "2026-01-01T12:00:20.000Z", before: message(50).id });
});

test("only what is a message is read as one", () => {
  for (const raw of [
    null,
    1,
    "text",
    [],
    {},
    { id: "1" },
    { id: "", message: "x" },
    { id: 1, message: "x" },
  ]) {
    assert.equal(readMessage(raw), null);
  }
});

test("wrong and unknown fields of a message do no harm", () => {
  const raw = {
    id: "1",
    message: "<b>",
    name: { evil: 1 },
    user: 5,
    kind: "admin",
    __proto__: { x: 1 },
  };
  assert.deepEqual(readMessage(raw), {
    id: "1",
    name: "Someone",
    text: "<b>",
    user: "",
    sentAt: "",
    clientId: "",
    kind: "user",
  });
});

test("only one's own messages are one's own, an operator's never", () => {
  const state = connected();
  assert.equal(chat.isOwn(state, message(1)), true);
  assert.equal(chat.isOwn(state, message(1, { user: GRACE.user })), false);
  assert.equal(chat.isOwn(state, message(1, { user: "" })), false);
  assert.equal(chat.isOwn(state, message(1, { kind: "operator" })), false);
});
