import assert from "node:assert/strict";
import { test } from "node:test";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { createKeeper } from "../../../../s3-website/public/js/services/keeper.js";
import { claimTab } from "../../../../s3-website/public/js/services/tabs.js";
import * as writing from "../../../../s3-website/public/js/state/draft.js";
import { area, browser, store } from "../browser.js";
import { ADA, GRACE, message, outgoing, range, received, START_MS } from "../builders.js";

const keeper = (memory, tab, locks) =>
  createKeeper({ store: store(memory), locks, tab: () => tab });
const signedIn = (keeping, person = ADA) =>
  chat.signedIn(chat.initial("default"), person, keeping.kept(person.user));

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
