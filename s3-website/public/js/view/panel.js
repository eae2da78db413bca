// Owns where a panel stands: beside the messages where there is room, else in a modal dialog over them,
// which brings the rest inert, ESCAPE and focus returned, or in a popover; and how its content is loaded
// when it is used.

import { setText } from "./dom.js";

/**
 * @typedef {{panel: HTMLElement, dialog: HTMLDialogElement, button: HTMLButtonElement,
 *   wide: MediaQueryList, onClose: () => void}} PanelOptions
 */

// Firefox and Safari remember a module that failed to load until the page is reloaded.
const NOT_LOADED = "This could not be loaded. Close it and try again, or reload the page.";

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
 * A panel that the browser opens by itself, by the button that names it in `popovertarget`.
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
      // only a change: the browser has opened it before the state says so
      if (open !== shown) popover.togglePopover(open);
      shown = open;
    },
  };
}

/**
 * The content of a panel, which is loaded when it is first wanted. Where that fails, `root` shows a
 * message, and it is tried again when there is another reason to want it.
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
    /** @param {string} wanted why; "" while it is not @param {T} value */
    update(wanted, value) {
      last = value;
      content?.update(value);
      if (!content && wanted && wanted !== wantedFor && !root.ariaBusy) void start();
      wantedFor = wanted;
    },
  };
}
