import assert from "node:assert/strict";
import { test } from "node:test";

// a zone with daylight saving time, which begins on 29 March 2026
process.env.TZ = "Europe/Berlin";
const { isSameLine, lines } = await import("../../../../s3-website/public/js/state/lines.js");

const NOW = Date.parse("2026-03-14T15:00:00Z");
const ADA = { name: "Ada Lovelace", user: "ada", picture: "" };

/** @param {number} minutesAgo @param {object} [changes] */
function message(minutesAgo, changes = {}) {
  const sentAt = new Date(NOW - minutesAgo * 60_000).toISOString();
  const clientId = `c${minutesAgo}`;
  const plain = { picture: "", kind: "user", edited: false, deleted: false };
  const grace = { name: "Grace", text: "x", user: "grace" };
  return { id: `${sentAt}#${clientId}`, ...grace, sentAt, clientId, ...plain, ...changes };
}

/** @param {string} clientId @param {object} [changes] */
const outgoing = (clientId, changes = {}) => {
  const plain = { channel: "default", text: "x", state: "sending", why: "", at: NOW };
  return { clientId, ...plain, ...changes };
};
const list = (messages, { divider = "", outbox = [], now = NOW } = {}) =>
  lines({ messages, divider }, outbox, ADA, now);
const texts = (all) => all.filter(({ kind }) => kind === "message");
const kinds = (all) =>
  all.map(({ kind, label, continued }) => label ?? (continued ? "more" : kind));

test("an empty channel has no lines", () => {
  assert.deepEqual(list([]), []);
});

test("messages of one sender within five minutes are one group", () => {
  const karen = message(10, { user: "karen", name: "Karen" });
  const all = list([message(20), message(16), message(11), karen]);
  assert.deepEqual(kinds(all), ["Today", "message", "more", "message", "message"]);
});

test("another name of the same sender starts a group", () => {
  assert.deepEqual(
    kinds(list([message(3), message(2, { name: "Grace H" })])).slice(1),
    ["message", "message"],
  );
});

test("announcements stand alone", () => {
  const operator = { kind: "operator", user: "", name: "Lambda Chat" };
  const all = list([message(3, operator), message(2, operator), message(1)]);
  assert.deepEqual(kinds(all).slice(1), ["message", "message", "message"]);
  assert.ok(texts(list([message(3, { ...operator, user: "ada" })])).every(({ own }) => !own));
});

test("a new day and the first new message end a group", () => {
  const midnight = (NOW - Date.parse("2026-03-13T23:00:00Z")) / 60_000;
  const messages = [message(midnight + 1), message(midnight - 1), message(midnight - 2)];
  const all = list(messages, { divider: messages[1].id });
  assert.deepEqual(
    kinds(all),
    ["Yesterday", "message", "Today", "message", "New messages", "message"],
  );
});

test("a message without a time belongs to no day and to no group", () => {
  const all = list([message(3), message(2, { id: "none", sentAt: "" }), message(1)]);
  assert.deepEqual(kinds(all), ["Today", "message", "message", "Today", "message"]);
});

test("a message that came late over midnight stands in the day of its place: no day comes twice", () => {
  const midnight = (NOW - Date.parse("2026-03-13T23:00:00Z")) / 60_000;
  const late = message(midnight - 2, { sentAt: message(midnight + 1).sentAt });
  const all = list([message(midnight + 2), message(midnight - 1), late, message(midnight - 3)]);
  assert.deepEqual(
    all.filter(({ kind }) => kind === "day").map(({ label }) => label),
    ["Yesterday", "Today"],
  );
});

test("the divider stands before the first newer message even if the one it names is gone", () => {
  const messages = [message(3), message(2)];
  assert.deepEqual(
    kinds(list(messages, { divider: "2020" })),
    ["Today", "New messages", "message", "more"],
  );
  assert.deepEqual(kinds(list(messages, { divider: "2030" })), ["Today", "message", "more"]);
});

test("a message on its way comes last, and keeps its key when it is confirmed", () => {
  const failed = outgoing("new", { state: "failed", why: "Too long." });
  const pending = list([message(3)], { outbox: [failed] });
  const mine = message(0, { user: "ada", name: ADA.name, clientId: "new" });
  const confirmed = list([message(3), mine]);
  const [last, stored] = [pending.at(-1), confirmed.at(-1)];
  assert.equal(last.key, stored.key);
  assert.deepEqual(
    [last.own, last.state, last.why, last.message.name],
    [true, "failed", "Too long.", ADA.name],
  );
  assert.deepEqual([stored.own, stored.state], [true, ""]);
});

test("a message that is in the transcript and still in the outbox is one line", () => {
  const both = list([message(0, { user: "ada", clientId: "new" })], { outbox: [outgoing("new")] });
  assert.equal(texts(both).length, 1);
});

test("another person's copy of one's client id hides nothing", () => {
  const all = list([message(0, { clientId: "new" })], { outbox: [outgoing("new")] });
  assert.equal(texts(all).length, 2);
  assert.equal(new Set(all.map(({ key }) => key)).size, all.length);
});

test("keys are unique and safe, whatever the ids, times and names are", () => {
  const odd = ["__proto__", "constructor", "", "day ", "sent grace c1", "id x"];
  const messages = odd.flatMap((word, at) => [
    message(at, { id: `${at}${word}`, clientId: "", user: word, name: word, sentAt: word }),
    message(at, { id: `${at}${word}+`, clientId: word && `${word}${at}`, user: word }),
    message(at % 2 ? 5000 : 1, { id: `${at}${word}-`, clientId: `again${at}` }),
  ]);
  const outbox = [outgoing("__proto__"), outgoing("constructor")];
  const all = list(messages, { divider: "1", outbox });
  assert.equal(texts(all).length, messages.length + 2);
  assert.equal(new Set(all.map(({ key }) => key)).size, all.length);
});

test("a line that did not change is the same object, and one that did is another", () => {
  const messages = [message(3), message(2)];
  const before = list(messages);
  const after = list([message(9), ...messages, message(1)]);
  assert.equal(after.at(-3), before[1]);
  assert.equal(after.at(-2), before[2]);
  const earlier = list([message(4), ...messages]);
  assert.notEqual(earlier.at(-2), before[1]);
  assert.equal(earlier.at(-2).continued, true);
});

test("another person sees the same messages as not their own", () => {
  const messages = [message(1, { user: "ada" })];
  assert.equal(texts(list(messages))[0].own, true);
  const karen = { name: "Karen", user: "karen", picture: "" };
  assert.equal(texts(lines({ messages, divider: "" }, [], karen, NOW))[0].own, false);
  assert.equal(texts(lines({ messages, divider: "" }, [], null, NOW))[0].own, false);
});

test("a day's mark differs when midnight has passed, and only then", () => {
  const messages = [message(3)];
  const [today] = list(messages);
  assert.ok(isSameLine(today, list(messages)[0]));
  assert.ok(!isSameLine(today, list(messages, { now: NOW + 86_400_000 })[0]));
});
