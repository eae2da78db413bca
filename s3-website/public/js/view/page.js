// Draws the page's frame and, through the parts it creates, the whole DOM. update(state) may be called at any time.
// It must not decide what is shown: state/ does. Text that people wrote reaches the DOM only as textContent.

import { countText } from "../state/channel.js";
import { status, unreadOf } from "../state/status.js";
import { createChannels } from "./channel_list.js";
import { createComposer } from "./composer.js";
import { partsOf, setText } from "./dom.js";
import { createMessageList } from "./message_list.js";
import { createLazy, createPanel, createPopover } from "./panel.js";
import { applyTheme } from "./theme.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Handlers} Handlers
 * @typedef {import("../parts.js").Parts} Parts
 */

/** as in css/panels.css: room for the channels, and for the activity as well */
const WIDE = "(width >= 50rem)";
const WIDER = "(width >= 68rem)";

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
  // loaded at sign-in, since signing out must work offline
  const settings = createLazy(part["settings-note"], async () =>
    (await import("./settings.js")).createSettings(page, handlers),
  );
  const settingsPanel = createPopover(part.settings, (open) =>
    handlers.onPanel(open ? "settings" : "none"),
  );
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
    settingsPanel.update(state.panel === "settings");
    activity.update(inside && state.panel === "activity" ? "open" : "", state.activity);
    settings.update(inside ? state.panel : "", state);
    const { theme } = state.settings;
    if (before?.settings.theme !== theme) applyTheme(page, theme);
    composer.update(state, now());
    // both measure the layout: skipped on first paint, but run once after a sign-out
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
    /** for Google's button */
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
      // Safari does not focus a clicked button, so the focus would be lost when other parts go;
      // a click without a pointer (0) comes from elsewhere, such as ENTER in a form
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
 * @param {boolean} inside whether somebody is, or was, signed in
 */
function updateFrame(part, state, inside) {
  part.skip.ownerDocument.body.classList.toggle("inside", inside);
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
  updateOtherUnread(part, state);
}

/**
 * Show the other channels' unread count on the button that opens the list.
 * @param {Parts} part @param {State} state
 */
function updateOtherUnread(part, state) {
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
  // a failed message shows its failure, but may be scrolled out of view
  const failed = state.outbox.some((item) => item.state === "failed");
  part.place.dataset.tone = failed && tone === "good" ? "bad" : tone;
}

/**
 * Focus the text box after signing in or changing the channel, except on a phone, whose keyboard would
 * cover half of the channel; after signing out, focus the title.
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
