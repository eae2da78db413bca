import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError, NetworkError } from "../../../../s3-website/public/js/aws/request.js";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { createReading } from "../../../../s3-website/public/js/services/reading.js";
import { unreadOf } from "../../../../s3-website/public/js/state/status.js";
import { connected, KEPT, message, outgoing, own, push, range, START_MS } from "../builders.js";

/** A page that reads what the test puts into `bucket` and `table`. */
function page(kept) {
  const presence = { signal: { aborted: false } };
  const world = {
    state: connected(kept),
    bucket: {},
    changes: {},
    table: {},
    list: [],
    stats: null,
    asked: [],
    time: 0,
    ended: 0,
    error: null,
    seen: true,
    onLine: true,
    dispatched: 0,
    changesSince: "",
    asOf: "",
    hiddenMs: 0,
    presence,
  };
  const answer = (what, value) => {
    world.asked.push(what);
    if (world.error) return Promise.reject(world.error);
    return Promise.resolve().then(value);
  };
  const changed = (etag, value) => {
    const now = JSON.stringify(value);
    return etag === now ? null : { etag: now };
  };
  world.reading = createReading({
    source: {
      transcript: (_, name, etag) =>
        answer(`transcript ${name}`, () => {
          const messages = world.bucket[name] ?? [];
          const changes = world.changes[name] ?? [];
          const isMissing = !(name in world.bucket);
          if (isMissing && etag === "none") return null;
          const ids = [...messages, ...changes].map(({ id }) => id);
          const found = isMissing ? { etag: "none" } : changed(etag, ids);
          const { changesSince, asOf } = world;
          const from = name in world.bucket && !messages.length ? "" : (messages[0]?.id ?? "~");
          return found && { ...found, messages, changes, from, changesSince, asOf };
        }),
      rows: (_, name, { after, before }, limit) =>
        answer(`${after ? "between" : "before"} ${name}`, () => {
          if (world.away) throw new AwsError("SlowDown", "", 503);
          const rows = (world.table[name] ?? []).filter(({ id }) => id >= after && id < before);
          const messages = rows.filter(({ target }) => !target);
          const more = messages.length > limit;
          world.read?.push(...messages.map(({ id }) => id));
          const read = rows.slice(more ? rows.indexOf(messages.at(-limit)) : 0);
          return { messages: messages.slice(-limit), changes: read.filter(({ target }) => target), more };
        }),
      channelList: (_, etag) => answer("list", () => {
        const found = changed(etag, world.list);
        return found && { ...found, names: world.list };
      }),
      stats: (_, etag) => answer("stats", () => {
        const found = changed(etag, world.stats);
        return found && { ...found, activity: world.stats };
      }),
    },
    get: () => world.state,
    dispatch(next) {
      if (next !== world.state) world.dispatched += 1;
      world.state = next;
    },
    presence: () => (world.gone ? null : presence),
    onEnded: () => (world.ended += 1),
    pace: () => ({ sinceSendMs: Infinity, sinceActiveMs: world.idle ? world.time : 0, hiddenMs: world.hiddenMs }),
    seen: () => world.seen,
    onLine: () => world.onLine,
    now: () => START_MS + world.time,
    clock: () => world.time,
    random: () => 0.5,
  });
  world.unread = (name) => {
    const { unread, mentioned } = chat.channelOf(world.state, name);
    return mentioned ? "@" : unread;
  };
  world.ids = (name = "default") => chat.channelOf(world.state, name).messages.map(({ id }) => id);
  world.steps = async (count, ms = 1000) => {
    for (; count > 0; count--) {
      await world.reading.step();
      world.time += ms;
    }
  };
  /** Let time pass as the page's own delays have it. */
  world.pass = async (ms) => {
    const end = world.time + ms;
    do await world.reading.step();
    while ((world.time += world.reading.delay()) <= end);
    world.time = end;
  };
  world.count = (what) => world.asked.filter((request) => request.startsWith(what)).length;
  return world;
}

const ids = (messages) => messages.map(({ id }) => id);

/** The statistics with these messages of the day in each channel. */
const counts = (channels, generatedAt = START_MS) => ({
  generatedAt,
  perMinute: [...Array(59).fill(0), 7],
  channels: Object.entries(channels).map(([name, messages]) => ({ name, messages })),
  people: 3,
  messages: 7,
});

test("a step that brings nothing changes nothing", async () => {
  const ada = page();
  ada.bucket.default = range(0, 20);
  await ada.steps(3);
  const { dispatched } = ada;
  await ada.steps(30);
  assert.equal(ada.dispatched, dispatched);
});

test("what a transcript does not hold is read from the table, before anything is shown", async () => {
  const ada = page();
  ada.table.default = range(0, 100);
  ada.bucket.default = range(0, 20);
  await ada.steps(1);
  ada.bucket.default = range(80, 100);
  await ada.steps(1);
  assert.deepEqual(ada.ids(), ids(range(0, 100)));
});

