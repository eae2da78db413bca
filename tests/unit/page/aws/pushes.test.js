import assert from "node:assert/strict";
import { test } from "node:test";
import { readPush } from "../../../../s3-website/public/js/aws/pushes.js";

const bytes = (payload) =>
  new TextEncoder().encode(typeof payload === "string" ? payload : JSON.stringify(payload));
const read = (payload, channel = "default") => readPush(channel, bytes(payload));

const raw = (second, changes = {}) => ({
  id: `2026-01-01T12:00:0${second}.000Z#c${second}`,
  name: "Grace",
  message: `text ${second}`,
  user: "b".repeat(16),
  sent_at: `2026-01-01T12:00:0${second}.000Z`,
  client_id: `c${second}`,
  kind: "user",
  ...changes,
});
const push = (changes = {}) => ({
  channel: "default",
  generated_at: "2026-01-01T12:00:09.000Z",
  after: raw(1).id,
  messages: [raw(2), raw(3)],
  ...changes,
});
const edit = { id: "edit#1", target: "#0", kind: "edit" };

test("a push holds its messages as a transcript would", () => {
  const { channel, notice, after, messages, edited, changes } = read(push());
  assert.deepEqual([channel, notice, after], ["default", false, raw(1).id]);
  assert.deepEqual(messages.map(({ text }) => text), ["text 2", "text 3"]);
  assert.deepEqual([edited, changes], [[], []]);
});

test("the first message of a channel follows no other", () => {
  assert.equal(read(push({ after: "" })).after, "");
});

test("a push may hold only edited messages or changes, without an after", () => {
  const edited = read({ channel: "default", edited: [raw(1, { edited_at: raw(3).sent_at })] });
  assert.deepEqual([edited.after, edited.messages, edited.edited[0].edited], ["", [], true]);
  const changed = read({ channel: "default", after: "", messages: [], changes: [edit] });
  assert.deepEqual(changed.changes, [edit]);
});

for (const changed of ["2026-01-01T12:00:09.000Z", true]) {
  test(`"changed": ${JSON.stringify(changed)} is a notice, whatever stands beside it`, () => {
    const notice = { channel: "default", notice: true, after: "", messages: [], edited: [], changes: [] };
    assert.deepEqual(read({ channel: "default", changed }), notice);
    assert.deepEqual(read(push({ changed })), notice);
  });
}

for (const [name, payload] of Object.entries({
  "no text": "",
  "no JSON": "{",
  "null": "null",
  "a list": [push()],
  "a number": "5",
  "a push without a channel": push({ channel: undefined }),
  "a push of another channel": push({ channel: "other" }),
  "a push whose channel is no text": push({ channel: ["default"] }),
  "a notice of another channel": { channel: "other", changed: true },
  "a push without anything": { channel: "default" },
  "a notice that nothing has changed": { channel: "default", changed: "" },
  "messages without an after": push({ after: undefined }),
  "an after that is no text": push({ after: 5 }),
  "an after that is an object": push({ after: { toString: "x" } }),
  "an after that is not before the messages": push({ after: raw(2).id }),
  "messages that are no list": push({ messages: { 0: raw(2) } }),
  "edited messages that are no list": push({ edited: "all" }),
  "changes that are no list": push({ changes: 7 }),
  "messages without a valid one": push({ messages: [null, 1, "x", {}, raw(2, { id: 5 })] }),
  "more than 128 KB": push({ more: "x".repeat(128 * 1024) }),
  "deep nesting": "[".repeat(100_000),
})) {
  test(`${name} is no push`, () => {
    assert.equal(read(payload), null);
  });
}

test("exactly 128 KB are read", () => {
  const text = JSON.stringify(push());
  assert.equal(read(text.padEnd(128 * 1024)).messages.length, 2);
  assert.equal(read(text.padEnd(128 * 1024 + 1)), null);
});

test("bytes that are not UTF-8 are no push", () => {
  const payload = bytes(push({ messages: [raw(2, { message: "\u00e9" })] }));
  payload[payload.indexOf(0xc3)] = 0xff;
  assert.equal(readPush("default", payload), null);
});

for (const channel of ["", "Default", "a/b", "#", "+", "channels", "stats", "__proto__", "x".repeat(65)]) {
  test(`a topic that ends in "${channel.slice(0, 20)}" belongs to no channel`, () => {
    assert.equal(read(push({ channel }), channel), null);
    assert.equal(read({ channel, changed: true }, channel), null);
  });
}

test("what is wrong in a message does no harm, and hides no other", () => {
  const hostile = raw(3, {
    name: { evil: 1 },
    message: "<img src=x onerror=alert(1)>\ud83d",
    picture: "javascript:alert(1)//lh3.googleusercontent.com/",
    user: 7,
    sent_at: "tomorrow",
  });
  const text = JSON.stringify(push({ messages: [raw(2), { id: "4" }, hostile] }));
  const { messages } = read(text.replace('"kind":"user"', '"__proto__":{"evil":1},"kind":"user"'));
  assert.equal(messages.length, 2);
  assert.equal(messages[0].evil, undefined);
  const { name, text: shown, picture, user, sentAt } = messages[1];
  const plain = "<img src=x onerror=alert(1)>\ufffd";
  assert.deepEqual([name, shown, picture, user, sentAt], ["Someone", plain, "", "", ""]);
});

test("of the changes only those with ids of text are taken", () => {
  const changes = [edit, { ...edit, id: 1 }, { ...edit, target: 1 }, { ...edit, kind: "x" }, null, "edit"];
  assert.deepEqual(read(push({ changes })).changes, [edit]);
});
