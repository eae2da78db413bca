import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkError } from "../../../../s3-website/public/js/aws/request.js";
import { EARLIER_LIMIT, fill } from "../../../../s3-website/public/js/services/filling.js";
import * as chat from "../../../../s3-website/public/js/state/chat.js";
import { END, LINE_LIMIT } from "../../../../s3-website/public/js/state/messages.js";
import { connected, KEPT, message, outgoing, range, reading, START_MS, transcript } from "../builders.js";

const ids = (messages) => messages.map(({ id }) => id);
const change = (second, target) => ({ id: `~${message(second).sentAt}#x`, target, kind: "delete" });

/** A table of messages and changes, which notes the ranges and limits that it is asked for. */
function tableOf(rows) {
  const asked = [];
  const readRows = async ({ after, before }, limit) => {
    asked.push({ after, before, limit });
    const inRange = rows.filter(({ id }) => id >= after && id < before);
    const messages = inRange.filter(({ target }) => !target);
    const changes = inRange.filter(({ target }) => target);
    return { messages: messages.slice(-limit), changes, more: messages.length > limit };
  };
  return { asked, readRows };
}

/** A state that has read `messages` of a channel, up to a time. */
const knowing = (messages, asOf = "") =>
  chat.received(connected(), "default", reading(messages, [], { asOf }), true);

test("a transcript that continues the known messages needs no Query", async () => {
  const { asked, readRows } = tableOf(range(0, 30));
  const read = transcript(range(5, 30));
  assert.deepEqual(await fill(read, knowing(range(0, 20)), "default", readRows), read);
  assert.deepEqual(asked, []);
});

test("a gap is filled by one Query from before the newest known message to the transcript", async () => {
  const { asked, readRows } = tableOf(range(0, 100));
  const filled = await fill(transcript(range(80, 100)), knowing(range(0, 20)), "default", readRows);
  assert.deepEqual(asked, [{ after: message(9).sentAt, before: message(80).id, limit: LINE_LIMIT }]);
  assert.deepEqual(ids(filled.messages), ids(range(9, 100)));
  assert.equal(filled.from, message(9).sentAt);
});

test("of a longer gap the newest messages are read, and the reading begins with them", async () => {
  const { asked, readRows } = tableOf(range(0, 900));
  const filled = await fill(transcript(range(880, 900)), knowing(range(0, 20)), "default", readRows);
  assert.deepEqual(ids(filled.messages), ids(range(380, 900)));
  assert.equal(filled.from, message(380).id);
  assert.equal(asked.length, 1);
});

for (const [count, from] of [
  [3, ""],
  [300, message(300 - EARLIER_LIMIT).id],
]) {
  test(`without a transcript, the newest of ${count} messages are read`, async () => {
    const { asked, readRows } = tableOf(range(0, count));
    const filled = await fill(transcript([]), connected(), "default", readRows);
    assert.deepEqual(asked, [{ after: "", before: END, limit: EARLIER_LIMIT }]);
    assert.deepEqual(ids(filled.messages), ids(range(0, count).slice(-EARLIER_LIMIT)));
    assert.equal(filled.from, from);
  });
}

test("an empty channel whose transcript is complete needs no Query", async () => {
  const { asked, readRows } = tableOf([]);
  assert.deepEqual((await fill(reading([]), connected(), "default", readRows)).messages, []);
  assert.deepEqual(asked, []);
});

test("at first it reaches back to what was read or sent last, the earlier of both", async () => {
  const kept = { ...KEPT, lastRead: { default: message(40).id, ops: message(40).id } };
  const sent = (channel) => outgoing("c30", { state: "sent", at: START_MS + 30_000, channel });
  for (const [channel, outbox, after] of [
    ["default", [], 30],
    ["default", [sent("default")], 20],
    ["default", [sent("ops")], 30],
    ["ops", [sent("ops")], 20],
    ["ops", [], null], // it is not open
  ]) {
    const { asked, readRows } = tableOf(range(0, 100));
    await fill(transcript(range(80, 100)), connected({ ...kept, outbox }), channel, readRows);
    assert.deepEqual(asked.map((range) => range.after), after === null ? [] : [message(after).sentAt]);
  }
});

test("changes that the transcript lacks are read, and no more are missing then", async () => {
  const gone = change(50, message(3).id);
  const { asked, readRows } = tableOf([...range(0, 30), gone]);
  const read = { ...transcript(range(5, 30)), changesSince: message(70).sentAt };
  const filled = await fill(read, knowing(range(0, 20), message(40).sentAt), "default", readRows);
  assert.deepEqual(asked, [{ after: `~${message(30).sentAt}`, before: "~~", limit: LINE_LIMIT }]);
  assert.deepEqual([filled.changes, filled.changesSince], [[gone], ""]);
});

test("it fails with the Query that fails, and never changes the transcript that it is given", async () => {
  const read = transcript(range(80, 100));
  const before = structuredClone(read);
  const { readRows } = tableOf(range(0, 100));
  const away = () => Promise.reject(new NetworkError("away"));
  await assert.rejects(fill(read, knowing(range(0, 20)), "default", away), NetworkError);
  await fill(read, knowing(range(0, 20)), "default", readRows);
  assert.deepEqual(read, before);
});
