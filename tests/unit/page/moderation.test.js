// Edits and deletes: the result is the same in whatever order they and their messages arrive.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as channels from "../../../s3-website/public/js/state/channel.js";
import * as chat from "../../../s3-website/public/js/state/chat.js";
import { lines } from "../../../s3-website/public/js/state/lines.js";
import { latest, stale } from "../../../s3-website/public/js/state/messages.js";
import { readChange, readMessage } from "../../../s3-website/public/js/aws/records.js";
import * as outbox from "../../../s3-website/public/js/state/outbox.js";
import { publish } from "../../../s3-website/public/js/aws/publish.js";
import * as writing from "../../../s3-website/public/js/state/draft.js";
import { ADA, chance, connected, message, own, range, received, START_MS, reading } from "./builders.js";

const READER = { person: ADA, open: true, seen: false };
const MINUTE = 60_000;
const change = (second, target, changes = {}) => ({
  id: `~${message(second).sentAt}#e${second}`,
  target: target.id,
  kind: "edit",
  ...changes,
});
const gone = (second, target) => change(second, target, { kind: "delete" });
/** A message after that change. */
const after = ({ id, kind }, old, text) => {
  const changed = kind === "delete" ? { text: "", deleted: true } : { text, edited: true };
  return { ...old, ...changed, version: id };
};
const again = (channel, ...rows) => channels.readAgain(channel, rows.map(({ id }) => id), rows);
const texts = ({ messages }) => messages.map(({ text }) => text);
const take = (incoming, changes, before = channels.EMPTY) =>
  channels.received(before, reading(incoming, changes), READER);

for (const raw of [
  null,
  7,
  "edit",
  {},
  { id: "2", target: "1", kind: "pin", message: "x" },
  { id: "2", target: "1", kind: "user", message: "x" },
  { id: "2", target: "", kind: "delete" },
  { id: "2", target: ["1"], kind: "delete" },
  { id: 2, target: "1", kind: "delete" },
  { id: "1", target: "1", kind: "delete" },
  { id: "1", target: "2", kind: "delete" },
]) {
  test(`${JSON.stringify(raw)} is no change`, () => {
    assert.equal(readChange(raw), null);
  });
}

test("a change has no text, whatever an earlier version wrote", () => {
  const raw = { id: "2", target: "1", message: "x", kind: "edit" };
  assert.deepEqual(readChange(raw), { id: "2", target: "1", kind: "edit" });
});

test("only what people and operators say is a message", () => {
  const raw = { id: "2", target: "1", message: "x", name: "x", user: "x", sent_at: "x" };
  for (const kind of ["edit", "delete", "poll", "", undefined, 5, "constructor"]) {
    assert.equal(readMessage({ ...raw, kind }), null);
  }
});

test("a change reaches a message that the transcript does not hold any more", () => {
  const before = take(range(0, 30), []);
  const [removed, edit] = [gone(40, message(3)), change(41, message(4))];
  const next = take(range(10, 30), [removed, edit], before);
  assert.deepEqual(next.messages[3], after(removed, message(3)));
  assert.deepEqual(stale(next), [message(4)]);
  const now = again(next, after(edit, message(4), "edit 41"));
  assert.deepEqual([now.messages[4].text, now.messages[4].edited], ["edit 41", true]);
  assert.equal(now.messages[5], before.messages[5]);
  assert.deepEqual(stale(now), []);
});

test("a change that comes before its message waits for it, for old copies too", () => {
  const early = take([message(9)], [change(10, message(2)), gone(11, message(3))]);
  const back = channels.reachedBack(early, message(9).id, range(0, 9), false, ADA);
  assert.deepEqual(texts(back).slice(1, 5), ["text 1", "text 2", "", "text 4"]);
  assert.deepEqual(stale(back), [message(2)]);
});

test("the same changes again change nothing", () => {
  const changes = [change(10, message(2)), gone(11, message(3))];
  const once = take(range(0, 5), changes);
  assert.equal(take(structuredClone(range(0, 5)), structuredClone(changes), once), once);
});

test("a delete is final; of edits the newest stands, by id within a millisecond", () => {
  const target = message(1);
  const [one, two] = ["#a", "#b"].map((end) => change(9, target, { id: `~${message(9).sentAt}${end}` }));
  const first = after(one, target, "a");
  for (const changes of [[one, two], [two, one]]) {
    assert.deepEqual(stale(take([first], changes)), [first]);
    assert.deepEqual(stale(take([after(two, target, "b")], changes)), []);
  }
  assert.deepEqual(texts(take([target], [gone(2, target), change(50, target)])), [""]);
});

