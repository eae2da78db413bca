// Owns the text box: keys, growth, counter, send button. What may be sent is chat.js's to say.

import { canSend, channelOf, counter } from "./chat.js";
import { byId, setText } from "./dom.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Handlers} Handlers
 */

const OFFLINE = "Offline: goes out when you are back";

/** @param {Document} page @param {Handlers} handlers */
export function createComposer(page, handlers) {
  const form = byId(page, "composer", HTMLFormElement);
  const box = byId(page, "message", HTMLTextAreaElement);
  const send = byId(page, "send", HTMLButtonElement);
  const count = byId(page, "counter", HTMLElement);
  // elsewhere a copy of the text, unseen in the same cell of a grid, gives the box its height
  const grows = CSS.supports("field-sizing", "content");

  box.addEventListener("input", () => handlers.onDraft(box.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    handlers.onSend();
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

    /** @param {State} state */
    update(state) {
      const { draft } = channelOf(state);
      const sendable = canSend(state);
      const counted = counter(state);
      form.hidden = state.person === null;
      if (box.value !== draft) box.value = draft;
      if (!grows) box.parentElement?.setAttribute("data-text", draft);
      const hint = state.online ? `Message #${state.channel}` : OFFLINE;
      if (box.placeholder !== hint) box.placeholder = hint;
      send.disabled = !sendable;
      setText(count, counted);
      count.hidden = !counted;
      count.dataset.tone = sendable ? "calm" : "bad";
    },
  };
}
