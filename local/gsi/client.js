// A stand-in for Google's own script, with the part of google.accounts.id that a page uses.
// The button is a frame of this origin, as Google's is; the token comes from it by postMessage.
"use strict";
(() => {
  const origin = new URL(document.currentScript.src).origin;
  const DISABLED = "gsi_stand_in_auto_select_disabled";
  /** @type {Record<string, any>} */
  let options = {};
  let frames = new Set();

  /** @param {string} mode */
  function frame(mode) {
    const element = document.createElement("iframe");
    const query = new URLSearchParams({
      mode,
      client_id: options.client_id ?? "",
      nonce: options.nonce ?? "",
      parent: location.origin,
    });
    element.src = `${origin}/gsi/button?${query}`;
    element.title = "Sign in with Google (local stand-in)";
    frames.add(element);
    return element;
  }

  function forget(predicate) {
    for (const element of frames) {
      if (predicate(element)) {
        element.remove();
        frames.delete(element);
      }
    }
  }

  addEventListener("message", (event) => {
    const from = [...frames].find((element) => element.contentWindow === event.source);
    if (!from || event.origin !== origin) return;
    if (event.data?.dismissed) forget((element) => element === from);
    if (typeof event.data?.credential !== "string") return;
    if (event.data.select_by !== "auto") localStorage.removeItem(DISABLED);
    options.callback?.({ credential: event.data.credential, select_by: event.data.select_by });
    forget((element) => element.hidden || !element.isConnected);
  });

  window.google = {
    accounts: {
      id: {
        initialize(given) {
          options = { ...given };
        },
        renderButton(parent) {
          const element = frame("button");
          element.width = "300";
          element.height = "112";
          element.style.border = "0";
          element.style.colorScheme = "light dark";
          forget((other) => !other.isConnected || parent.contains(other));
          frames.add(element);
          parent.replaceChildren(element);
        },
        prompt() {
          if (!options.auto_select || localStorage.getItem(DISABLED)) return;
          // as with Google, one prompt at a time
          forget((other) => other.hidden);
          const element = frame("auto");
          element.hidden = true;
          document.body.append(element);
        },
        cancel() {
          forget((element) => element.hidden);
        },
        disableAutoSelect() {
          localStorage.setItem(DISABLED, "1");
        },
        revoke(_hint, done) {
          localStorage.setItem(DISABLED, "1");
          done?.({ successful: true });
        },
      },
    },
  };
  window.onGoogleLibraryLoad?.();
})();
