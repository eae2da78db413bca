// Owns where a panel stands: beside the messages where there is room, else in a modal dialog over them,
// which brings the rest inert, ESCAPE and focus returned; and how its content is loaded when it opens.

import { setText } from "./dom.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {State["settings"]["theme"]} Theme
 * @typedef {{panel: HTMLElement, dialog: HTMLDialogElement, button: HTMLButtonElement,
 *   wide: MediaQueryList, onClose: () => void}} PanelOptions
 */

const NOT_LOADED = "This could not be loaded. Close it and try again.";

/** @param {PanelOptions} options `button` is what opens it */
export function createPanel({ panel, dialog, button, wide, onClose }) {
  const page = panel.ownerDocument;
  const home = page.createComment("");
  let shown = false;
  panel.before(home);

  // the back gesture of a phone comes as "cancel" or "close"; a tap beside it as a click on it
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    onClose();
  });
  dialog.addEventListener("close", () => {
    if (shown && !dialog.open && panel.parentNode === dialog) onClose();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) onClose();
  });

  return {
    /** @param {boolean} open */
    update(open) {
      const modal = !wide.matches;
      const leaving = shown && !open && panel.contains(page.activeElement);
      const entering = !shown && open && page.activeElement === button;
      shown = open;
      if (dialog.open && !(modal && open)) dialog.close();
      if (modal !== (panel.parentNode === dialog)) modal ? dialog.append(panel) : home.after(panel);
      panel.hidden = !open;
      if (modal && open && !dialog.open) dialog.showModal();
      if (modal) return;
      button.ariaExpanded = String(open);
      if (entering) panel.querySelector("button")?.focus();
      if (leaving) button.focus();
    },
  };
}

/**
 * A panel's content, which is loaded when the panel is first open, and tried again when it opens
 * anew.
 * @template T
 * @param {HTMLElement} root
 * @param {(root: HTMLElement) => Promise<{update(value: T): void}>} load
 */
export function createLazy(root, load) {
  /** @type {{update(value: T): void} | undefined} */
  let content;
  /** @type {T} */
  let last;
  let wasOpen = false;

  async function start() {
    root.ariaBusy = "true";
    try {
      content = await load(root);
      content.update(last);
    } catch {
      setText(root, NOT_LOADED);
    }
    root.ariaBusy = null;
  }

  return {
    /** @param {boolean} open @param {T} value */
    update(open, value) {
      last = value;
      content?.update(value);
      if (!content && open && !wasOpen && !root.ariaBusy) void start();
      wasOpen = open;
    },
  };
}
