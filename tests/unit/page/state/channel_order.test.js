import assert from "node:assert/strict";
import { test } from "node:test";
import * as channels from "../../../../s3-website/public/js/state/channel_order.js";

test("channels are listed once, sorted, and the same list stays when none is new", () => {
  const names = channels.listed(["default"], ["zoo", "art", "zoo", "default"]);
  assert.deepEqual(names, ["art", "default", "zoo"]);
  assert.equal(channels.listed(names, ["art"]), names);
});

test("channels are looked at in turn, never the open one", () => {
  const names = ["a", "b", "c", "d"];
  const seen = [];
  let last = "";
  for (let turn = 0; turn < 5; turn += 1) seen.push((last = channels.nextProbe(names, "b", last)));
  assert.deepEqual(seen, ["a", "c", "d", "a", "c"]);
});

test("the turn goes on when the last channel has left the list", () => {
  assert.equal(channels.nextProbe(["a", "c"], "", "b"), "c");
  assert.equal(channels.nextProbe(["a", "c"], "c", "b"), "a");
});

test("where there is no other channel nothing is looked at", () => {
  assert.equal(channels.nextProbe([], "a", ""), "");
  assert.equal(channels.nextProbe(["a"], "a", "a"), "");
});
