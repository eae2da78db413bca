// Runs the page's real parts together against a small in-memory chat: whatever happens, in whatever order, no
// message is lost or shown twice. Each seed gives a reproducible run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError, NetworkError } from "../../../s3-website/public/js/aws/request.js";
import * as chat from "../../../s3-website/public/js/state/chat.js";
import { discarded, retried } from "../../../s3-website/public/js/state/outbox.js";
import { createReading } from "../../../s3-website/public/js/services/reading.js";
import { createSending } from "../../../s3-website/public/js/services/sending.js";
import { createKeeper } from "../../../s3-website/public/js/services/keeper.js";
import { createStorage } from "../../../s3-website/public/js/services/storage.js";
import * as writing from "../../../s3-website/public/js/state/draft.js";
import { area } from "./browser.js";
import { ADA, chance, GRACE, settle, START_MS, transcript } from "./builders.js";

const CHANNELS = ["default", "ops", "art"];

/** SNS, the table and the bucket, as far as the page sees them. */
function aws(random) {
  const table = Object.fromEntries(CHANNELS.map((name) => [name, []]));
  let time = START_MS;
  return {
    table,
    /** stores a message with AWS's time, whatever the page's clock shows */
    store(name, user, clientId, text) {
      time += 1 + Math.floor(random() * 3000);
      const sentAt = new Date(time).toISOString();
      const row = { id: `${sentAt}#${clientId}`, name: "", text, user, picture: "", sentAt, clientId };
      table[name].push({ ...row, kind: "user", edited: false, deleted: false });
    },
    transcript(name) {
      const known = new Set();
      const unique = table[name].filter(({ user, clientId }) => {
        const key = `${user} ${clientId}`;
        return !known.has(key) && known.add(key);
      });
      return unique.slice(-20).map((row) => ({ ...row }));
    },
  };
}

/** Ada's page, whose storage outlives reloads. */
function browser(random, cloud) {
  const page = { time: 0, count: 0, skewMs: 0, net: "good", state: chat.initial("default"), timers: [] };
  const memory = area();
  const store = createStorage(() => memory, "b");
  const keeper = createKeeper({ store, locks: undefined, tab: () => "t" });
  let presence = null;
  let pump = () => {};

  const dispatch = (next) => {
    if (next === page.state) return;
    const before = page.state;
    page.state = next;
    keeper.save(before, next);
    check(next);
    pump();
  };
  const request = async (answer) => {
    const net = page.net;
    await settle();
    if (net === "down") throw new NetworkError("Failed to fetch");
    if (net === "busy" && random() < 0.5) throw new AwsError("SlowDown", "", 503);
    const value = answer();
    // the request arrived but its answer did not
    if (net === "bad" && random() < 0.5) throw new NetworkError("Failed to fetch");
    return value;
  };
  const start = () => {
    const mine = { get: () => page.state, dispatch, presence: () => presence };
    const clocks = { now: () => START_MS + page.time + page.skewMs, clock: () => page.time, random };
    let live = true;
    page.stop = () => (live = false);
    const dispatchHere = (next) => live && dispatch(next);
    page.reading = createReading({
      ...mine,
      ...clocks,
      dispatch: dispatchHere,
      source: {
        transcript: (_, name) => request(() => ({ etag: "", ...transcript(cloud.transcript(name)) })),
        rows: (_, name, { after, before }, limit) =>
          request(() => {
            const all = cloud.table[name].filter(({ id }) => id >= after && id < before);
            return { messages: all.slice(-limit), changes: [], more: all.length > limit };
          }),
        channelList: () => request(() => ({ etag: "", names: CHANNELS })),
        stats: () => request(() => ({ etag: "", activity: null })),
      },
      onEnded: () => page.end(),
      pace: () => ({ sinceSendMs: Infinity, sinceActiveMs: 0, hiddenMs: 0 }),
      seen: () => random() < 0.5,
      onLine: () => page.net !== "down",
    });
    const sendAll = createSending({
      ...mine,
      ...clocks,
      dispatch: dispatchHere,
      publish: (here, { channel, clientId, text }) =>
        request(() => {
          if (here.signal.aborted) throw new NetworkError("aborted");
          if (page.net === "refusing") throw new AwsError("InvalidParameter", "", 400);
          // accepted by SNS but refused by the function: it never appears
          if (page.net !== "swallowing") cloud.store(channel, ADA.user, clientId, text);
        }),
      onSent() {},
      onEnded: () => page.end(),
      rate: { messages: 10, seconds: 10 },
      store,
      after(ms, act) {
        const timer = { at: page.time + ms, act: () => live && act() };
        page.timers.push(timer);
        return () => (page.timers = page.timers.filter((other) => other !== timer));
      },
    });
    pump = () => live && sendAll();
  };
  page.dispatch = dispatch;
  page.end = () => {
    if (!presence) return;
    presence.signal.aborted = true;
    presence = null;
    dispatch(chat.signInEnded(page.state));
  };
  page.begin = () => {
    const same = page.state.person?.user === ADA.user;
    if (presence) return;
    presence = { signal: { aborted: false } };
    dispatch(chat.signedIn(page.state, ADA, same ? undefined : keeper.kept(ADA.user)));
  };
  page.reload = () => {
    page.stop();
    if (presence) presence.signal.aborted = true;
    presence = null;
    page.timers = [];
    page.state = chat.signInReady(chat.initial(page.state.channel));
    start();
    page.begin();
  };
  page.advance = async (ms) => {
    page.time += ms;
    for (const timer of page.timers.filter(({ at }) => at <= page.time)) {
      page.timers = page.timers.filter((other) => other !== timer);
      timer.act();
    }
    await settle();
  };
  start();
  page.begin();
  return page;
}

