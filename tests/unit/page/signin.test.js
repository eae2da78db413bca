import assert from "node:assert/strict";
import { test } from "node:test";
import {
  forget,
  joinTabs,
  loadGoogle,
  NOT_LOADED,
  offerSignIn,
} from "../../../s3-website/public/js/signin.js";

/** Google's script; `calls` are the methods in order, `given` what the last call of each was given. */
function stand() {
  const calls = [];
  const given = {};
  const method =
    (name) =>
    (...values) => {
      calls.push(name);
      given[name] = values;
    };
  const names = ["initialize", "renderButton", "prompt", "cancel", "disableAutoSelect"];
  return { calls, given, google: Object.fromEntries(names.map((name) => [name, method(name)])) };
}

function offer() {
  const { google, calls, given } = stand();
  const tokens = [];
  const onToken = (token, origin) => tokens.push([token, origin]);
  offerSignIn(google, { clientId: "c", nonce: "n", slot: "slot", dark: true, onToken });
  return { calls, options: given.initialize[0], button: given.renderButton, tokens };
}

test("the sign-in is offered by a button and without a click, as Google documents it", () => {
  const { calls, options, button } = offer();
  assert.deepEqual(calls, ["initialize", "renderButton", "prompt"]);
  const { callback, ...rest } = options;
  assert.equal(typeof callback, "function");
  assert.deepEqual(rest, {
    client_id: "c",
    nonce: "n",
    auto_select: true,
    cancel_on_tap_outside: false,
    itp_support: true,
    use_fedcm_for_prompt: true,
    use_fedcm_for_button: true,
  });
  assert.deepEqual([button[0], button[1].theme], ["slot", "filled_black"]);
});

for (const [how, origin] of [
  ["auto", "silent"],
  ["fedcm_auto", "silent"],
  ["fedcm", "clicked"],
  ["user", "clicked"],
  ["btn", "clicked"],
  ["btn_confirm", "clicked"],
  [undefined, "clicked"],
]) {
  test(`a token that was selected by ${how} is ${origin}`, () => {
    const { options, tokens } = offer();
    options.callback({ credential: "t", select_by: how });
    assert.deepEqual(tokens, [["t", origin]]);
  });
}

test("a sign-out closes the prompt and keeps the next load from signing in", () => {
  const { google, calls } = stand();
  forget(google);
  assert.deepEqual(calls, ["cancel", "disableAutoSelect"]);
});

test("Google's script is waited for, and its absence is told", async () => {
  const google = {};
  const page = {};
  const script = new EventTarget();
  const loading = loadGoogle(page, script);
  page.google = { accounts: { id: google } };
  script.dispatchEvent(new Event("load"));
  assert.equal(await loading, google);
  assert.equal(await loadGoogle(page, script), google);
  const blocked = loadGoogle({}, script);
  script.dispatchEvent(new Event("error"));
  await assert.rejects(blocked, { message: NOT_LOADED });
});

test("a token reaches the other tabs, not the one that tells, and nothing but a text counts", async (t) => {
  const channels = [];
  const Original = globalThis.BroadcastChannel;
  globalThis.BroadcastChannel = class extends Original {
    constructor(name) {
      super(name);
      channels.push(this);
    }
  };
  t.after(() => {
    globalThis.BroadcastChannel = Original;
    for (const channel of channels) channel.close();
  });
  const own = [];
  let arrived;
  const arrival = new Promise((resolve) => (arrived = resolve));
  const tell = joinTabs((...given) => own.push(given));
  joinTabs((...given) => arrived(given));
  tell({ token: "t" });
  tell(null);
  tell("t");
  assert.deepEqual(await arrival, ["t", "shared"]);
  assert.deepEqual(own, []);
});