test("what was changed while the page slept is read with the gap, however old the message", async () => {
  const ada = page();
  ada.bucket.default = range(0, 20);
  await ada.steps(1);
  const gone = { id: `${message(60).sentAt}#x`, target: message(3).id, kind: "delete" };
  ada.table.default = [...range(0, 61), gone, ...range(61, 100)];
  ada.bucket.default = range(80, 100);
  await ada.steps(1);
  const { messages } = chat.channelOf(ada.state);
  assert.deepEqual(messages.map(({ id }) => id), ids(range(0, 100)));
  assert.deepEqual([messages[3].text, messages[3].deleted], ["", true]);
});

test("after more than a gap's Query reads, nothing that may be out of date stays", async () => {
  const ada = page();
  ada.bucket.default = range(0, 20);
  await ada.steps(1);
  const gone = { id: `${message(60).sentAt}#x`, target: message(3).id, kind: "delete" };
  ada.table.default = [...range(0, 61), gone, ...range(61, 800)];
  ada.bucket.default = range(780, 800);
  await ada.steps(1);
  assert.ok(!ada.ids().includes(message(3).id));
  assert.equal(chat.channelOf(ada.state).earlier, "more");
});

test("a message that is stored late, before the next transcript begins, is asked for", async () => {
  const ada = page();
  const late = message(17.5);
  ada.bucket.default = range(0, 19);
  await ada.steps(1);
  ada.table.default = [...range(0, 18), late, ...range(18, 40)];
  ada.bucket.default = range(18, 40);
  await ada.steps(1);
  assert.ok(ada.ids().includes(late.id));
});

test("a channel without a transcript is read of the table, once, and may be empty", async () => {
  const ada = page();
  await ada.steps(5);
  const { loaded, earlier } = chat.channelOf(ada.state);
  assert.deepEqual([loaded, earlier], [true, "none"]);
  assert.equal(ada.asked.filter((what) => what.startsWith("before")).length, 1);
});

test("a transcript that came and was deleted while nobody was there is made up for from the table", async () => {
  const ada = page();
  await ada.steps(2);
  ada.table.default = range(0, 3);
  ada.reading.dueNow();
  await ada.steps(5);
  assert.equal(ada.ids().length, 3);
  assert.equal(ada.count("before"), 2);
});

test("a channel whose transcript shows nothing or was deleted shows what the table has", async () => {
  const ada = page();
  ada.table.default = range(0, 300);
  await ada.steps(2);
  assert.deepEqual(ada.ids(), ids(range(200, 300)));
  assert.equal(chat.channelOf(ada.state).earlier, "more");
});

test("a channel whose last message has gone is empty", async () => {
  const ada = page();
  ada.bucket.default = range(0, 5);
  await ada.steps(1);
  ada.bucket.default = [];
  await ada.steps(1);
  assert.deepEqual([ada.ids(), chat.channelOf(ada.state).earlier], [[], "none"]);
});

test("changes that a transcript does not tell of are read of the table", async () => {
  const ada = page();
  ada.asOf = message(40).sentAt;
  ada.bucket.default = range(0, 40);
  await ada.steps(1);
  const gone = range(0, 30).map(({ id }, at) => ({ id: `~${message(50 + at).sentAt}#x`, target: id, kind: "delete" }));
  ada.table.default = [...range(0, 60), ...gone];
  ada.bucket.default = range(30, 60);
  Object.assign(ada, { asOf: message(90).sentAt, changesSince: message(70).sentAt });
  await ada.steps(1);
  const { messages } = chat.channelOf(ada.state);
  assert.deepEqual(messages.filter(({ deleted }) => deleted).map(({ id }) => id), ids(range(0, 30)));
});

test("an edited message is read again, however old; one read that fails is repeated", async () => {
  const ada = page();
  ada.bucket.default = range(0, 40);
  await ada.steps(1);
  const edit = { id: `~${message(50).sentAt}#x`, target: message(3).id, kind: "edit" };
  const edited = message(3, { text: "better", edited: true, version: edit.id });
  ada.bucket.default = range(20, 41);
  ada.changes.default = [edit];
  ada.table.default = [...range(0, 3), edited, ...range(4, 41)];
  ada.away = true;
  await ada.steps(1);
  assert.equal(ada.ids().at(-1), message(40).id);
  ada.away = false;
  await ada.steps(1);
  assert.equal(chat.channelOf(ada.state).messages[3].text, "better");
  const { length } = ada.asked;
  await ada.steps(1);
  assert.deepEqual(ada.asked.slice(length), ["transcript default"]);
});

test("edited messages are read again one by one, a few a step, the newest first", async () => {
  const ada = page();
  ada.bucket.default = range(0, 40);
  await ada.steps(1);
  const edits = range(0, 10).map(({ id }, at) => ({ id: `~${message(50 + at).sentAt}#x`, target: id, kind: "edit" }));
  const better = (at) => message(at, { text: "better", edited: true, version: edits[at].id });
  ada.table.default = [...range(0, 10).map((_, at) => better(at)), ...range(10, 41)];
  ada.bucket.default = range(20, 41);
  ada.changes.default = edits;
  const shown = () => chat.channelOf(ada.state).messages.slice(0, 10).map(({ text }) => text === "better");
  ada.read = [];
  await ada.steps(1);
  assert.deepEqual(shown(), [...Array(6).fill(false), ...Array(4).fill(true)]);
  await ada.steps(2);
  assert.ok(shown().every((read) => read));
  // only the edited messages are read, each once
  assert.deepEqual(ada.read.sort(), ids(range(0, 10)));
});

