// Owns Google Identity Services: loading, the button, silent sign-in, sign-out.
// It must not read the token: whoever gets it does.
// Source: Google Identity for Web, "Sign In With Google JavaScript API reference".

export const NOT_LOADED =
  "Google's sign-in could not be loaded: offline, or blocked by this browser. " +
  "Reload the page to try again.";

/**
 * @typedef {{clientId: string, nonce: string, slot: HTMLElement, dark: boolean,
 *   onToken: (token: string) => void}} SignInOptions
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
    callback: ({ credential }) => onToken(credential),
    auto_select: true,
    itp_support: true,
    nonce,
    use_fedcm_for_prompt: true,
    use_fedcm_for_button: true,
  });
  google.renderButton(slot, {
    type: "standard",
    theme: dark ? "filled_black" : "outline",
    size: "large",
    shape: "pill",
    width: 280,
  });
  google.prompt();
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
