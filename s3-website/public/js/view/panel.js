// Places a panel beside the messages, in a modal dialog over them or in a popover, and loads its content when it is
// first needed. It must not know what a panel contains.

import { setText } from "./dom.js";

/**
 * @typedef {{panel: HTMLElement, dialog: HTMLDialogElement, button: HTMLButtonElement,
 *   wide: MediaQueryList, onClose: () => void}} PanelOptions
 */

// Firefox and Safari remember a module that failed to load until the page is reloaded.
const NOT_LOADED = "This could not be loaded. Close it and try again, or reload the page.";

/** @param {PanelOptions} options `button` opens the panel; `wide` matches where it has room */
export function createPanel({ panel, dialog, button, wide, onClose }) {
  const page = panel.ownerDocument;
  const home = page.createComment("");
  let shown = false;
  panel.before(home);

  // a phone's back gesture arrives as "cancel" or "close", a tap beside the panel as a click on it
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
 * A panel that the browser itself opens, through a button's `popovertarget`.
 * @param {HTMLElement} popover @param {(open: boolean) => void} onToggle
 */
export function createPopover(popover, onToggle) {
  let shown = false;
  popover.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    if (open !== shown) onToggle(open);
  });
  return {
    /** @param {boolean} open */
    update(open) {
      // the browser may have opened it before the state changed
      if (open !== shown) popover.togglePopover(open);
      shown = open;
    },
  };
}

/**
 * Load a panel's content when it is first wanted. If that fails, `root` shows a message, and the next
 * different reason to want it tries again.
 * @template T
 * @param {HTMLElement} root
 * @param {(root: HTMLElement) => Promise<{update(value: T): void}>} load
 */
export function createLazy(root, load) {
  /** @type {{update(value: T): void} | undefined} */
  let content;
  /** @type {T} */
  let last;
  let wantedFor = "";

  async function start() {
    root.ariaBusy = "true";
    setText(root, "");
    try {
      content = await load(root);
      content.update(last);
    } catch {
      setText(root, NOT_LOADED);
    }
    root.ariaBusy = null;
  }

  return {
    /** @param {string} wanted the reason; "" if it is not wanted @param {T} value */
    update(wanted, value) {
      last = value;
      content?.update(value);
      if (!content && wanted && wanted !== wantedFor && !root.ariaBusy) void start();
      wantedFor = wanted;
    },
  };
}
