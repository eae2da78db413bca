// Owns the text box: keys, growth, counter, send button; what is being edited in it.

import { channelOf } from "../state/chat.js";
import {
  BOX_LIMIT,
  canSend,
  counter,
  isTooLate,
  isTooLong,
  TOO_LATE,
  written,
} from "../state/draft.js";
import { partsOf, setText } from "./dom.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Handlers} Handlers
 */

const OFFLINE = "Offline: will be sent later";

/**
 * The text box: keys, growth, counter, send button; what is being edited in it.
 * @param {Document} page @param {Handlers} handlers
 */
export function createComposer(page, handlers) {
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
