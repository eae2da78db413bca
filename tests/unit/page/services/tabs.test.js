import assert from "node:assert/strict";
import { test } from "node:test";
import {
  claimTab,
  locksOf,
  whenDead,
  joinTabs,
} from "../../../../s3-website/public/js/services/tabs.js";
import { area, browser } from "../browser.js";
import { settle } from "../builders.js";

const tick = () => new Promise((resolve) => setTimeout(resolve));

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
    await settle();
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

test("nothing is done while another tab holds the lock", async () => {
  const tab = browser();
  await claimTab(tab().locks, () => area(), () => "held");
  let done = 0;
  await whenDead(tab().locks, "held", () => done++);
  await whenDead(tab().locks, "free", () => done++);
  await tick();
  assert.equal(done, 1);
});

for (const [how, value] of [
  ["no such channel", undefined],
  ["a refused one", class { constructor() { throw new DOMException("insecure", "SecurityError"); } }],
]) {
  test(`in a browser with ${how} a tab works alone`, (t) => {
    const { BroadcastChannel } = globalThis;
    globalThis.BroadcastChannel = value;
    t.after(() => (globalThis.BroadcastChannel = BroadcastChannel));
    joinTabs(() => assert.fail("there is no other tab"))("t");
  });
}

test("a channel that cannot be written to is reported, and ends no sign-in", (t) => {
  const { BroadcastChannel } = globalThis;
  const reported = [];
  globalThis.reportError = ({ name }) => void reported.push(name);
  globalThis.BroadcastChannel = class {
    postMessage() {
      throw new DOMException("closed", "InvalidStateError");
    }
  };
  t.after(() => {
    globalThis.BroadcastChannel = BroadcastChannel;
    delete globalThis.reportError;
  });
  joinTabs(() => {})("t");
  assert.deepEqual(reported, ["InvalidStateError"]);
});

test("a token reaches the other tabs, not the one that tells, and nothing but a text counts", async (t) => {
  const channels = [];
  const Original = globalThis.BroadcastChannel;
  globalThis.BroadcastChannel = class extends Original {
    constructor(name) {
      super(name);
      channels.push(this);
    }
  };
  t.after(() => {
    globalThis.BroadcastChannel = Original;
    for (const channel of channels) channel.close();
  });
  const own = [];
  let arrived;
  const arrival = new Promise((resolve) => (arrived = resolve));
  const tell = joinTabs((...given) => own.push(given));
  joinTabs((...given) => arrived(given));
  tell({ token: "t" });
  tell(null);
  tell("t");
  assert.deepEqual(await arrival, ["t", "shared"]);
  assert.deepEqual(own, []);
});
