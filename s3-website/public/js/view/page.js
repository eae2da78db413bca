// Owns the DOM: the frame of the page and the text box, and with the view_*.js that it makes the
// rest. update(state) brings it to any state, however often it is called. It must not decide what is
// shown: chat.js does. What people wrote gets here as textContent only.

import { countText } from "../state/channel.js";
import { channelOf } from "../state/chat.js";
import { status, unreadOf } from "../services/notifier.js";
import { BOX_LIMIT, canSend, counter, isTooLate, isTooLong, TOO_LATE, written } from "../services/sending.js";
import { createMessageList } from "./message_list.js";
import { partsOf, setText } from "./message.js";
import { createChannels, createLazy, createPanel, createSettings } from "./panel.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Handlers} Handlers
 * @typedef {import("../parts.js").Parts} Parts
 */

/** as in css/chat.css: room for the channels, and for the activity too */
const WIDE = "(width >= 50rem)";
const WIDER = "(width >= 68rem)";
const OFFLINE = "Offline: goes out later";

/**
 * @param {Document} page @param {Handlers} handlers
 * @param {() => number} [now] ms since the epoch, by AWS's clock
 */
export function createView(page, handlers, now = Date.now) {
  const part = partsOf(page);
  const wide = matchMedia(WIDE);
  const wider = matchMedia(WIDER);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  /** @type {State | null} */
  let last = null;

  const onClose = () => handlers.onPanel("none");
  const onChannel = (/** @type {string} */ name) => {
    handlers.onChannel(name);
    if (last?.panel === "channels") onClose();
  };
  const list = createMessageList(part["messages-area"], handlers);
  const activity = createLazy(part["activity-body"], async (root) =>
    (await import("./activity.js")).createActivity(root),
  );
  const channels = createChannels(page, { ...handlers, onChannel });
  const composer = createComposer(page, handlers);
  const settings = createSettings(page, handlers);
  const channelsPanel = createPanel({
    panel: part.channels,
    dialog: part.drawer,
    button: part["open-channels"],
    wide,
    onClose,
  });
  const activityPanel = createPanel({
    panel: part.activity,
    dialog: part.sheet,
    button: part["open-activity"],
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
    signInSlot: part["sign-in-slot"],
    googleScript: part["google-script"],
    update,
    scrollToEnd: () => list.toEnd(),
    isDark() {
      const theme = last?.settings.theme ?? "auto";
      return theme === "auto" ? dark.matches : theme === "dark";
    },
  };
}

/**
 * @param {Document} page @param {Parts} part @param {Handlers} handlers
 * @param {{focus(): void}} composer @param {() => State | null} shown
 */
function listen(page, part, handlers, composer, shown) {
  const close = () => handlers.onPanel("none");
  part.skip.addEventListener("click", () => composer.focus());
  part["open-channels"].addEventListener("click", () => handlers.onPanel("channels"));
  part["open-activity"].addEventListener("click", () =>
    handlers.onPanel(shown()?.panel === "activity" ? "none" : "activity"),
  );
  part["close-channels"].addEventListener("click", close);
  part["close-activity"].addEventListener("click", close);
  page.addEventListener(
    "click",
    ({ target, detail }) => {
      // Safari does not focus what is clicked, and its focus would be lost with what goes away;
      // a click without a pointer (0) is another one's, as ENTER in a form
      const button = detail && target instanceof Element ? target.closest("button") : null;
      if (page.activeElement !== button) button?.focus({ preventScroll: true });
    },
    true,
  );
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
  const { body } = part.skip.ownerDocument;
  body.dataset.phase = state.phase;
  body.classList.toggle("inside", inside);
  part.skip.hidden = !inside;
  part["open-channels"].hidden = !inside;
  part["open-activity"].hidden = !inside;
  part["open-settings"].hidden = !inside;
  part.place.hidden = !inside;
  part["messages-area"].hidden = !inside;
  setText(part.channel, inside ? `#${state.channel}` : "");
  part["sign-in"].hidden = state.phase === "connected" && !state.endsSoon;
  setText(part["sign-in-title"], inside ? "Sign in again" : "Welcome");
  part.welcome.hidden = inside;
  part.again.hidden = !inside;
  updateElsewhere(part, state);
}

/**
 * What is unread in the other channels, on the button that shows them.
 * @param {Parts} part @param {State} state
 */
function updateElsewhere(part, state) {
  const { [state.channel]: _, ...channels } = state.channels;
  const { unread, more } = unreadOf({ channels });
  const count = countText(unread, more);
  part.elsewhere.hidden = !count;
  setText(part["elsewhere-text"], count && `, ${count} unread`);
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
  if (state.phase === "connected") {
    const arrived = from !== "connected" || before?.channel !== state.channel;
    if (wide && arrived) composer.focus();
  } else if (state.phase !== from) {
    const left = state.phase === "signed_out" && from && from !== "loading";
    if (left) part["sign-in-title"].focus({ preventScroll: true });
  }
}

/**
 * The text box: keys, growth, counter, send button; what is being edited in it.
 * @param {Document} page @param {Handlers} handlers
 */
function createComposer(page, handlers) {
  const part = partsOf(page);
  const form = part.composer;
  const box = part.message;
  const send = part.send;
  const sendText = part["send-text"];
  const counted = part.counter;
  const limit = part.limit;
  const editing = part.editing;
  const editingText = part["editing-text"];
  /** what is being edited */
  let target = "";
  // elsewhere a copy of the text, unseen in the same cell of a grid, gives the box its height
  const grows = CSS.supports("field-sizing", "content");
  box.maxLength = BOX_LIMIT;

  box.addEventListener("input", () => handlers.onDraft(box.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    handlers.onSend();
    // its button may be disabled by now
    box.focus({ preventScroll: true });
  });
  part["cancel-edit"].addEventListener("click", handlers.onCancelEdit);
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