test("an edited message of another channel is read again when that is opened, not while one's own is awaited", async () => {
  const ada = page({ ...KEPT, visited: ["ops"] });
  ada.bucket = { default: range(0, 3), ops: range(0, 5) };
  for (const channel of ["ops", "default"]) {
    ada.state = chat.opened(ada.state, channel);
    await ada.steps(1);
  }
  const edit = { id: `~${message(50).sentAt}#x`, target: message(3).id, kind: "edit" };
  ada.state = chat.withOutbox(ada.state, [outgoing("c60", { state: "sent", channel: "ops", at: START_MS + 60_000 })]);
  ada.bucket.ops = range(0, 6);
  ada.changes.ops = [edit];
  ada.table.ops = range(0, 6).map((row) => (row.id === edit.target ? { ...row, text: "better", version: edit.id } : row));
  ada.asked.length = 0;
  await ada.steps(30);
  assert.equal(ada.ids("ops").length, 6);
  assert.deepEqual([ada.count("between ops"), ada.count("before ops")], [0, 0]);
  ada.state = chat.opened(ada.state, "ops");
  await ada.steps(2);
  assert.equal(ada.count("between ops"), 1);
  assert.equal(chat.channelOf(ada.state, "ops").messages[3].text, "better");
});

test("another channel whose awaited message cannot be found does not slow the open one down", async () => {
  const ada = page({ ...KEPT, visited: ["ops"] });
  ada.state = chat.withOutbox(ada.state, [outgoing("c1", { state: "sent", channel: "ops", at: START_MS + 1_000 })]);
  ada.bucket = { default: range(0, 3), ops: range(60, 65) };
  ada.away = true;
  const delay = ada.reading.delay();
  await ada.steps(60);
  assert.ok(ada.count("between ops") > 1);
  assert.deepEqual([ada.reading.delay(), ada.count("transcript default")], [delay, 60]);
  assert.deepEqual([ada.state.trouble, ada.state.outbox.length], ["", 1]);
});

test("channels that the person visits are listed and looked at before a thousand others", async () => {
  const ada = page({ ...KEPT, visited: ["tea", "zoo"] });
  ada.list = Array.from({ length: 1_000 }, (_, at) => `a${at}`);
  await ada.steps(240);
  assert.deepEqual(ada.state.names.slice(0, 3), ["default", "tea", "zoo"]);
  const probes = ada.asked.filter((what) => /^transcript [^d]/.test(what)).map((what) => what.slice(11));
  assert.equal(probes.filter((name) => name === "tea").length, 9);
  assert.equal(probes.filter((name) => name === "zoo").length, 9);
  assert.ok(probes.filter((name) => name.startsWith("a")).length >= 5);
});

test("of a thousand channels that nobody opened little is kept", async () => {
  const ada = page();
  ada.list = Array.from({ length: 20 }, (_, at) => `a${at}`);
  for (const name of ada.list) ada.bucket[name] = range(0, 20);
  await ada.steps(300);
  for (const name of ada.list) ada.bucket[name] = range(10, 40);
  await ada.steps(300);
  for (const name of ada.list) {
    assert.equal(chat.channelOf(ada.state, name).messages.length, 21);
    assert.equal(chat.channelOf(ada.state, name).unread, 20);
  }
  ada.state = chat.opened(ada.state, "a7");
  await ada.steps(1);
  assert.equal(ada.ids("a7").length, 30);
});

test("a gap that could not be read is read at the next step", async () => {
  const ada = page();
  ada.table.default = range(0, 100);
  ada.bucket.default = range(0, 20);
  await ada.steps(1);
  ada.bucket.default = range(80, 100);
  const { default: all } = ada.table;
  ada.table = new Proxy({}, { get: () => { throw new NetworkError("the table is away"); } });
  await ada.steps(1);
  assert.deepEqual(ada.ids(), ids(range(0, 20)));
  assert.match(ada.state.trouble, /Reconnecting/);
  ada.table = { default: all };
  await ada.steps(1);
  assert.deepEqual(ada.ids(), ids(range(0, 100)));
  assert.equal(ada.state.trouble, "");
});

test("an absence longer than is read at once leaves no hole: the newest are shown, the rest by scrolling", async () => {
  const ada = page();
  ada.table.default = range(0, 2000);
  ada.bucket.default = range(0, 20);
  await ada.steps(1);
  ada.bucket.default = range(1980, 2000);
  await ada.steps(1);
  assert.equal(ada.ids().length, 520);
  assert.equal(chat.channelOf(ada.state).earlier, "more");
  for (let turn = 0; turn < 20; turn++) await ada.reading.reachBack();
  assert.deepEqual(ada.ids(), ids(range(0, 2000)));
  assert.equal(chat.channelOf(ada.state).earlier, "none");
});

test("after an absence all that is unread is read, from the last message that was seen", async () => {
  const ada = page({ ...KEPT, lastRead: { default: message(18).id } });
  ada.table.default = range(0, 200);
  ada.bucket.default = range(180, 200);
  await ada.steps(1);
  const channel = chat.channelOf(ada.state);
  assert.deepEqual([channel.unread, channel.divider], [181, message(18).id]);
  assert.equal(channel.messages.find(({ id }) => id > channel.divider).id, message(19).id);
  await ada.steps(5);
  assert.equal(ada.asked.filter((what) => what.startsWith("between")).length, 1);
});

