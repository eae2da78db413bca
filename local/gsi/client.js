// A stand-in for Google's script, with the part of google.accounts.id that the page uses.
// As with Google, the button is a frame of this origin and sends the token by postMessage.
"use strict";
(() => {
  const origin = new URL(document.currentScript.src).origin;
  const DISABLED = "gsi_stand_in_auto_select_disabled";
  /** @type {Record<string, any>} */
  let options = {};
  const frames = new Set();
  // Whether prompt() is off. Kept only here if storage throws, in a browser that blocks cookies.
  let disabled = false;

  /** @param {boolean} off */
  function setDisabled(off) {
    disabled = off;
    try {
      if (off) localStorage.setItem(DISABLED, "1");
      else localStorage.removeItem(DISABLED);
    } catch {
      // kept in `disabled` only
    }
  }

  function isDisabled() {
    try {
      return localStorage.getItem(DISABLED) !== null;
    } catch {
      return disabled;
    }
  }

  /** @param {string} mode @returns {HTMLIFrameElement} the button's frame */
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
    if (event.data.select_by !== "auto") setDisabled(false);
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
          forget((other) => !other.isConnected || parent.contains(other));
          const element = frame("button");
          element.width = "300";
          element.height = "112";
          element.style.border = "0";
          element.style.colorScheme = "light dark";
          parent.replaceChildren(element);
        },
        prompt() {
          if (!options.auto_select || isDisabled()) return;
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
          setDisabled(true);
        },
      },
    },
  };
})();
