// Draws the settings, which are loaded after sign-in: theme, alerts, sign-out.

import { partsOf, setText } from "./dom.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Handlers} Handlers
 * @typedef {State["settings"]["theme"]} Theme
 */

/** @param {Document} page @param {Handlers} handlers */
export function createSettings(page, handlers) {
  const part = partsOf(page);
  const body = part["settings-body"];
  const who = part.who;
  const notifications = part.notifications;
  const sound = part.sound;
  const themes = /** @type {NodeListOf<HTMLInputElement>} */ (
    body.querySelectorAll("[name=theme]")
  );
  /** @type {State | null} */
  let last = null;

  /** @param {State} state */
  const update = (state) => {
    const { person, settings } = state;
    setText(who, person?.name ?? "");
    for (const radio of themes) radio.checked = radio.value === settings.theme;
    notifications.checked = settings.notifications;
    sound.checked = settings.sound;
    last = state;
  };

  /** The state decides. @param {HTMLInputElement} box @param {(wanted: boolean) => void} onChange */
  const listen = (box, onChange) =>
    box.addEventListener("change", () => {
      onChange(box.checked);
      if (last) update(last);
    });
  listen(notifications, handlers.onNotifications);
  listen(sound, handlers.onSound);
  for (const radio of themes)
    radio.addEventListener("change", () => handlers.onTheme(/** @type {Theme} */ (radio.value)));
  part["sign-out"].addEventListener("click", () => handlers.onSignOut());
  body.inert = false;
  return { update };
}