test("what is unread after a long absence is read as far as a gap's Query goes", async () => {
  const ada = page({ ...KEPT, lastRead: { default: message(18).id } });
  ada.table.default = range(0, 2000);
  ada.bucket.default = range(1980, 2000);
  ada.seen = false;
  await ada.steps(3);
  assert.equal(chat.channelOf(ada.state).unread, 520);
  assert.equal(unreadOf(ada.state).more, true);
  for (let turn = 0; turn < 20; turn++) await ada.reading.reachBack();
  assert.deepEqual(unreadOf(ada.state), { unread: 1981, more: false, mentioned: false });
  assert.equal(ada.asked.filter((what) => what.startsWith("between")).length, 1);
});

test("a channel that was only looked at is read from its last visit when it is opened", async () => {
  const ada = page({ ...KEPT, lastRead: { ops: message(5).id }, visited: ["ops"] });
  ada.table.ops = range(0, 100);
  ada.bucket.ops = range(80, 100);
  await ada.steps(30);
  assert.equal(chat.channelOf(ada.state, "ops").unread, 20);
  assert.equal(unreadOf(ada.state).more, true);
  assert.equal(ada.asked.filter((what) => what.startsWith("between")).length, 0);
  ada.state = chat.opened(ada.state, "ops");
  await ada.steps(1);
  const { unread, divider, loaded } = chat.channelOf(ada.state);
  assert.deepEqual([unread, divider, loaded], [94, message(5).id, true]);
  assert.equal(ada.ids("ops")[0], message(0).id);
});

test("a channel that is opened while it is looked at is read from its last visit", async () => {
  const ada = page({ ...KEPT, lastRead: { ops: message(5).id }, visited: ["ops"] });
  ada.table.ops = range(0, 100);
  ada.bucket.ops = range(80, 100);
  await ada.steps(1);
  let step;
  for (let turn = 0; turn < 200 && ada.asked.at(-1) !== "transcript ops"; turn++) {
    if (turn % 20 === 0) {
      ada.time += 1000;
      step = ada.reading.step();
    }
    await null;
  }
  assert.equal(ada.asked.at(-1), "transcript ops");
  ada.state = chat.opened(ada.state, "ops");
  await step;
  await ada.steps(1);
  assert.equal(chat.channelOf(ada.state).unread, 94);
});

test("after a reload, a message that was sent before it is looked for in the table", async () => {
  const kept = { outbox: [outgoing("c5", { state: "sent", at: START_MS + 5500 })], drafts: {}, lastRead: {}, visited: [] };
  const ada = page(kept);
  ada.table.default = [...range(0, 5), own(5), ...range(6, 100)];
  ada.bucket.default = range(80, 100);
  ada.time = 3_600_000;
  await ada.steps(1);
  assert.deepEqual(ada.state.outbox, []);
});

test("a message that was sent long ago, before more than a gap's Query reads, is not told as refused", async () => {
  const ada = page({ ...KEPT, outbox: [outgoing("c5", { state: "sent", at: START_MS + 5500 })] });
  ada.table.default = [...range(0, 5), own(5), ...range(6, 2000)];
  ada.bucket.default = range(1980, 2000);
  ada.time = 3_600_000;
  await ada.steps(1);
  assert.deepEqual(ada.state.outbox, []);
  assert.equal(ada.ids().length, 520);
});

const MINE = `${START_MS.toString(36).padStart(9, "0")}-mine`;
const UNSEEN = { state: "failed", why: "It has not appeared: it may have been refused. Try again." };

/** Ada's stored message, so many seconds after she sent it. */
const stored = (second) => own(second, { id: `${message(second).sentAt}#${MINE}`, clientId: MINE });

for (const [when, second] of [
  ["at once", 5],
  ["after Lambda's own retries", 200],
]) {
  test(`a message that was called lost, and was stored ${when}, is found the next day`, async () => {
    const ada = page({ ...KEPT, outbox: [outgoing(MINE, { ...UNSEEN, at: START_MS })] });
    ada.table.default = [stored(second), ...range(300, 2000)];
    ada.bucket.default = range(1980, 2000);
    ada.time = 86_400_000;
    await ada.steps(1);
    assert.deepEqual(ada.state.outbox, []);
  });
}

test("a message that is sent again is found where its first try was stored", async () => {
  const ada = page();
  ada.table.default = [stored(5), ...range(300, 2000)];
  ada.bucket.default = range(1980, 2000);
  ada.time = 86_400_000;
  await ada.steps(1);
  const sent = outgoing(MINE, { state: "sent", at: START_MS + 86_400_000 });
  ada.state = chat.withOutbox(ada.state, [sent]);
  await ada.steps(1);
  assert.deepEqual(ada.state.outbox, []);
});

