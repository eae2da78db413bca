import assert from "node:assert/strict";
import { test } from "node:test";
import {
  forget,
  loadGoogle,
  NOT_LOADED,
  offerSignIn,
  renew,
} from "../../../../s3-website/public/js/services/google.js";

/** Google's script; `calls` lists the methods in order, `given` the arguments of each one's last call. */
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

test("what Google's script throws is reported, and the rest is done all the same", (t) => {
  const reported = [];
  globalThis.reportError = ({ message }) => void reported.push(message);
  t.after(() => delete globalThis.reportError);
  const { google, calls } = stand();
  const fail = () => {
    throw new Error("broken");
  };
  forget({ ...google, cancel: fail });
  assert.deepEqual([calls, reported], [["disableAutoSelect"], ["broken"]]);
  renew({ ...google, prompt: fail });
  assert.deepEqual(reported, ["broken", "broken"]);
});

test("a script of Google's without its sign-in is told as one that was not loaded", async () => {
  for (const google of [{}, { accounts: {} }]) {
    const script = new EventTarget();
    const loading = loadGoogle({ google }, script);
    script.dispatchEvent(new Event("load"));
    await assert.rejects(loading, { message: NOT_LOADED });
  }
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
