// Owns the DOM, with the view_*.js that it makes: update(state) brings it to any state, however
// often it is called. It must not decide what is shown: chat.js does. What people wrote gets here
// as textContent only.

import { status } from "./chat.js";
import { byId, setText } from "./dom.js";
import { createActivity } from "./view_activity.js";
import { createChannels } from "./view_channels.js";
import { createComposer } from "./view_composer.js";
import { createMessageList } from "./view_list.js";
import { createPanel } from "./view_panels.js";
import { createSettings } from "./view_settings.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Handlers} Handlers
 */

/** as in css/panels.css: room for the channels, and for the activity too */
const WIDE = "(width >= 50rem)";
const WIDER = "(width >= 68rem)";

/** @param {Document} page @param {Handlers} handlers */
export function createView(page, handlers) {
  const part = parts(page);
  const wide = matchMedia(WIDE);
  const wider = matchMedia(WIDER);
  /** @type {State | null} */
  let last = null;

  const onClose = () => handlers.onPanel("none");
  const onChannel = (/** @type {string} */ name) => {
    handlers.onChannel(name);
    if (last?.panel === "channels") onClose();
  };
  const onCreateChannel = (/** @type {string} */ name) => {
    const wrong = handlers.onCreateChannel(name);
    if (!wrong && last?.panel === "channels") onClose();
    return wrong;
  };
  const list = createMessageList(part.messagesArea, handlers);
  const activity = createActivity(part.activityBody);
  const channels = createChannels(page, { ...handlers, onChannel, onCreateChannel });
  const composer = createComposer(page, handlers);
  const settings = createSettings(page, handlers);
  const channelsPanel = createPanel({
    panel: part.channels,
    dialog: part.drawer,
    button: part.openChannels,
    wide,
    onClose,
  });
  const activityPanel = createPanel({
    panel: part.activity,
    dialog: part.sheet,
    button: part.openActivity,
    wide: wider,
    onClose,
  });

  /** @param {State} state */
  const update = (state) => {
    const before = last;
    last = state;
    const inside = state.person !== null;
    updateFrame(part, state, inside);
    updateStatus(part, state);
    channels.update(state);
    channelsPanel.update(inside && (wide.matches || state.panel === "channels"));
    activityPanel.update(inside && state.panel === "activity");
    activity.update(state.activity);
    settings.update(state);
    composer.update(state);
    list.update(state, Date.now());
    moveFocus(part, composer, before, state, wide.matches);
  };

  listen(page, part, handlers, composer, () => last);
  for (const room of [wide, wider])
    room.addEventListener("change", () => last && update(last));
  list.followResizes();
  return {
    /** Where Google draws its button. */
    signInSlot: part.slot,
    googleScript: part.googleScript,
    update,
    scrollToEnd: () => list.toEnd(),
  };
}

/** @param {Document} page */
function parts(page) {
  return {
    body: page.body,
    googleScript: byId(page, "google-script", HTMLScriptElement),
    skip: byId(page, "skip", HTMLButtonElement),
    openChannels: byId(page, "open-channels", HTMLButtonElement),
    elsewhere: byId(page, "elsewhere", HTMLElement),
    elsewhereText: byId(page, "elsewhere-text", HTMLElement),
    place: byId(page, "place", HTMLElement),
    channel: byId(page, "channel", HTMLElement),
    openActivity: byId(page, "open-activity", HTMLButtonElement),
    openSettings: byId(page, "open-settings", HTMLButtonElement),
    channels: byId(page, "channels", HTMLElement),
    closeChannels: byId(page, "close-channels", HTMLButtonElement),
    drawer: byId(page, "drawer", HTMLDialogElement),
    activity: byId(page, "activity", HTMLElement),
    activityBody: byId(page, "activity-body", HTMLElement),
    closeActivity: byId(page, "close-activity", HTMLButtonElement),
    sheet: byId(page, "sheet", HTMLDialogElement),
    messagesArea: byId(page, "messages-area", HTMLElement),
    signIn: byId(page, "sign-in", HTMLElement),
    signInTitle: byId(page, "sign-in-title", HTMLElement),
    welcome: byId(page, "welcome", HTMLElement),
    again: byId(page, "again", HTMLElement),
    slot: byId(page, "sign-in-slot", HTMLElement),
    status: byId(page, "status", HTMLElement),
  };
}

/** @typedef {ReturnType<typeof parts>} Parts */

/**
 * @param {Document} page @param {Parts} part @param {Handlers} handlers
 * @param {{focus(): void}} composer @param {() => State | null} shown
 */
function listen(page, part, handlers, composer, shown) {
  const close = () => handlers.onPanel("none");
  part.skip.addEventListener("click", () => composer.focus());
  part.openChannels.addEventListener("click", () => handlers.onPanel("channels"));
  part.openActivity.addEventListener("click", () =>
    handlers.onPanel(shown()?.panel === "activity" ? "none" : "activity"),
  );
  part.closeChannels.addEventListener("click", close);
  part.closeActivity.addEventListener("click", close);
  page.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
    if ((shown()?.panel ?? "none") !== "none") close();
  });
}

/**
 * @param {Parts} part @param {State} state
 * @param {boolean} inside somebody is, or was, signed in
 */
function updateFrame(part, state, inside) {
  part.body.dataset.phase = state.phase;
  part.body.classList.toggle("inside", inside);
  part.skip.hidden = !inside;
  part.openChannels.hidden = !inside;
  part.openActivity.hidden = !inside;
  part.openSettings.hidden = !inside;
  part.place.hidden = !inside;
  part.messagesArea.hidden = !inside;
  setText(part.channel, inside ? `#${state.channel}` : "");
  part.signIn.hidden = state.phase === "connected" && !state.endsSoon;
  setText(part.signInTitle, inside ? "Sign in again" : "Welcome");
  part.welcome.hidden = inside;
  part.again.hidden = !inside;
  updateElsewhere(part, state);
}

/**
 * What is unread in the other channels, on the button that shows them.
 * @param {Parts} part @param {State} state
 */
function updateElsewhere(part, state) {
  const others = state.names.filter((name) => name !== state.channel);
  const unread = others.reduce((sum, name) => sum + (state.channels[name]?.unread ?? 0), 0);
  part.elsewhere.hidden = !unread;
  setText(part.elsewhereText, unread ? `, ${unread} unread` : "");
}

/** @param {Parts} part @param {State} state */
function updateStatus(part, state) {
  const { text, tone } = status(state);
  setText(part.status, text);
  part.status.dataset.tone = tone;
  part.place.dataset.tone = tone;
}

/**
 * After signing in or changing the channel one can type at once; after signing out the keyboard is
 * not lost. On a phone a channel is read first: its keyboard would cover half of it.
 * @param {Parts} part @param {{focus(): void}} composer @param {State | null} before
 * @param {State} state @param {boolean} wide
 */
function moveFocus(part, composer, before, state, wide) {
  const from = before?.phase;
  if (state.phase !== from) {
    if (state.phase === "connected") composer.focus();
    const left = state.phase === "signed_out" && from && from !== "loading";
    if (left) part.signInTitle.focus({ preventScroll: true });
  } else if (state.phase === "connected" && wide && before?.channel !== state.channel) {
    composer.focus();
  }
}