test("what is not there is looked for once a try, and is called lost", async () => {
  const ada = page({ ...KEPT, outbox: [outgoing(MINE, { state: "sent", at: START_MS })] });
  ada.table.default = range(300, 2000);
  ada.bucket.default = range(1980, 2000);
  ada.time = 86_400_000;
  await ada.steps(1);
  assert.equal(ada.state.outbox[0].state, "failed");
  const { length } = ada.asked;
  await ada.steps(5);
  assert.ok(!ada.asked.slice(length).includes("between default"));
});

test("switching away and back shows what is known at once; the transcript is asked for on condition", async () => {
  const ada = page();
  ada.bucket = { default: range(0, 20), ops: range(30, 35) };
  await ada.steps(1);
  ada.state = chat.opened(ada.state, "ops");
  await ada.steps(1);
  assert.equal(ada.ids("ops").length, 5);
  ada.state = chat.opened(ada.state, "default");
  assert.equal(ada.ids().length, 20);
});

test("the list of channels is read, and the others are looked at one by one, slowly", async () => {
  const ada = page();
  ada.list = ["art", "ops"];
  ada.bucket = { default: range(0, 2), art: range(0, 3), ops: range(0, 3) };
  await ada.steps(40);
  assert.deepEqual(ada.state.names, ["default", "art", "ops"]);
  ada.bucket.ops = range(0, 6);
  await ada.steps(40);
  assert.equal(chat.channelOf(ada.state, "ops").unread, 3);
  assert.equal(chat.channelOf(ada.state, "art").unread, 0);
  const probes = ada.asked.filter((what) => /transcript (art|ops)/.test(what));
  assert.ok(probes.length >= 6 && probes.length <= 10, `${probes.length} in 80 s`);
  assert.equal(ada.asked.filter((what) => what === "list").length, 2);
  assert.equal(ada.asked.filter((what) => what.startsWith("between")).length, 0);
});

test("a channel that lacks one's own message is looked at first, gaps filled", async () => {
  const ada = page();
  ada.list = ["art", "ops", "zoo"];
  await ada.steps(2);
  ada.state = chat.withOutbox(ada.state, [outgoing("c5", { state: "sent", channel: "zoo", at: START_MS + 5000 })]);
  ada.table.zoo = [own(5), ...range(6, 60)];
  ada.bucket.zoo = range(40, 60);
  await ada.steps(12);
  assert.deepEqual(ada.state.outbox, []);
});

test("channels are listed once the list has come, or cannot", async () => {
  const [ada, denied, offline] = [page(), page(), page()];
  Object.defineProperty(denied, "list", { get: () => assert.fail("denied") });
  assert.equal(ada.state.listed, false);
  await ada.steps(1);
  await denied.steps(1);
  assert.deepEqual([ada.state.listed, denied.state.listed], [true, true]);
  offline.error = new NetworkError("Failed to fetch");
  await offline.steps(1);
  assert.equal(offline.state.listed, true);
});

test("a failing look at another channel is no trouble of the open one", async () => {
  const ada = page();
  ada.list = ["ops"];
  ada.bucket = new Proxy({ default: [] }, { get: (all, name) => (name === "ops" ? assert.fail("denied") : all[name]) });
  await ada.steps(30);
  assert.equal(ada.state.trouble, "");
});

test("the activity is read while it is shown", async () => {
  const ada = page();
  ada.stats = counts({ default: 7 });
  await ada.steps(5);
  assert.equal(ada.state.activity, null);
  ada.state = chat.withPanel(ada.state, "activity");
  await ada.steps(1);
  assert.equal(ada.state.activity, ada.stats);
  await ada.steps(65);
  assert.equal(ada.state.activity.generatedAt, START_MS + 65_000);
  assert.deepEqual(ada.state.activity.perMinute.slice(-2), [7, 0]);
  assert.equal(ada.asked.filter((what) => what === "stats").length, 5);
});

test("offline is believed when a request fails and the browser says so; then the page pauses", async () => {
  const ada = page();
  ada.onLine = false;
  await ada.steps(2);
  assert.equal(ada.state.online, true);
  ada.error = new NetworkError("Failed to fetch");
  await ada.steps(1);
  assert.equal(ada.state.online, false);
  assert.equal(ada.reading.delay(), Infinity);
  ada.error = null;
  await ada.steps(1);
  assert.equal(ada.state.online, true);
  assert.ok(ada.reading.delay() < 5000);
});

test("failing polls come more and more slowly", async () => {
  const ada = page();
  const first = ada.reading.delay();
  ada.error = new AwsError("SlowDown", "", 503);
  await ada.steps(4);
  assert.ok(ada.reading.delay() > 4 * first);
  ada.reading.retry();
  assert.ok(ada.reading.delay() < 2 * first);
});

test("an ended sign-in is told, by whatever request it shows", async () => {
  const ada = page();
  ada.bucket.default = range(5, 10);
  await ada.steps(1);
  ada.error = new AwsError("ExpiredToken", "", 400);
  await ada.steps(1);
  await ada.reading.reachBack();
  assert.equal(ada.ended, 2);
});

test("what is answered after the session's end is dropped", async () => {
  const ada = page();
  ada.bucket.default = range(0, 3);
  const step = ada.reading.step();
  ada.presence.signal.aborted = true;
  await step;
  assert.deepEqual(ada.ids(), []);
});

