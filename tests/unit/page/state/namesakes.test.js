import assert from "node:assert/strict";
import { test } from "node:test";
import { lines } from "../../../../s3-website/public/js/state/lines.js";
import { disambiguated } from "../../../../s3-website/public/js/state/namesakes.js";
import { ADA, GRACE, message, outgoing, own, START_MS } from "../builders.js";

const OTHER = "c".repeat(16);
const shown = (messages, outbox = []) =>
  lines({ messages, divider: "" }, outbox, ADA, START_MS).filter(({ kind }) => kind === "message");
const marks = (list) => disambiguated(list).map(({ mark }) => mark);

test("people of different names are not marked, and the list stays the same", () => {
  const list = shown([message(0), own(1), message(2)]);
  assert.equal(disambiguated(list), list);
});

test("two people of one name are marked in each line, by their ids; others are not", () => {
  const list = shown([message(0), message(1, { user: OTHER }), own(2), message(3)]);
  assert.deepEqual(marks(list), ["bbbb", "cccc", undefined, "bbbb"]);
});

for (const name of [
  ...[GRACE.name.toUpperCase(), "Ｇrace Hopper", "Grace\u2800Hopper", "Grace  Hopper", "GraceHopper"],
  ...["Grace-Hopper", "Grace Hopper.", "Grace\u3164Hopper", "Grace Hop\u0300per\u2060"],
]) {
  test(`${JSON.stringify(name)} looks like ${GRACE.name}`, () => {
    assert.deepEqual(marks(shown([message(0), message(1, { user: OTHER, name })])), ["bbbb", "cccc"]);
  });
}

test("names without letters and digits are told apart as they are", () => {
  const list = shown([message(0, { name: "🦄" }), message(1, { user: OTHER, name: "🐴" })]);
  assert.deepEqual(marks(list), [undefined, undefined]);
  const alike = shown([message(0, { name: "🦄" }), message(1, { user: OTHER, name: "🦄" })]);
  assert.deepEqual(marks(alike), ["bbbb", "cccc"]);
});

test("who takes one's own name is marked, also while one's own message is on its way", () => {
  const list = shown([message(0, { name: ADA.name })], [outgoing("a")]);
  assert.deepEqual(marks(list), ["bbbb", "aaaa"]);
});

test("an operator has a mark of another kind", () => {
  const list = shown([message(0), message(1, { user: OTHER, kind: "operator" })]);
  assert.deepEqual(marks(list), [undefined, undefined]);
});

test("a marked line that did not change stays the same object", () => {
  const messages = [message(0), message(1, { user: OTHER })];
  const before = disambiguated(shown(messages));
  const after = disambiguated(shown([...messages, message(2)]));
  assert.equal(after[0], before[0]);
  assert.notEqual(after[0], shown(messages)[0]);
});
