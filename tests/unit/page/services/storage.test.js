import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { createKeeper, createStorage } from "../../../../s3-website/public/js/services/storage.js";
import { claimTab, locksOf, whenDead } from "../../../../s3-website/public/js/services/tabs.js";
import * as writing from "../../../../s3-website/public/js/services/sending.js";
import { ADA, GRACE, message, outgoing, range, received, START_MS } from "../builders.js";

/** What a browser has, over a map that the test can look into. */
function area(entries = new Map()) {
  return {
    entries,
    get length() {
      return entries.size;
    },
    key: (at) => [...entries.keys()][at] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  };
}

/** Web Locks of one browser; each call of tab() is one tab, close() ends it. */
function browser() {
  const held = new Set();
  return () => {
    const mine = new Set();
    return {
      locks: {
        async request(name, options, act) {
          assert.deepEqual(options, { ifAvailable: true });
          if (held.has(name)) return act(null);
          held.add(name);
          mine.add(name);
          const answer = await act({ name });
          held.delete(name);
          return answer;
        },
      },
      close: () => mine.forEach((name) => held.delete(name)),
    };
  };
}

const store = (memory = area()) => createStorage(() => memory, "bucket");
const keeper = (memory, tab, locks) =>
  createKeeper({ store: store(memory), locks, tab: () => tab });
const signedIn = (keeping, person = ADA) =>
  chat.signedIn(chat.initial("default"), person, keeping.kept(person.user));
const tick = () => new Promise((resolve) => setTimeout(resolve));

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
  const of = (user) => events.map((event) => kept.meaning(event, user)).filter(Boolean);
  assert.deepEqual(of("u"), ["settings", "lastRead"]);
  assert.deepEqual(of("somebody-else"), ["settings"]);
  assert.deepEqual(of(""), ["settings"]);
  assert.deepEqual(events.map((event) => kept.whoLeft(event)).filter(Boolean), ["u"]);
  assert.equal(kept.whoLeft({ key: "lambda-chat/other/u/out", newValue: "true" }), "");
  assert.equal(kept.whoLeft({ key: null, newValue: null }), "");
});

test("a reload finds the outbox, the drafts and what was read", () => {
  const memory = area();
  const first = keeper(memory, "t");
  const start = signedIn(first);
  let state = writing.sent(writing.drafted(start, "queued"), "id-1", START_MS);
  state = writing.drafted(received(state, "default", range(0, 3), true), "half");
  first.save(chat.initial("default"), start);
  first.save(start, state);
  const again = signedIn(keeper(memory, "t"));
  assert.deepEqual(again.outbox, state.outbox);
  assert.equal(chat.channelOf(again).draft, "half");
  assert.equal(chat.channelOf(again).lastRead, message(2).id);
});

test("a sign-out removes what the person wrote, in all tabs, and nothing of another person", () => {
  const memory = area();
  const kept = keeper(memory, "t");
  store(memory).saveTab(ADA.user, "u", { outbox: [outgoing("secret")], drafts: {} });
  store(memory).saveTab(GRACE.user, "v", { outbox: [outgoing("hers")], drafts: {} });
  const state = writing.drafted(signedIn(kept), "secret thought");
  kept.save(chat.initial("default"), state);
  kept.save(state, chat.signedOut(state));
  store(memory).signOut(ADA.user);
  assert.ok(!JSON.stringify([...memory.entries]).includes("secret"));
  assert.equal(store(memory).tab(GRACE.user, "v").outbox.length, 1);
});

test("what does not change is not written", () => {
  const memory = area();
  let writes = 0;
  const kept = keeper({ ...memory, setItem: () => writes++ }, "t");
  const state = received(signedIn(kept), "default", range(0, 3), false);
  kept.save(state, received(state, "default", range(0, 4), false));
  kept.save(state, chat.pollFailed(state, "X.", true));
  assert.equal(writes, 0);
});

test("a tab keeps its id over a reload; a duplicated tab gets one of its own", async () => {
  const tab = browser();
  const memory = area();
  const ids = ["one", "two", "three"];
  const claim = ({ locks }, session) => claimTab(locks, () => session, () => ids.shift());
  const first = tab();
  assert.equal(await claim(first, memory), "one");
  const copy = area(new Map(memory.entries));
  assert.equal(await claim(tab(), copy), "two");
  assert.equal(copy.getItem("lambda-chat/tab"), "two");
  first.close();
  assert.equal(await claim(tab(), memory), "one");
});