test("earlier messages are read once at a time, until there are none", async () => {
  const ada = page();
  ada.table.default = range(0, 150);
  ada.bucket.default = range(130, 150);
  await ada.steps(1);
  await Promise.all([ada.reading.reachBack(), ada.reading.reachBack()]);
  assert.equal(ada.asked.filter((what) => what.startsWith("before")).length, 1);
  await ada.reading.reachBack();
  await ada.reading.reachBack();
  assert.deepEqual(ada.ids(), ids(range(0, 150)));
  assert.equal(ada.asked.filter((what) => what.startsWith("before")).length, 2);
});

test("earlier messages that cannot be read are failed, and read at the next reach", async () => {
  const ada = page();
  ada.table.default = range(0, 30);
  ada.bucket.default = range(10, 30);
  await ada.steps(1);
  ada.error = new NetworkError("Failed to fetch");
  await ada.reading.reachBack();
  assert.equal(chat.channelOf(ada.state).earlier, "failed");
  ada.error = null;
  ada.gone = true;
  await ada.reading.reachBack();
  assert.equal(chat.channelOf(ada.state).earlier, "failed");
  ada.gone = false;
  await ada.reading.reachBack();
  assert.equal(chat.channelOf(ada.state).earlier, "none");
});

test("a mistake of the page itself is not called offline, and is reported", async (t) => {
  const reported = [];
  globalThis.reportError = (error) => void reported.push(error);
  t.after(() => delete globalThis.reportError);
  const ada = page();
  ada.error = new TypeError("it is undefined");
  await ada.steps(1);
  assert.match(ada.state.trouble, /^Something went wrong in this page/);
  assert.deepEqual(reported, [ada.error]);
  ada.error = null;
  await ada.steps(1);
  assert.equal(ada.state.trouble, "");
});

/** A page that is told at once, and has read `messages`. */
async function live(messages) {
  const ada = page();
  ada.bucket.default = messages;
  ada.table.default = messages;
  await ada.steps(1);
  ada.state = chat.withPush(ada.state, true);
  await ada.steps(3);
  ada.asked.length = 0;
  return ada;
}

test("an idle page that is told at once makes at most 25 requests in ten minutes", async () => {
  const ada = await live(range(0, 3));
  ada.idle = true;
  await ada.pass(600_000);
  assert.ok(ada.asked.length <= 25, String(ada.asked.length));
  assert.deepEqual([ada.count("stats"), ada.count("transcript default"), ada.count("list")], [16, 2, 1]);
});

test("a page that is told no longer polls at the next step, each second", async () => {
  const ada = await live(range(0, 3));
  ada.state = chat.withPush(ada.state, false);
  await ada.steps(5);
  assert.equal(ada.asked.filter((what) => what === "transcript default").length, 5);
  assert.equal(ada.reading.delay(), 1_000);
});

test("a push that continues is shown without a request, one that does not is completed at once", async () => {
  const ada = await live(range(0, 3));
  ada.reading.pushed(push(range(3, 5), { after: message(2).id }));
  assert.ok(ada.reading.delay() > 1_000);
  await ada.steps(1);
  assert.deepEqual([ada.ids().length, ada.asked], [5, []]);
  ada.bucket.default = range(0, 9);
  ada.reading.pushed(push(range(7, 9), { after: message(6).id }));
  assert.equal(ada.reading.delay(), 0);
  await ada.steps(1);
  assert.equal(ada.ids().length, 9);
});

test("what all pages are told to read is read at a random moment within 2 s", async () => {
  const ada = await live(range(0, 3));
  ada.bucket.default = range(0, 4);
  ada.reading.pushed(push([], { notice: true }));
  assert.equal(ada.reading.delay(), 1_000, "0.5 of 2 s");
  await ada.steps(1);
  assert.deepEqual(ada.asked, []);
  await ada.steps(1);
  assert.equal(ada.ids().length, 4);
});

test("a channel that is new is read within 2 s, and what it has since then is unread", async () => {
  const ada = await live(range(0, 3));
  ada.state = { ...ada.state, since: message(5).sentAt };
  ada.bucket.tea = [message(7, { text: "@Ada come" })];
  ada.reading.pushed(push(ada.bucket.tea, { channel: "tea" }));
  await ada.steps(2);
  assert.ok(ada.state.names.includes("tea"));
  const { unread, mentioned } = unreadOf(ada.state);
  assert.deepEqual([unread, mentioned], [1, true]);
});

test("a channel that could not be read after a push is tried again", async () => {
  const ada = await live(range(0, 3));
  ada.bucket.tea = range(0, 2);
  ada.error = new NetworkError("");
  ada.reading.pushed(push([], { channel: "tea", notice: true }));
  await ada.steps(2);
  ada.error = null;
  assert.ok(ada.reading.delay() <= 5_000);
  await ada.steps(6);
  assert.ok(chat.channelOf(ada.state, "tea").loaded);
});

test("what was sent and is not pushed within 3 s is looked for", async () => {
  const ada = await live(range(0, 3));
  ada.state = chat.withOutbox(ada.state, [outgoing("c3", { state: "sent" })]);
  ada.bucket.default = [...range(0, 3), own(3)];
  ada.reading.expect();
  await ada.steps(3);
  assert.equal(ada.count("transcript"), 0);
  await ada.steps(1);
  assert.deepEqual(ada.state.outbox, []);
});

