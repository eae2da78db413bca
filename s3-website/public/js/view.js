// Owns the DOM: the frame of the page and the text box, and with the view_*.js that it makes the
// rest. update(state) brings it to any state, however often it is called. It must not decide what is
// shown: chat.js does. What people wrote gets here as textContent only.

import { countText } from "./channels.js";
import { channelOf } from "./chat.js";
import { byId, setText } from "./dom.js";
import { status, unreadOf } from "./notify.js";
import { createChannels } from "./view_channels.js";
import { createMessageList } from "./view_list.js";
import { createLazy, createPanel, createSettings } from "./view_panels.js";
import { canSend, counter, isTooLate, isTooLong, TOO_LATE, written } from "./writing.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Handlers} Handlers
 */

/** as in css/chat.css: room for the channels, and for the activity too */
const WIDE = "(width >= 50rem)";
const WIDER = "(width >= 68rem)";
const OFFLINE = "Offline: goes out when you are back";

/**
 * @param {Document} page @param {Handlers} handlers
 * @param {() => number} [now] ms since the epoch, by AWS's clock
 */
export function createView(page, handlers, now = Date.now) {
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
  const activity = createLazy(part.activityBody, async (root) =>
    (await import("./view_activity.js")).createActivity(root),
  );
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
    channelsPanel.update(inside && (wide.matches || state.panel === "channels"));
    activityPanel.update(inside && state.panel === "activity");
    activity.update(inside && state.panel === "activity", state.activity);
    settings.update(state);
    composer.update(state, now());
    // both measure: not at the first look, but once more after a sign-out
    if (inside || before?.person) {
      channels.update(state);
      list.update(state, now());
    }
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
  const channels = Object.fromEntries(others.map((name) => [name, channelOf(state, name)]));
  const { unread, more } = unreadOf({ channels });
  const count = countText(unread, more);
  part.elsewhere.hidden = !count;
  setText(part.elsewhereText, count && `, ${count} unread`);
}

/** @param {Parts} part @param {State} state */
function updateStatus(part, state) {
  const { text, tone } = status(state);
  setText(part.status, text);
  part.status.dataset.tone = tone;
  // what failed here says so itself, but may be out of sight
  const failed = state.outbox.some((one) => one.state === "failed");
  part.place.dataset.tone = failed && tone === "good" ? "bad" : tone;
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

/**
 * The text box: keys, growth, counter, send button; what is being edited in it.
 * @param {Document} page @param {Handlers} handlers
 */
function createComposer(page, handlers) {
  const form = byId(page, "composer", HTMLFormElement);
  const box = byId(page, "message", HTMLTextAreaElement);
  const send = byId(page, "send", HTMLButtonElement);
  const sendText = byId(page, "send-text", HTMLElement);
  const counted = byId(page, "counter", HTMLElement);
  const limit = byId(page, "limit", HTMLElement);
  const editing = byId(page, "editing", HTMLElement);
  const editingText = byId(page, "editing-text", HTMLElement);
  /** what is being edited */
  let target = "";
  // elsewhere a copy of the text, unseen in the same cell of a grid, gives the box its height
  const grows = CSS.supports("field-sizing", "content");

  box.addEventListener("input", () => handlers.onDraft(box.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    handlers.onSend();
  });
  byId(page, "cancel-edit", HTMLButtonElement).addEventListener("click", handlers.onCancelEdit);
  form.parentElement?.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !target) return;
    event.preventDefault();
    handlers.onCancelEdit();
  });
  box.addEventListener("keydown", (event) => {
    // Safari ends a composition before the ENTER that ended it: that key still says 229
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    handlers.onSend();
  });

  return {
    focus() {
      box.focus({ preventScroll: true });
    },

    /** @param {State} state @param {number} now by AWS's clock */
    update(state, now) {
      const draft = written(state);
      const id = channelOf(state).editing?.id ?? "";
      const late = isTooLate(state, now);
      const sendable = canSend(state) && !late;
      const { count, step } = counter(state);
      form.hidden = state.person === null;
      if (box.value !== draft) box.value = draft;
      if (!grows) box.parentElement?.setAttribute("data-text", draft);
      const hint = state.online ? `Message #${state.channel}` : OFFLINE;
      if (box.placeholder !== hint) box.placeholder = hint;
      // a text that is too long is refused in words
      send.disabled = !sendable && !isTooLong(state);
      const here = form.parentElement?.contains(page.activeElement);
      editing.hidden = !id;
      setText(editingText, id && (late ? TOO_LATE : "Editing your message"));
      setText(sendText, id ? "Save" : "Send");
      send.classList.toggle("save", id !== "");
      if (id !== target) {
        target = id;
        // its buttons may be gone
        if (id || here) box.focus({ preventScroll: true });
        if (id) box.setSelectionRange(draft.length, draft.length);
      }
      setText(counted, count);
      counted.hidden = !count;
      counted.dataset.tone = sendable ? "calm" : "bad";
      setText(limit, step);
    },
  };
}
