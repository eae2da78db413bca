import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { createStorage } from "../../../../s3-website/public/js/services/storage.js";
import { area, store } from "../browser.js";
import { ADA, GRACE, message, outgoing, range } from "../builders.js";

const BROKEN = {
  "no store": () => {
    throw new Error("SecurityError");
  },
  "a full store": () => ({
    ...area(),
    setItem() {
      throw new Error("QuotaExceededError");
    },
  }),
  "a store that is undefined": () => undefined,
};

for (const [name, broken] of Object.entries(BROKEN)) {
  test(`${name} is an empty one, and nothing throws`, () => {
    const kept = createStorage(broken, "bucket");
    kept.saveSettings({ theme: "dark", notifications: true, sound: true });
    kept.saveChannel("ops");
    kept.saveLastRead("u", { default: message(1).id });
    kept.saveVisited("u", "ops");
    kept.saveTab("u", "t", { outbox: [outgoing("a")], drafts: {} });
    kept.signOut("u");
    assert.deepEqual(kept.settings(), chat.DEFAULT_SETTINGS);
    assert.deepEqual(kept.tab("u", "t"), { outbox: [], drafts: {} });
    kept.saveSentTimes("u", [1]);
    assert.deepEqual([kept.channel(), kept.tabs("u"), kept.visited("u"), kept.sentTimes("u")], ["", [], [], []]);
  });
}

for (const garbage of ["", "{", "null", "7", '"X y"', "[]", "[[]]", '{"outbox":{},"drafts":[],"theme":1}']) {
  test(`${garbage || "an empty text"} in the store is read as nothing`, () => {
    const memory = area();
    const all = { getItem: () => garbage };
    const kept = createStorage(() => ({ ...memory, ...all }), "bucket");
    assert.deepEqual(kept.settings(), chat.DEFAULT_SETTINGS);
    assert.deepEqual(kept.tab("u", "t"), { outbox: [], drafts: {} });
    assert.deepEqual(kept.lastRead("u"), {});
    assert.deepEqual(kept.visited("u"), []);
    assert.equal(kept.channel(), "");
  });
}

test("of an outbox only what could have been written by the page is read", () => {
  const good = outgoing("a");
  const bad = [
    null,
    { ...good, clientId: "<b>" },
    { ...good, clientId: 7 },
    { ...good, channel: "../x" },
    { ...good, text: "x".repeat(2001) },
    { ...good, state: "done" },
    { ...good, why: undefined },
    { ...good, at: "now" },
  ];
  const memory = area(new Map([["lambda-chat/bucket/u/tab/t", JSON.stringify({ outbox: [...bad, { ...good, evil: 1 }, good] })]]));
  assert.deepEqual(store(memory).tab("u", "t").outbox, [good]);
});

test("ids and names of the store are checked", () => {
  const memory = area(
    new Map([
      ["lambda-chat/bucket/u/read", JSON.stringify({ default: "zzz", "Bad Name": message(1).id, ops: message(2).id, art: 5 })],
      ["lambda-chat/bucket/u/visited", JSON.stringify(["ops", "stats", "<b>", 7])],
    ]),
  );
  assert.deepEqual(store(memory).lastRead("u"), { ops: message(2).id });
  assert.deepEqual(store(memory).visited("u"), ["ops"]);
});

test("times of sending are numbers, the latest hundred, in order", () => {
  const memory = area(new Map([["lambda-chat/bucket/u/sent", JSON.stringify([3, "1", null, 2, {}])]]));
  const kept = store(memory);
  assert.deepEqual(kept.sentTimes("u"), [2, 3]);
  kept.saveSentTimes("u", Array.from({ length: 500 }, (_, at) => at));
  assert.deepEqual([kept.sentTimes("u").length, kept.sentTimes("u")[0]], [100, 400]);
  assert.deepEqual(kept.sentTimes("v"), []);
});

test("a channel that has a name of JavaScript's is kept like any other", () => {
  const kept = store();
  kept.saveLastRead("u", { constructor: range(0, 1)[0].id });
  assert.deepEqual(kept.lastRead("u"), { constructor: range(0, 1)[0].id });
});

test("of two tabs' lastRead the later one stays", () => {
  const memory = area();
  store(memory).saveLastRead("u", { default: message(9).id });
  store(memory).saveLastRead("u", { default: message(3).id, ops: message(4).id });
  assert.deepEqual(store(memory).lastRead("u"), { default: message(9).id, ops: message(4).id });
});

test("a person's things are kept apart from another's, and from another chat's", () => {
  const memory = area();
  store(memory).saveTab(ADA.user, "t", { outbox: [outgoing("a")], drafts: { default: "x" } });
  assert.deepEqual(store(memory).tab(GRACE.user, "t"), { outbox: [], drafts: {} });
  assert.deepEqual(createStorage(() => memory, "other").tab(ADA.user, "t").outbox, []);
});

test("events of the store are told apart", () => {
  const events = [];
  const memory = area();
  const spy = { ...memory, setItem: (key, newValue) => events.push({ key, newValue }), removeItem: (key) => events.push({ key, newValue: null }) };
  const kept = createStorage(() => spy, "bucket");
  kept.saveSettings(chat.DEFAULT_SETTINGS);
  kept.saveLastRead("u", { default: message(1).id });
  kept.saveTab("u", "t", { outbox: [], drafts: {} });
  kept.signOut("u");
  const of = (user) => events.map((event) => kept.changeIn(event, user)).filter(Boolean);
  assert.deepEqual(of("u"), ["settings", "lastRead"]);
  assert.deepEqual(of("somebody-else"), ["settings"]);
  assert.deepEqual(of(""), ["settings"]);
  assert.deepEqual(events.map((event) => kept.signedOutUser(event)).filter(Boolean), ["u"]);
  assert.equal(kept.signedOutUser({ key: "lambda-chat/other/u/out", newValue: "true" }), "");
  assert.equal(kept.signedOutUser({ key: null, newValue: null }), "");
});
