// Owns the settings: a popover with the theme, what tells of messages, and the way out.

import { byId, setText } from "./dom.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Handlers} Handlers
 * @typedef {State["settings"]["theme"]} Theme
 */

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
