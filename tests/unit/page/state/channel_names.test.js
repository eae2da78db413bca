import assert from "node:assert/strict";
import { test } from "node:test";
import * as channels from "../../../../s3-website/public/js/state/channel_names.js";

for (const [typed, name] of [
  ["general", "general"],
  ["My Channel", "my-channel"],
  [" #Ops_EU west ", "ops-eu-west"],
  ["2026", "2026"],
  ["constructor", "constructor"],
  ["x".repeat(64), "x".repeat(64)],
]) {
  test(`"${typed}" opens the channel ${name}`, () => {
    assert.deepEqual(channels.channelName(typed), { name, why: "" });
  });
}

for (const [typed, why] of [
  ["", /Type a name/],
  ["  # ", /Type a name/],
  ["stats", /reserved/],
  ["Channels", /reserved/],
  ["!?", /lower-case letters, digits and dashes/],
  ["李", /lower-case/],
  ["../Stats", /lower-case/],
]) {
  test(`"${typed.slice(0, 20)}" is refused as a name, in words`, () => {
    const found = channels.channelName(typed);
    assert.equal(found.name, "");
    assert.match(found.why, why);
  });
}

for (const [typed, proposal, why] of [
  ["My Channel!", "my-channel", /lower-case letters, digits and dashes/],
  ["Über Café", "uber-cafe", /lower-case/],
  ["Straße 7", "strasse-7", /lower-case/],
  ["../secret", "secret", /lower-case/],
  ["-x", "x", /Start with/],
  ["<b>", "b", /lower-case/],
  ["x".repeat(65), "x".repeat(64), /At most 64/],
  [`${"x".repeat(63)}!!y`, "x".repeat(63), /lower-case/],
]) {
  test(`instead of "${typed.slice(0, 20)}" the name ${proposal.slice(0, 20)} is proposed`, () => {
    const found = channels.channelName(typed);
    assert.equal(found.name, proposal);
    assert.match(found.why, why);
    assert.ok(found.why.endsWith(` How about “${proposal}”?`), found.why);
    assert.deepEqual(channels.channelName(proposal), { name: proposal, why: "" });
  });
}

test("an address names a channel, none, or is wrong", () => {
  assert.deepEqual(channels.channelInHash("#ops"), { name: "ops", why: "" });
  for (const hash of ["", "#"]) assert.deepEqual(channels.channelInHash(hash), { name: "", why: "" });
  for (const hash of ["#stats", "#No%20Such", "#%E0%A4%A", "#<img>", `#${"x".repeat(70)}`]) {
    assert.match(channels.channelInHash(hash).why, /no such channel/);
  }
});

test("a channel's name is what store_message takes", () => {
  for (const name of ["default", "a", "0", "a-b-", "a".repeat(64)]) assert.ok(channels.isChannelName(name), name);
  for (const name of [
    ...["", "-a", "A", "a b", "a/b", "..", "a.json", "ä", "a\n", "\na", "a".repeat(65)],
    ...["channels", "stats", null, undefined, 5, ["a"], { toString: () => "a" }],
  ]) {
    assert.equal(channels.isChannelName(name), false, String(name));
  }
});