test("a message that was edited and has gone since is not shown any more", () => {
  const edit = change(9, message(2));
  const now = channels.readAgain(take(range(0, 5), [edit]), [message(2).id], []);
  assert.deepEqual(texts(now), ["text 0", "text 1", "text 3", "text 4"]);
});

test("what the table does not bear out is not asked for again and again", () => {
  const now = again(take(range(0, 5), [change(9, message(2))]), message(2));
  assert.deepEqual(stale(now), []);
});

test("changes of nothing, of changes and of each other touch no message", () => {
  const known = take(range(0, 3), []);
  const nothing = change(5, { id: "0" });
  const loop = [change(6, change(7, nothing)), change(7, change(6, nothing))];
  const after = take(range(0, 3), [nothing, ...loop, change(8, { id: "__proto__" })], known);
  assert.equal(after.messages, known.messages);
});

test("what is remembered of changes has an end, the latest stay", () => {
  const many = Array.from({ length: 5_000 }, (_, at) => change(at + 1, { id: `${at}` }));
  const kept = latest([], many);
  assert.equal(kept.length, 1_000);
  assert.equal(kept.at(-1), many.at(-1));
});

test("an edit is nothing unread, no mention and no news", () => {
  const before = channels.read(take(range(0, 3), []));
  const look = after(change(9, message(2)), message(2), "@Ada look");
  const next = again(before, look);
  assert.deepEqual([next.unread, next.mentioned], [0, false]);
  assert.deepEqual(channels.news(before, next, ADA), []);
  const unread = take(range(0, 4), [], before);
  const edited = take([...range(0, 3), after(change(9, message(3)), message(3), "@Ada look")], [], unread);
  assert.deepEqual([edited.unread, edited.mentioned], [1, false]);
});

test("a delete takes back what was unread, with its mention", () => {
  const before = channels.read(take(range(0, 3), []));
  const named = take([message(3, { text: "@Ada" })], [], take(range(0, 3), [], before));
  assert.deepEqual([named.unread, named.mentioned], [1, true]);
  const next = take(range(0, 3), [gone(9, message(3))], named);
  assert.deepEqual([next.unread, next.mentioned], [0, false]);
});

/** The table's content at each moment, as a page may read it. */
function table(random) {
  /** @type {Map<string, object>} */
  const rows = new Map();
  const moments = [];
  const pick = (list) => list[Math.floor(random() * list.length)];
  const change = (time, clientId, target) => {
    const { last = "", deleted } = target;
    const id = `~${time}#${clientId}`;
    const kind = random() < 0.3 ? "delete" : "edit";
    if (deleted || (kind === "edit" && id < last)) return;
    rows.delete(last);
    target.last = id;
    if (kind === "delete") Object.assign(target, { deleted: true, text: "", at: time });
    else Object.assign(target, { text: `${clientId} of ${target.id}`, at: time });
    rows.set(id, { id, target: target.id, kind, text: target.text });
  };
  for (let turn = 0; turn < 150; turn++) {
    // some arrive late, and several in the same millisecond
    const time = new Date(START_MS + Math.max(0, turn - Math.floor(random() * 3)) * 100).toISOString();
    const messages = [...rows.values()].filter(({ target }) => !target);
    const clientId = `${Math.floor(random() * 36 ** 4).toString(36)}-${turn}`;
    const target = random() < 0.5 ? pick(messages) : pick(messages.slice(-3));
    if (target && random() < 0.6) change(time, clientId, target);
    else rows.set(`${time}#${clientId}`, { id: `${time}#${clientId}`, text: clientId });
    moments.push(structuredClone([...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1))));
  }
  return moments;
}

/** A row as the page reads it. */
const shown = ({ id, text, at, deleted, last }) =>
  readMessage({
    ...{ id, message: text, name: "x", user: id, kind: "user", sent_at: id.slice(0, 24) },
    ...(at && { [deleted ? "deleted_at" : "edited_at"]: at }),
    ...(last && { changed_by: last }),
  });

