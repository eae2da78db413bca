// Owns the panels: beside the messages where there is room, else in a modal dialog over them, which
// brings the rest inert, ESCAPE and focus returned; and the settings, a popover with the theme, what
// tells of messages, and the way out.

import { byId, setText } from "./dom.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Handlers} Handlers
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

/** @param {Document} page @param {Handlers} handlers */
export function createSettings(page, handlers) {
  const popover = byId(page, "settings", HTMLDialogElement);
  const who = byId(page, "who", HTMLElement);
  const notifications = byId(page, "notifications", HTMLInputElement);
  const sound = byId(page, "sound", HTMLInputElement);
  const themes = /** @type {NodeListOf<HTMLInputElement>} */ (
    popover.querySelectorAll("[name=theme]")
  );
  /** @type {State | null} */
  let last = null;

  /** @param {State} state */
  const update = (state) => {
    const { panel, person, settings } = state;
    setText(who, person?.name ?? "");
    for (const radio of themes) radio.checked = radio.value === settings.theme;
    notifications.checked = settings.notifications;
    sound.checked = settings.sound;
    if (last?.settings.theme !== settings.theme) applyTheme(page, settings.theme);
    // only a change: the browser has opened it before the state says so
    if (last?.panel !== panel) popover.togglePopover(panel === "settings");
    last = state;
  };

  /** @param {HTMLInputElement} box @param {(wanted: boolean) => void} tell the state decides */
  const listen = (box, tell) =>
    box.addEventListener("change", () => {
      tell(box.checked);
      if (last) update(last);
    });
  listen(notifications, handlers.onNotifications);
  listen(sound, handlers.onSound);
  for (const radio of themes)
    radio.addEventListener("change", () => handlers.onTheme(/** @type {Theme} */ (radio.value)));
  byId(page, "sign-out", HTMLButtonElement).addEventListener("click", () => handlers.onSignOut());
  popover.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    if (open !== (last?.panel === "settings")) handlers.onPanel(open ? "settings" : "none");
  });
  return { update };
}

/**
 * The style sheets do the rest; a browser's own bar is coloured by the page's two meta elements.
 * @param {Document} page @param {Theme} theme
 */
function applyTheme(page, theme) {
  page.documentElement.dataset.theme = theme;
  for (const meta of page.querySelectorAll("meta[data-scheme]")) {
    const scheme = meta.getAttribute("data-scheme");
    const system = `(prefers-color-scheme: ${scheme})`;
    meta.setAttribute("media", theme === "auto" ? system : theme === scheme ? "all" : "not all");
  }
}
