// Plays random but reproducible histories of a chat, with late, flooding, edited and deleted messages, while the
// page is hidden, asleep or cut off from the table. In half of them messages are pushed as well, and pushes are lost,
// doubled and late. In the end the screen must show what a consistent Query returns.

import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import * as chat from "../../../s3-website/public/js/state/chat.js";
import { stale } from "../../../s3-website/public/js/state/messages.js";
import { createReading } from "../../../s3-website/public/js/services/reading.js";
import { readPush } from "../../../s3-website/public/js/aws/pushes.js";
import { createSource } from "../../../s3-website/public/js/aws/source.js";
import { chance, connected, KEPT, START_MS } from "./builders.js";
import { Chat } from "./model.js";

const TURNS = 22;
const CHANNELS = ["default", "ops"];
const CONFIG = { dataPrefix: "data/", table: "t", endpoints: { dynamodb: "https://dynamodb.test" } };

/** A page that reads from a chat. */
function pageOf(world, kept) {
  const presence = { signal: { aborted: false }, signed: world.signed };
  const page = { state: connected(kept), seen: true, pushes: 0 };
  page.reading = createReading({
    source: createSource(CONFIG, "https://page.test/", () => world.now),
    get: () => page.state,
    dispatch: (next) => (page.state = next),
    presence: () => presence,
    onEnded: () => assert.fail("the sign-in has not ended"),
    pace: () => ({ sinceSendMs: Infinity, sinceActiveMs: 0, hiddenMs: 0 }),
    seen: () => page.seen,
    onLine: () => true,
    now: () => world.now,
    clock: () => world.now - world.start,
    random: world.random,
  });
  return page;
}

/** Let the page be told at once. */
function listen(world, page) {
  page.state = chat.withPush(page.state, true);
  world.onPush = (channel, payload) => {
    const push = readPush(channel, new TextEncoder().encode(payload));
    assert.ok(push);
    page.reading.pushed(push);
    page.pushes += 1;
  };
}

/** How late a message reaches the table, ms: mostly a moment, at times as late as allowed or later. */
const lateness = (world) =>
  world.pick([world.int(100), world.int(100), world.int(3_001), 3_000, 2_999, 3_001 + world.int(60_000)]);

/** Let people or operators do something in the chat. */
function act(world) {
  const channel = world.random() < 0.8 ? "default" : "ops";
  const ids = () => world.messages(channel).map(({ id }) => id);
  const some = () => world.pick(ids().slice(world.pick([-3, -20, -150, 0])));
  switch (world.int(9)) {
    case 0: // a flood of messages
      for (let left = world.int(250), gap = world.pick([5, 30, 80]); left > 0; left -= 1) {
        world.send(channel, lateness(world));
        world.advance(world.int(gap));
      }
      return;
    case 1: // a normal conversation
      for (let left = world.int(30), gap = world.pick([200, 700, 1_500]); left > 0; left -= 1) {
        world.send(channel, lateness(world), world.random() < 0.1 ? { message: "long ".repeat(400) } : {});
        world.advance(world.int(gap));
      }
      return;
    case 2: {
      // an operator cleans up, or somebody changes all their messages
      const kind = world.pick(["edit", "delete"]);
      for (const id of ids().slice(-world.int(260))) world.change(channel, kind, id, lateness(world));
      return world.advance(world.int(2_000));
    }
    case 3: {
      const target = some();
      if (target) world.change(channel, world.pick(["edit", "edit", "delete"]), target, lateness(world));
      return;
    }
    case 4:
      return world.send(channel, lateness(world), { expires_at: Math.floor(world.start / 1000) - 1 });
    case 5:
      return void (world.random() < 0.3 && delete world.files[channel]);
    case 6: // hours of silence
      return void (world.random() < 0.15 && world.advance(world.pick([4, 30]) * 3_600_000));
    default:
      world.send(channel, lateness(world));
      return world.advance(world.int(3_000));
  }
}

/** Write messages, and changes in the format of earlier versions, before the page opens. */
function past(world) {
  for (let left = world.pick([0, 3, 30, 300]); left > 0; left -= 1) {
    world.send("default", 0);
    world.advance(world.int(world.pick([50, 5_000])));
    if (world.random() < 0.2) world.changeAsBefore("default", world.messages("default").at(-1)?.id);
  }
}

/** Let the page poll, and at times scroll back or open a channel. */
async function poll(world, page) {
  page.seen = world.random() < 0.5;
  world.failing = world.pick([null, null, null, (service) => service === "dynamodb", () => world.random() < 0.4]);
  const back = world.random() < 0.15 ? page.reading.reachBack() : null;
  await page.reading.step();
  await back;
  if (world.random() < 0.1) page.state = chat.opened(page.state, world.pick(CHANNELS));
  world.advance(world.pick([250, 1_000, 1_000, 1_000, 3_000, 15_000, 60_000]));
}

/** @returns how the screen differs from a consistent Query; "" if it does not */
function difference(world, page, name) {
  const { messages, earlier, loaded } = chat.channelOf(page.state, name);
  const all = world.messages(name);
  const from = earlier === "none" ? "" : (messages[0]?.id ?? "");
  const wanted = all.filter(({ id }) => id >= from);
  const line = (id, text, edited, deleted) => [id, deleted ? "" : text, !!edited && !deleted, !!deleted].join(" ");
  const screen = messages.map((message) => line(message.id, message.text, message.edited, message.deleted));
  const query = wanted.map((row) => line(row.id, row.message, row.edited_at, row.deleted_at));
  const at = query.findIndex((text, place) => text !== screen[place]);
  if (!loaded) return "not loaded";
  if (!messages.length && all.length) return `nothing of ${all.length} is shown`;
  if (at < 0 && screen.length === query.length) return "";
  return `at ${at} of ${query.length}: ${screen[at]} is shown, ${query[at] ?? screen.at(-1)} is stored`;
}

/**
 * @param {number} seed
 * @returns how many Queries the page has sent
 * @throws AssertionError, if the screen differs from the Query
 */
async function history(seed) {
  const random = chance(seed * 7919);
  const world = new Chat(random, {
    history: [1, 3, 20, 20, 60][Math.floor(random() * 5)],
    maxBytes: [262_144, 262_144, 8_000][Math.floor(random() * 3)],
    now: START_MS,
  });
  past(world);
  const some = world.pick(world.messages("default"))?.id ?? "";
  const page = pageOf(world, random() < 0.3 ? { ...KEPT, lastRead: { default: some } } : KEPT);
  if (seed % 2) listen(world, page);
  for (let turn = 0; turn < TURNS; turn += 1) {
    if (seed % 2 && random() < 0.1) page.state = chat.withPush(page.state, page.state.push === "off");
    if (world.numbers < 1_200 && random() < 0.6) act(world);
    await poll(world, page);
  }
  world.failing = null;
  world.settle();
  for (const name of CHANNELS) {
    page.state = chat.opened(page.state, name);
    // a step reads only a few of the edited messages again
    const isBehind = () => stale(chat.channelOf(page.state, name)).length > 0;
    for (let step = 0; step < 3 || (isBehind() && step < 1_000); step += 1) {
      page.reading.dueNow();
      await page.reading.step();
      world.advance(1_000);
    }
    const differs = difference(world, page, name);
    assert.equal(differs, "", `history ${seed}, #${name}: ${differs}`);
  }
  assert.ok(seed % 2 === 0 || page.pushes > 0, `history ${seed}: nothing was pushed`);
  return world.queries;
}

let queries = 0;
for (const seed of workerData) queries += await history(seed);
parentPort.postMessage(queries);