/** The newest rows, or all from a random message on. */
function part(rows, random) {
  const whole = random() < 0.4;
  const all = rows.filter(({ target }) => !target);
  const from = whole ? all[Math.floor(random() * all.length)]?.id : all.at(-20)?.id;
  const read = rows.filter(({ id }) => !from || id >= from);
  return {
    messages: read.filter(({ target }) => !target).map((row) => shown(row)),
    changes: read.filter(({ target }) => target),
  };
}

for (let seed = 1; seed <= 60; seed++) {
  test(`whatever is read in whatever order, the last texts stay (${seed})`, () => {
    const random = chance(seed * 7919);
    const moments = table(random);
    const last = moments.at(-1);
    const readings = moments.map((rows) => part(rows, random));
    readings.push({ messages: last.filter(({ target }) => !target).map(shown), changes: last.filter(({ target }) => target) });
    const order = readings.map((reading) => ({ reading, by: random() })).sort((a, b) => a.by - b.by);
    let channel = channels.EMPTY;
    for (const { reading } of order) {
      const before = channel;
      channel = take(reading.messages, reading.changes, channel);
      for (const old of before.messages.filter(({ deleted }) => deleted)) {
        const now = channel.messages.find(({ id }) => id === old.id);
        assert.ok(!now || now.deleted, "a delete is final");
      }
    }
    const rows = last.filter(({ target }) => !target);
    const edited = stale(channel).map(({ id }) => id);
    const again = rows.filter(({ id }) => edited.includes(id)).map(shown);
    channel = channels.readAgain(channel, edited, again);
    assert.deepEqual(texts(channel), rows.map(({ text }) => text));
    assert.deepEqual(stale(channel), []);
  });
}

// one's own messages

const NOW = START_MS + 2 * MINUTE;
const mine = (changes) => received(connected(), "default", [message(0), own(1), own(2)], true, changes);
const edited = (state, text, now = NOW) =>
  writing.sent(writing.drafted(writing.editing(state, own(1).id, NOW), text), "id-1", now);
const lineOf = (state, second, now = NOW) =>
  lines(chat.channelOf(state), state.outbox, ADA, now).find(({ message }) => message?.id === own(second).id);

test("a message goes to the text box and back; the draft waits", () => {
  const state = writing.editing(writing.drafted(mine(), "draft"), own(1).id, NOW);
  assert.equal(writing.written(state), "text 1");
  const typed = writing.drafted(state, "better");
  assert.deepEqual([writing.written(typed), chat.channelOf(typed).draft], ["better", "draft"]);
  assert.equal(writing.written(writing.editingEnded(typed)), "draft");
  const saved = writing.sent(typed, "id-1", NOW);
  assert.equal(writing.written(saved), "draft");
  const { text, action, target } = saved.outbox[0];
  assert.deepEqual([text, action, target], ["better", "edit", own(1).id]);
});

test("an edit that changes nothing is not sent", () => {
  const state = edited(mine(), " text 1 ");
  assert.deepEqual([state.outbox, chat.channelOf(state).editing], [[], null]);
});

test("an edit shows at once, and is made when it comes back", () => {
  const state = edited(mine(), "better");
  const line = lineOf(state, 1);
  assert.deepEqual([line.message.text, line.message.edited, line.state], ["better", true, "queued"]);
  const back = change(90, own(1), { id: `~${message(90).sentAt}#id-1` });
  const shown = received(state, "default", [after(back, own(1), "better")], true);
  assert.deepEqual(shown.outbox, []);
  assert.deepEqual([lineOf(shown, 1).message.text, lineOf(shown, 1).state], ["better", ""]);
  assert.deepEqual(received(state, "default", [own(9)], true, [back]).outbox, []);
});

test("another one's change does not confirm one's own; to a deleted message nothing is left to do", () => {
  const state = edited(mine(), "better");
  const other = received(state, "default", [own(9)], true, [change(90, own(1)), change(91, own(2), { id: `${message(91).sentAt}#id-1` })]);
  assert.equal(other.outbox.length, 1);
  assert.deepEqual(received(state, "default", [own(9)], true, [gone(90, own(1))]).outbox, []);
});

