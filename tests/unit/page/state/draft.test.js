import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import * as writing from "../../../../s3-website/public/js/state/draft.js";
import { connected, message, range, received, sent } from "../builders.js";

test("what cannot be a message stays in the box", () => {
  for (const wrong of ["", " \n", "\u200b"]) {
    const state = writing.drafted(connected(), wrong);
    assert.equal(writing.canSend(state), false);
    assert.equal(writing.sent(state, "id-1", 0), state);
  }
  assert.equal(writing.canSend(writing.drafted(chat.initial("default"), "hello")), false);
});

test("a text that is more than fits in the box is cut, and the person is told until it is a message", () => {
  const cut = writing.drafted(connected(), "x".repeat(writing.BOX_LIMIT));
  assert.match(cut.notice, /^Only the first 20000 characters fit/);
  assert.equal(writing.drafted(cut, "x".repeat(3_000)).notice, cut.notice);
  assert.equal(writing.drafted(cut, "x").notice, "");
});

test("one's own message takes the divider away", () => {
  const away = received(received(connected(), "default", range(0, 3), true), "default", range(0, 5), false);
  assert.equal(chat.channelOf(away).divider, message(2).id);
  assert.equal(chat.channelOf(sent(away, "hello")).divider, "");
});

test("that the limit is near, or passed, is told once each", () => {
  const steps = [1800, 1801, 1900, 2000, 2001, 2500].map(
    (length) => writing.counter(writing.drafted(connected(), "x".repeat(length))).step,
  );
  const [near, over] = ["Near", "Over"].map((where) => `${where} the limit of 2000 characters.`);
  assert.deepEqual(steps, ["", near, near, near, over, over]);
});