/** Check what must hold at any time. */
function check({ channels, outbox }) {
  for (const { messages } of Object.values(channels)) {
    const ids = messages.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)].sort());
    const keys = messages.map(({ user, clientId }) => `${user} ${clientId}`);
    assert.equal(new Set(keys).size, keys.length);
  }
  const waiting = outbox.map(({ clientId }) => clientId);
  assert.equal(new Set(waiting).size, waiting.length);
  assert.ok(outbox.filter(({ state }) => state === "sending").length <= 1);
  for (const item of outbox) {
    const shown = channels[item.channel]?.messages ?? [];
    assert.ok(!shown.some(({ user, clientId }) => user === ADA.user && clientId === item.clientId));
  }
}

/** Let one random event happen. */
async function happen(page, cloud, random, written) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const nets = ["good", "good", "good", "good", "down", "busy", "bad", "refusing", "swallowing"];
  const { state } = page;
  const failed = state.outbox.find((item) => item.state === "failed");
  const events = {
    write() {
      const number = page.count++;
      const text = `ada ${number}`;
      const next = writing.sent(writing.drafted(state, text), `id-${number}`, START_MS + page.time);
      if (next.outbox.length > state.outbox.length) written.set(text, state.channel);
      page.dispatch(next);
    },
    theirs() {
      const count = Math.floor(random() * 60);
      const name = pick(CHANNELS);
      for (let at = 0; at < count; at++) cloud.store(name, GRACE.user, `g${random()}`, "x");
    },
    open: () => page.dispatch(chat.opened(state, pick(CHANNELS))),
    net: () => (page.net = pick(nets)),
    clock: () => (page.skewMs = Math.floor((random() - 0.5) * 1e8)),
    reload: () => random() < 0.3 && page.reload(),
    end: () => page.end(),
    begin: () => page.begin(),
    retry: () => failed && page.dispatch(chat.withOutbox(state, retried(state.outbox, failed.clientId, START_MS))),
    discard() {
      const next = failed && random() < 0.2 ? discarded(state.outbox, failed.clientId) : state.outbox;
      // it may have arrived nevertheless
      if (next !== state.outbox) written.delete(failed.text);
      page.dispatch(chat.withOutbox(state, next));
    },
    poll: () => page.reading.step(),
    back: () => page.reading.reachBack(),
    wait: () => page.advance(Math.floor(random() * 20_000)),
  };
  const often = ["write", "write", "poll", "poll", "poll", "wait", "wait", "theirs", "theirs", "theirs", "open"];
  const going = events[pick([...often, ...Object.keys(events)])]();
  // some events end after the next ones have begun
  if (random() < 0.7) await going;
  else void going?.catch?.(() => {});
  if (random() < 0.7) await settle();
}

/** End all faults, let everything get through, and read each channel to its beginning. */
async function recover(page, cloud) {
  page.net = "good";
  page.skewMs = 0;
  page.begin();
  for (let round = 0; round < 400; round++) {
    const failed = page.state.outbox.find((item) => item.state === "failed");
    if (failed) page.dispatch(chat.withOutbox(page.state, retried(page.state.outbox, failed.clientId, 0)));
    await page.advance(1000);
    await page.reading.step();
    await settle();
    if (!page.state.outbox.length && round > 5) break;
  }
  for (const name of CHANNELS) {
    page.dispatch(chat.opened(page.state, name));
    await page.reading.step();
    for (let turn = 0; turn < 60; turn++) await page.reading.reachBack();
    await page.reading.step();
    const all = new Set(cloud.table[name].map(({ user, clientId }) => `${user} ${clientId}`));
    assert.equal(chat.channelOf(page.state).messages.length, all.size, name);
  }
}

for (let seed = 1; seed <= 12; seed++) {
  test(`nothing is lost and nothing is shown twice, whatever happens (${seed})`, async () => {
    const random = chance(seed);
    const cloud = aws(random);
    const page = browser(random, cloud);
    const written = new Map();
    for (let turn = 0; turn < 400; turn++) await happen(page, cloud, random, written);
    await recover(page, cloud);
    assert.deepEqual(page.state.outbox, []);
    for (const [text, name] of written) {
      const shown = cloud.table[name].filter((message) => message.text === text);
      assert.ok(shown.length > 0, `${text} is lost`);
      // only a channel's newest 500 messages are kept while another one is open
      const open = page.state.channel === name;
      const lines = chat.channelOf(page.state, name).messages.filter((message) => message.text === text);
      assert.ok(lines.length === 1 || (!open && !lines.length), `${text} is on screen ${lines.length} times`);
    }
  });
}
