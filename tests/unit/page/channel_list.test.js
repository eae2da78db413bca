import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../../../s3-website/public/js/aws.js";
import {
  channelListUrl,
  isChannelName,
  nextProbe,
  parseChannelList,
  readChannelList,
} from "../../../s3-website/public/js/channel_list.js";

const list = (...channels) => JSON.stringify({ channels });
const answering = (status, body, headers) => async () => new Response(body, { status, headers });

test("a channel's name is what store_message takes", () => {
  for (const name of ["default", "a", "0", "a-b-", "a".repeat(64)]) assert.ok(isChannelName(name), name);
  for (const name of [
    ...["", "-a", "A", "a b", "a/b", "..", "a.json", "ä", "a\n", "\na", "a".repeat(65)],
    ...["channels", "stats", null, undefined, 5, ["a"], { toString: () => "a" }],
  ]) {
    assert.equal(isChannelName(name), false, String(name));
  }
});

test("the list lies beside the transcripts", () => {
  assert.equal(channelListUrl("data/", "https://b.test/index.html"), "https://b.test/data/channels.json");
});

test("a list is read with its ETag", async () => {
  const signed = answering(200, list("a", "b"), { etag: '"e"' });
  assert.deepEqual(await readChannelList(signed, "", ""), { etag: '"e"', names: ["a", "b"] });
});

test("an unchanged list is none, a missing one is empty", async () => {
  assert.equal(await readChannelList(answering(304, null), "", '"e"'), null);
  const missing = answering(403, "<Error><Code>AccessDenied</Code></Error>");
  assert.deepEqual(await readChannelList(missing, "", ""), { etag: "", names: [] });
});

test("what is no channel's name is left out, and none is there twice", () => {
  const text = list("b", "a", "b", "<b>", "__proto__", "../stats", "stats", null, 7, {}, ["a"]);
  assert.deepEqual(parseChannelList(text), ["b", "a"]);
});

test("a huge list is cut", () => {
  const names = Array.from({ length: 5_000 }, (_, index) => `c${index}`);
  assert.equal(parseChannelList(list(...names)).length, 1_000);
});

for (const broken of ["", "{", "null", "7", "[]", "{}", '{"channels": {"0": "a"}}', '{"channels": "a"}']) {
  test(`${broken || "nothing"} is no list of channels`, () => {
    assert.throws(() => parseChannelList(broken), ShapeError);
  });
}

test("channels are looked at in turn, never the open one", () => {
  const names = ["a", "b", "c", "d"];
  const seen = [];
  let last = "";
  for (let turn = 0; turn < 5; turn += 1) seen.push((last = nextProbe(names, "b", last)));
  assert.deepEqual(seen, ["a", "c", "d", "a", "c"]);
});

test("the turn goes on when the last channel has left the list", () => {
  assert.equal(nextProbe(["a", "c"], "", "b"), "c");
  assert.equal(nextProbe(["a", "c"], "c", "b"), "a");
});

test("where there is no other channel nothing is looked at", () => {
  assert.equal(nextProbe([], "a", ""), "");
  assert.equal(nextProbe(["a"], "a", "a"), "");
});
