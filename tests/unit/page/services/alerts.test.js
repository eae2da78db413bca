import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { createAlerts } from "../../../../s3-website/public/js/services/alerts.js";
import { connected, message, own, range, reachedBack, received } from "../builders.js";

/** The alerts between two states. */
function raised(before, after, { hidden = true, seen = false, onNews = () => {} } = {}) {
  const said = [];
  const notifier = {
    title: (...count) => said.push(["title", ...count]),
    mention: ({ text }, channel) => said.push(["mention", text, channel]),
    chime: () => said.push(["chime"]),
    dismiss: (channel) => said.push(["dismiss", channel]),
    dismissAll: () => said.push(["dismiss all"]),
  };
  createAlerts({ notifier, hidden: () => hidden, seen: () => seen, onNews })(before, after);
  return said;
}

const LOUD = { notifications: true, sound: true };

test("a mention that nobody sees is told, with a sound where that is wanted", () => {
  const before = received(chat.withSettings(connected(), LOUD), "default", range(0, 3), true);
  const after = received(before, "default", [...range(0, 3), message(3, { text: "@Ada look" })], false);
  assert.deepEqual(raised(before, after), [["title", "1", true], ["chime"], ["mention", "@Ada look", "default"]]);
  const quiet = (state) => chat.withSettings(state, { notifications: false, sound: false });
  assert.deepEqual(raised(quiet(before), quiet(after)), [["title", "1", true]]);
});

test("what is told of a mention is taken back when it is read, and at the sign-out", () => {
  const quiet = received(connected(), "default", range(0, 3), true);
  const named = received(quiet, "default", [...range(0, 3), message(3, { text: "@Ada look" })], false);
  assert.deepEqual(raised(named, chat.endSeen(named)), [["title", "", false], ["dismiss", "default"]]);
  const elsewhere = chat.readElsewhere(named, { default: message(3).id });
  assert.deepEqual(raised(named, elsewhere), [["title", "", false], ["dismiss", "default"]]);
  assert.deepEqual(raised(named, chat.signedOut(named)), [["dismiss all"], ["title", "", false]]);
  const grace = chat.signedIn(named, { name: "Grace", user: "b".repeat(16), picture: "" });
  assert.deepEqual(raised(named, grace)[0], ["dismiss all"]);
  assert.deepEqual(raised(named, chat.signInEnded(named)), []);
});

test("the first look at a channel, earlier messages and one's own tell nothing", () => {
  const start = chat.withSettings(connected(), LOUD);
  const first = received(start, "default", range(5, 8), false);
  assert.deepEqual(raised(start, first), [["title", "", false]]);
  const back = reachedBack(first, "default", message(5).id, [message(1, { text: "@Ada" })], true);
  assert.deepEqual(raised(first, back), [["title", "", false]]);
  assert.deepEqual(raised(first, received(first, "default", [own(9)], false)), [["title", "", false]]);
});

test("what the reader sees makes no sound; another channel's does when it names them", () => {
  const before = received(received(chat.withSettings(connected(), LOUD), "default", [], true), "ops", [], true);
  const seen = received(before, "default", [message(1)], true);
  assert.deepEqual(raised(before, seen, { hidden: false, seen: true }), [["title", "", false]]);
  const other = received(before, "ops", [message(1)], true);
  assert.deepEqual(raised(before, other, { hidden: false, seen: true }), [["title", "1", false]]);
  const named = received(before, "ops", [message(1, { text: "@ada" })], true);
  assert.deepEqual(raised(before, named, { hidden: false, seen: true })[1], ["chime"]);
});

test("only what comes in the open channel keeps its reader there", () => {
  const before = received(received(connected(), "default", [], true), "ops", [], true);
  let news = 0;
  const onNews = () => (news += 1);
  raised(before, received(before, "ops", [message(1)], true), { onNews });
  assert.equal(news, 0);
  raised(before, received(before, "default", [message(1)], true), { onNews });
  assert.equal(news, 1);
});