test("what becomes due while a step reads is read by the next", async () => {
  const ada = await live(range(0, 3));
  ada.reading.dueNow();
  const step = ada.reading.step();
  ada.reading.dueNow();
  await step;
  assert.equal(ada.reading.delay(), 0);
});

test("a push does not cancel the reading that a notice asked for", async () => {
  const ada = await live(range(0, 3));
  ada.reading.pushed(push([], { notice: true }));
  ada.reading.pushed(push([message(3)], { after: message(2).id }));
  assert.equal(ada.reading.delay(), 1_000);
  await ada.steps(3);
  assert.equal(ada.asked.filter((what) => what === "transcript default").length, 1);
});

test("a push that could not be merged is read, though the one that it followed comes after it", async () => {
  const ada = await live(range(0, 3));
  ada.reading.dueNow();
  const step = ada.reading.step();
  ada.reading.pushed(push([message(4)], { after: message(3).id }));
  ada.reading.pushed(push([message(3)], { after: message(2).id }));
  await step;
  assert.equal(ada.reading.delay(), 0);
  ada.bucket.default = range(0, 5);
  await ada.steps(1);
  assert.equal(ada.ids().length, 5);
});

for (const stays of ["live", "off"]) {
  test(`somebody who returns learns of other channels as soon as ever, if push is ${stays}`, async () => {
    const ada = await live(range(0, 3));
    ada.state = chat.withNames(ada.state, ["tea"]);
    ada.hiddenMs = 1;
    await ada.steps(700);
    ada.hiddenMs = 0;
    ada.stats = counts({ tea: 1 });
    ada.state = chat.withPush(ada.state, stays === "live");
    ada.asked.length = 0;
    ada.reading.dueNow();
    await ada.pass(stays === "live" ? 5_000 : 11_000);
    assert.ok(ada.asked.includes("transcript tea"));
  });
}

test("a mention in a channel that was never opened is known after a probe of it, without push", async () => {
  const ada = page();
  ada.state = { ...ada.state, since: message(5).sentAt };
  ada.list = ["art", "tea"];
  ada.bucket = { default: range(0, 3), art: range(0, 3), tea: range(0, 3) };
  await ada.steps(60);
  assert.deepEqual([ada.unread("art"), ada.unread("tea")], [0, 0]);
  ada.bucket.tea = [...range(0, 3), message(7, { text: "@Ada come" })];
  ada.bucket.art = range(0, 9);
  await ada.steps(60);
  assert.deepEqual([ada.unread("art"), ada.unread("tea")], [6, "@"]);
});

/** A page that is told at once, in a chat with more channels: it visits "ops", and has never opened "art". */
async function among(more = []) {
  const ada = page({ ...KEPT, visited: ["ops"] });
  ada.list = ["art", "ops", ...more];
  ada.state = { ...ada.state, since: message(5).sentAt };
  for (const name of ["default", ...ada.list]) ada.bucket[name] = range(0, 3);
  ada.stats = counts({ default: 3, art: 3, ops: 3 });
  await ada.steps(1);
  ada.state = chat.withPush(ada.state, true);
  ada.reading.dueNow();
  await ada.pass(6_000);
  ada.asked.length = 0;
  return ada;
}

test("news of a visited channel, a mention where nobody came and a new channel are known within 5 s", async () => {
  const ada = await among();
  ada.bucket.ops = range(0, 5);
  ada.bucket.art = [...range(0, 3), message(8, { text: "@Ada come" })];
  ada.bucket.tea = [message(9)];
  ada.stats = counts({ default: 3, art: 4, ops: 5, tea: 1 });
  await ada.pass(5_000);
  assert.deepEqual(["ops", "art", "tea"].map(ada.unread), [2, "@", 1]);
  assert.ok(ada.state.names.includes("tea"));
  assert.deepEqual([ada.count("transcript"), ada.count("list")], [3, 0]);
});

test("at first the channels that one visits are read, and no other", async () => {
  const ada = page({ ...KEPT, visited: ["ops"], lastRead: { ops: message(1).id } });
  ada.state = chat.withPush(ada.state, true);
  ada.bucket = { default: [], ops: range(0, 4) };
  ada.stats = counts({ art: 3, default: 1 });
  await ada.pass(10_000);
  assert.equal(ada.unread("ops"), 2);
  assert.ok(ada.state.names.includes("art"));
  assert.equal(ada.count("transcript"), 2, "the open one and ops, each once");
});

test("news of many channels is read four at a time", async () => {
  const names = Array.from({ length: 10 }, (_, at) => `b${at}`);
  const ada = await among(names);
  for (const name of names) ada.bucket[name] = range(3, 9);
  ada.stats = counts(Object.fromEntries(names.map((name) => [name, 1])));
  const known = () => names.filter((name) => ada.unread(name)).length;
  for (const atMost of [4, 8, 10]) {
    await ada.pass(5_000);
    assert.ok(known() > atMost - 4 && known() <= atMost + 1, `${known()} after ${ada.time} ms`);
  }
});

