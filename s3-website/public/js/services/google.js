// Owns Google Identity Services: its script, button and prompts. It must not keep a token.
// Source: Google Identity for Web, "Sign In With Google JavaScript API reference",
// "Automatic sign-in and sign-out", "Migrate to FedCM".

import { guarded } from "./guarded.js";

/**
 * @typedef {import("./session.js").Origin} Origin
 * @typedef {(token: string, origin: Origin) => void} OnToken
 * @typedef {{clientId: string, nonce: string, slot: HTMLElement, dark: boolean,
 *   onToken: OnToken}} SignInOptions
 */

export const NOT_LOADED =
  "Google's sign-in could not be loaded: offline, or blocked by this browser. " +
  "Reload the page to try again.";
// Google's `select_by` values for a token that needed no click
const SILENT = ["auto", "fedcm_auto"];

/**
 * Wait until Google's script, which index.html requests, has loaded.
 * @param {Window} page @param {HTMLScriptElement} script
 * @returns {Promise<GoogleAccountsId>}
 * @throws {Error} if it cannot be loaded
 */
export function loadGoogle(page, script) {
  return new Promise((resolve, reject) => {
    const id = () => page.google?.accounts?.id;
    const settle = () => {
      const google = id();
      if (google) resolve(google);
      else reject(new Error(NOT_LOADED));
    };
    if (id()) return settle();
    script.addEventListener("load", settle);
    script.addEventListener("error", settle);
  });
}

/**
 * Show the button, and sign in without a click if the person has allowed that before.
 * @param {GoogleAccountsId} google @param {SignInOptions} options
 */
export function offerSignIn(google, { clientId, nonce, slot, dark, onToken }) {
  google.initialize({
    client_id: clientId,
    callback: ({ credential, select_by }) =>
      onToken(credential, SILENT.includes(select_by ?? "") ? "silent" : "clicked"),
    auto_select: true,
    // a renewal's prompt stays open while the person keeps typing
    cancel_on_tap_outside: false,
    itp_support: true,
    nonce,
    use_fedcm_for_prompt: true,
    use_fedcm_for_button: true,
  });
  showButton(google, slot, dark);
  renew(google);
}

/** @param {GoogleAccountsId} google @param {HTMLElement} slot @param {boolean} dark */
export function showButton(google, slot, dark) {
  google.renderButton(slot, {
    type: "standard",
    theme: dark ? "filled_black" : "outline",
    size: "large",
    shape: "pill",
    width: 280,
  });
}

/** Request another token, silently where Google allows it. @param {GoogleAccountsId} google */
export const renew = (google) => guarded(() => google.prompt());

/** Keep the next page load from signing in automatically. @param {GoogleAccountsId} google */
export function forget(google) {
  guarded(() => google.cancel());
  guarded(() => google.disableAutoSelect());
}
