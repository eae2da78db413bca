// Owns Google Identity Services: loading, the button, silent sign-in, sign-out, and what tabs of
// one browser tell each other about it. It must not read the token: whoever gets it does.
// Source: Google Identity for Web, "Sign In With Google JavaScript API reference",
// "Automatic sign-in and sign-out", "Migrate to FedCM".

export const NOT_LOADED =
  "Google's sign-in could not be loaded: offline, or blocked by this browser. " +
  "Reload the page to try again.";
// how Google says that a token came without a click
const SILENT = ["auto", "fedcm_auto"];

/**
 * @typedef {import("./session.js").Origin} Origin
 * @typedef {(token: string, origin: Origin) => void} OnToken
 * @typedef {{clientId: string, nonce: string, slot: HTMLElement, dark: boolean,
 *   onToken: OnToken}} SignInOptions
 */

/**
 * Wait for Google's script, which index.html loads.
 * @param {Window} page @param {HTMLScriptElement} script
 * @returns {Promise<GoogleAccountsId>}
 * @throws {Error} if it cannot be loaded
 */
export function loadGoogle(page, script) {
  return new Promise((resolve, reject) => {
    const settle = () =>
      page.google ? resolve(page.google.accounts.id) : reject(new Error(NOT_LOADED));
    if (page.google) return settle();
    script.addEventListener("load", settle);
    script.addEventListener("error", settle);
  });
}

/**
 * Show the button, and sign in without a click where the person has allowed it before.
 * @param {GoogleAccountsId} google @param {SignInOptions} options
 */
export function offerSignIn(google, { clientId, nonce, slot, dark, onToken }) {
  google.initialize({
    client_id: clientId,
    callback: ({ credential, select_by }) =>
      onToken(credential, SILENT.includes(select_by ?? "") ? "silent" : "clicked"),
    auto_select: true,
    // a prompt for the renewal stays while the person goes on to write
    cancel_on_tap_outside: false,
    itp_support: true,
    nonce,
    use_fedcm_for_prompt: true,
    use_fedcm_for_button: true,
  });
  showButton(google, slot, dark);
  google.prompt();
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

/** @param {GoogleAccountsId} google ask for the next token: silently where Google allows it */
export function renew(google) {
  google.prompt();
}

/** @param {GoogleAccountsId} google without this, the next load would sign in by itself */
export function forget(google) {
  google.cancel();
  google.disableAutoSelect();
}

/**
 * Hand each new token to the other tabs. With FedCM, a browser gives a token without a click once
 * in ten minutes: tabs that renew one after the other would each show a prompt.
 * @param {OnToken} onToken @returns {(token: string) => void} tells the other tabs
 */
export function joinTabs(onToken) {
  const tabs = new BroadcastChannel("lambda-chat-token");
  tabs.onmessage = ({ data }) => typeof data === "string" && onToken(data, "shared");
  return (token) => tabs.postMessage(token);
}