test("without locks or a store a tab has an id all the same", async () => {
  const denied = () => {
    throw new Error("SecurityError");
  };
  assert.equal(await claimTab(undefined, denied, () => "one"), "one");
  const dirty = area(new Map([["lambda-chat/tab", "../../x"]]));
  assert.equal(await claimTab(undefined, () => dirty, () => "two"), "two");
});

for (const [how, request] of [
  ["throw", () => { throw new DOMException("insecure", "SecurityError"); }],
  ["reject", () => Promise.reject(new DOMException("insecure", "SecurityError"))],
]) {
  test(`where locks ${how}, a tab has its id, and takes over what others left`, async () => {
    const session = area(new Map([["lambda-chat/tab", "kept"]]));
    assert.equal(await claimTab({ request }, () => session, () => "new"), "kept");
    let done = 0;
    await whenDead({ request }, "dead", () => done++);
    assert.equal(done, 1);
  });
}

test("where locks do not answer, a tab takes an id of its own, and gives back what comes late", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  const locks = { request: (name, _, act) => new Promise(() => asked.push(act)) };
  const claim = claimTab(locks, () => area(new Map([["lambda-chat/tab", "kept"]])), () => "new");
  for (let turn = 0; turn < 2; turn += 1) {
    t.mock.timers.tick(60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await claim, "new");
  assert.deepEqual(asked.map((act) => act({})), [undefined, undefined]);
});

test("what fails while a tab takes over is told, and not done twice", async () => {
  let done = 0;
  const act = () => {
    done += 1;
    throw new Error("mine");
  };
  await assert.rejects(whenDead(browser()().locks, "dead", act), { message: "mine" });
  assert.equal(done, 1);
});

test("a browser that refuses even to name its locks has none", () => {
  const refusing = { get locks() { throw new DOMException("insecure", "SecurityError"); } };
  assert.equal(locksOf(refusing), undefined);
  assert.equal(locksOf({ locks: "l" }), "l");
});

test("what a dead tab left is taken over once; a living tab keeps its own", async () => {
  const tab = browser();
  const memory = area();
  const [living, dead, one, two] = [tab(), tab(), tab(), tab()];
  await claimTab(living.locks, () => area(), () => "living");
  await claimTab(dead.locks, () => area(), () => "dead");
  store(memory).saveTab("u", "living", { outbox: [outgoing("mine")], drafts: {} });
  store(memory).saveTab("u", "dead", { outbox: [outgoing("left")], drafts: {} });
  dead.close();
  const taken = [];
  const take = ({ outbox }) => {
    taken.push(...outbox.map(({ clientId }) => clientId));
    return { outbox: [], drafts: {} };
  };
  await Promise.all([keeper(memory, "one", one.locks).adopt("u", take), keeper(memory, "two", two.locks).adopt("u", take)]);
  assert.deepEqual(taken.filter((id) => id === "left"), ["left"]);
  assert.ok(!taken.includes("mine"));
  assert.deepEqual(store(memory).tabs("u"), ["living"]);
});

test("what is not taken over stays for the next tab", async () => {
  const memory = area();
  const { locks } = browser()();
  store(memory).saveTab("u", "dead", { outbox: [outgoing("a")], drafts: { default: "x" } });
  await keeper(memory, "t", locks).adopt("u", () => null);
  assert.equal(store(memory).tab("u", "dead").outbox.length, 1);
  await keeper(memory, "t", locks).adopt("u", ({ drafts }) => ({ outbox: [], drafts }));
  assert.deepEqual(store(memory).tab("u", "dead"), { outbox: [], drafts: { default: "x" } });
});

test("of what a dead tab left in its outbox the part that does not fit stays there", async () => {
  const memory = area();
  const { locks } = browser()();
  store(memory).saveTab("u", "dead", { outbox: [outgoing("a"), outgoing("b")], drafts: {} });
  await keeper(memory, "t", locks).adopt("u", ({ outbox }) => ({ outbox: outbox.slice(1), drafts: {} }));
  assert.deepEqual(store(memory).tab("u", "dead").outbox.map(({ clientId }) => clientId), ["b"]);
});

test("nothing is done while another tab holds the lock", async () => {
  const tab = browser();
  await claimTab(tab().locks, () => area(), () => "held");
  let done = 0;
  await whenDead(tab().locks, "held", () => done++);
  await whenDead(tab().locks, "free", () => done++);
  await tick();
  assert.equal(done, 1);
});
