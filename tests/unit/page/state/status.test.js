import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { status, unreadOf } from "../../../../s3-website/public/js/state/status.js";
import { ADA, connected, KEPT, message, range, received, sent } from "../builders.js";

const text = (state) => status(state).text;
const tone = (state) => status(state).tone;

test("the status follows a sign-in from loading to connected", () => {
  const start = chat.initial("default");
  const ready = chat.signInReady(start);
  const during = chat.signingIn(ready);
  assert.equal(text(start), "Loading…");
  assert.equal(text(ready), "Sign in to chat");
  assert.equal(text(during), "Signing in…");
  assert.equal(text(chat.signedIn(during, ADA)), "Connected as Ada Lovelace");
});

test("offline says how many messages wait", () => {
  const off = chat.pollFailed(connected(), "Offline.", false);
  assert.equal(text(off), "Offline.");
  const two = sent(sent(off, "a", "id-1"), "b", "id-2");
  assert.equal(text(two), "Offline. 2 messages wait.");
  assert.equal(chat.cameOnline(two).online, true);
  assert.equal(chat.polled(two, "default", 0).online, true);
});

test("a session that ends soon is told, and a notice before it", () => {
  const soon = chat.signInEndsSoon(connected());
  assert.equal(text(soon), "Your sign-in ends soon. Sign in again to stay.");
  assert.equal(text(chat.withNotice(soon, "Look.")), "Look.");
  assert.equal(tone(soon), "bad");
});

test("the number in the title is of all channels", () => {
  let state = received(connected(), "default", range(0, 3), false);
  state = received(received(state, "ops", [], false), "ops", [message(9, { text: "@ada" })], false);
  state = received(state, "default", range(0, 5), false);
  assert.deepEqual(unreadOf(state), { unread: 3, more: false, mentioned: true });
  assert.deepEqual(unreadOf(chat.endSeen(state)), { unread: 1, more: false, mentioned: true });
});

test("the number in the title says when a channel may have more", () => {
  const state = connected({ ...KEPT, lastRead: { ops: message(1).id } });
  assert.equal(unreadOf(received(state, "ops", range(50, 70), false)).more, true);
  assert.equal(unreadOf(received(state, "ops", range(0, 20), false)).more, false);
});
