// Owns the settings: the theme, what tells of messages, and the way out.

import { partsOf, setText } from "./dom.js";
import { applyTheme } from "./theme.js";

/**
 * @typedef {import("./panel.js").Theme} Theme
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Handlers} Handlers
 */

/** @param {Document} page @param {Handlers} handlers */
export function createSettings(page, handlers) {
  const part = partsOf(page);
  const popover = part.settings;
  const who = part.who;
  const notifications = part.notifications;
  const sound = part.sound;
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
  part["sign-out"].addEventListener("click", () => handlers.onSignOut());
  popover.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    if (open !== (last?.panel === "settings")) handlers.onPanel(open ? "settings" : "none");
  });
  return { update };
}