test("of two tabs' edits of one message the earlier leaves the outbox when the later one is seen", () => {
  const state = edited(mine(), "earlier");
  const taken = outbox.accepted(outbox.started(state.outbox, "id-1"), "id-1", NOW);
  const [refused] = outbox.overdue(taken, "default", NOW + 15_000);
  const since = (ms) => [change((NOW + ms - START_MS) / 1000, own(1))];
  const row = (ms) => [own(1, { edited: true, version: `~${new Date(NOW + ms).toISOString()}#id-2` })];
  for (const one of [taken[0], refused]) {
    const left = (messages, changes) => outbox.confirmed([one], "default", messages, ADA.user, changes).length;
    assert.deepEqual([left([], since(1_000)), left(row(1_000), [])], [0, 0]);
    assert.deepEqual([left([], since(-1_000)), left(row(-1_000), []), left([own(1)], [])], [1, 1, 1]);
  }
  const waits = outbox.failed(state.outbox, "id-1", "The chat is busy at the moment.");
  assert.equal(outbox.confirmed(waits, "default", row(1_000), ADA.user).length, 1);
  const gone = { ...taken[0], action: "delete", text: "" };
  assert.equal(outbox.confirmed([gone], "default", row(1_000), ADA.user).length, 1);
});

test("a delete that waits shows at once; one that failed shows what is still there", () => {
  const state = writing.deleted(mine(), own(1).id, "id-1", NOW);
  assert.deepEqual([lineOf(state, 1).message.text, lineOf(state, 1).message.deleted], ["", true]);
  const failed = chat.withOutbox(state, outbox.failed(state.outbox, "id-1", "why"));
  assert.deepEqual([lineOf(failed, 1).message.text, lineOf(failed, 1).state], ["text 1", "failed"]);
});

test("what never comes back was refused, and the reason is the likely one", () => {
  const state = edited(mine(), "better");
  const sent = outbox.accepted(outbox.started(state.outbox, "id-1"), "id-1", NOW);
  const [one] = outbox.overdue(sent, "default", NOW + 15_000);
  assert.equal(one.state, "failed");
  assert.match(one.why, /15 minutes/);
});

test("only one's own messages of the last 15 minutes can be changed, and no pending one", () => {
  const operator = message(3, { kind: "operator", user: ADA.user });
  const state = received(mine(), "default", [own(2), operator], true);
  const can = (of, now) =>
    lines(chat.channelOf(of), of.outbox, ADA, now).filter((line) => line.changeable).map((line) => line.message.id);
  assert.deepEqual(can(state, NOW), [own(1).id, own(2).id]);
  assert.deepEqual(can(state, START_MS + 15 * MINUTE + 1_500), [own(2).id]);
  assert.deepEqual(can(edited(state, "better"), NOW), [own(2).id]);
});

test("after 15 minutes nothing is sent, by AWS's clock, and it is said", () => {
  const late = START_MS + 16 * MINUTE;
  const state = writing.editing(mine(), own(1).id, NOW);
  assert.equal(writing.isTooLate(state, late), true);
  const typed = writing.drafted(state, "better");
  assert.equal(writing.sent(typed, "id-1", late), typed);
  assert.equal(writing.deleted(mine(), own(1).id, "id-1", late).notice, writing.TOO_LATE);
  assert.equal(writing.editing(mine(), own(1).id, late).notice, writing.TOO_LATE);
});

test("of a message that is deleted meanwhile nothing stays in the text box", () => {
  const state = writing.editing(writing.drafted(mine(), "draft"), own(1).id, NOW);
  const next = received(state, "default", [own(9)], true, [gone(90, own(1))]);
  assert.equal(writing.written(next), "draft");
  assert.match(next.notice, /has been deleted/);
  assert.ok(!JSON.stringify(next).includes("text 1"));
});

test("changes are published as store_message takes them", async () => {
  const sent = [];
  const signed = async (_, __, { body }) => {
    sent.push(JSON.parse(new URLSearchParams(body).get("Message")));
    return new Response("");
  };
  const config = { topicArn: "t", endpoints: { sns: "https://sns.test" } };
  const base = { channel: "ops", clientId: "c1" };
  await publish(signed, config, { ...base, text: "new", action: "edit", target: "id" }, "token");
  await publish(signed, config, { ...base, text: "", action: "delete", target: "id" }, "token");
  assert.deepEqual(sent, [
    { action: "edit", id: "id", message: "new", channel: "ops", client_id: "c1" },
    { action: "delete", id: "id", channel: "ops", client_id: "c1" },
  ]);
});