test("twenty busy channels cost fewer requests than polls, and each is looked at", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `b${at}`);
  const ada = await among(names);
  for (let second = 10; second < 610; second += 1) {
    const busy = Object.fromEntries(names.map((name, at) => [name, second + at]));
    ada.stats = counts(busy);
    for (const name of names) ada.bucket[name] = [...range(0, 3), message(second, { text: second > 300 ? "@Ada" : "" })];
    await ada.pass(1_000);
  }
  assert.ok(names.every((name) => ada.unread(name) === "@"), "what is unread already is read again");
  assert.ok(ada.count("stats") <= 134, String(ada.count("stats")));
  assert.ok(ada.count("transcript b") <= 60, `${ada.count("transcript b")} probes in ten minutes`);
});

for (const [who, away, most] of [
  ["an idle", { idle: true }, 14],
  ["a hidden", { hiddenMs: 1 }, 7],
]) {
  test(`${who} page reads other channels as rarely as ever, those with news first`, async () => {
    const names = Array.from({ length: 20 }, (_, at) => `b${at}`);
    const ada = await among(names);
    Object.assign(ada, away, { time: ada.time + 60_000 });
    ada.reading.dueNow();
    await ada.pass(60_000);
    ada.asked.length = 0;
    ada.bucket.b7 = range(3, 9);
    ada.stats = counts({ default: 3, art: 3, ops: 3, b7: 1 });
    await ada.pass(300_000);
    assert.equal(ada.unread("b7"), 4);
    ada.stats = counts(Object.fromEntries(names.map((name) => [name, 2])));
    await ada.pass(300_000);
    assert.ok(ada.asked.length <= most, ada.asked.join());
  });
}

test("a push that was lost shows in the statistics; one that came is not read again", async () => {
  const ada = await among();
  ada.bucket.default = range(0, 4);
  ada.reading.pushed(push([message(3)], { after: message(2).id }));
  ada.stats = counts({ default: 4, art: 3, ops: 3 });
  await ada.pass(5_000);
  assert.equal(ada.count("transcript"), 0);
  ada.bucket.default = range(0, 5);
  ada.stats = counts({ default: 5, art: 3, ops: 3 });
  await ada.pass(5_000);
  assert.equal(ada.ids().length, 5);
});

test("a message whose push was lost is shown within 5 s, even right after one whose push came", async () => {
  const ada = await among();
  ada.bucket.default = range(0, 5);
  ada.reading.pushed(push([message(3)], { after: message(2).id }));
  ada.stats = counts({ default: 5, art: 3, ops: 3 });
  await ada.pass(5_000);
  assert.equal(ada.ids().length, 5);
});

test("statistics that lag behind the pushes hide no lost one", async () => {
  const ada = await among();
  ada.bucket.default = range(0, 6);
  ada.reading.pushed(push([message(3)], { after: message(2).id }));
  await ada.pass(5_000);
  ada.reading.pushed(push([message(4)], { after: message(3).id }));
  ada.stats = counts({ default: 4, art: 3, ops: 3 });
  await ada.pass(5_000);
  assert.equal(ada.count("transcript"), 0);
  ada.stats = counts({ default: 6, art: 3, ops: 3 });
  await ada.pass(5_000);
  assert.equal(ada.ids().length, 6);
});

test("what goes on in a channel that one leaves is unread there within 5 s, though its pushes came before", async () => {
  const ada = await among();
  ada.reading.pushed(push([message(3)], { after: message(2).id }));
  ada.state = chat.opened(ada.state, "ops");
  ada.reading.dueNow();
  ada.bucket.default = range(0, 5);
  ada.stats = counts({ default: 5, art: 3, ops: 3 });
  await ada.pass(5_000);
  assert.equal(ada.unread("default"), 1);
});

test("news that cannot be read is read later; statistics that cannot be read are no trouble", async () => {
  const ada = await among();
  ada.bucket = new Proxy(ada.bucket, { get: (all, name) => (name === "art" && ada.denied ? assert.fail("denied") : all[name]) });
  ada.denied = true;
  ada.bucket.art = range(3, 9);
  ada.stats = counts({ art: 9 });
  await ada.pass(10_000);
  assert.equal(ada.unread("art"), 0);
  ada.denied = false;
  await ada.pass(6_000);
  assert.equal(ada.unread("art"), 4);
  Object.defineProperty(ada, "stats", { get: () => assert.fail("denied") });
  await ada.pass(60_000);
  assert.equal(ada.state.trouble, "");
  assert.ok(ada.count("stats") < 25);
});

test("what the statistics do not report is found by rare probes", async () => {
  const ada = await among();
  ada.bucket.ops = range(0, 9);
  await ada.pass(280_000);
  assert.equal(ada.unread("ops"), 6);
  assert.ok(ada.count("transcript") - ada.count("transcript default") <= 3);
});

test("a flood of channels lists no more than a list may have", async () => {
  const ada = await among(Array.from({ length: 998 }, (_, at) => `a${at}`));
  assert.equal(ada.state.names.length, 1_001);
  ada.stats = counts({ default: 3, art: 3, ops: 3, tea: 1 });
  await ada.pass(5_000);
  assert.ok(!ada.state.names.includes("tea"));
  assert.equal(ada.count("transcript"), 0);
});
