// Draws the text box: keys, growth, counter, send button, and the mode for editing a message.

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

/** @param {Document} page @param {Handlers} handlers */
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
  /** id of the message being edited, or "" */
  let target = "";
  // without it, an invisible copy of the text in the same grid cell gives the box its height
  const grows = CSS.supports("field-sizing", "content");
  box.maxLength = BOX_LIMIT;

  box.addEventListener("input", () => handlers.onDraft(box.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    handlers.onSend();
    // the button may be disabled by now
    box.focus({ preventScroll: true });
  });
  part["cancel-edit"].addEventListener("click", handlers.onCancelEdit);
  form.parentElement?.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || !target) return;
    event.preventDefault();
    handlers.onCancelEdit();
  });
  box.addEventListener("keydown", (event) => {
    // Safari ends a composition before the ENTER that ended it, whose keyCode is still 229
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
      // a text that is too long can be sent, to show why it is refused
      send.disabled = !sendable && !isTooLong(state);
      const here = form.parentElement?.contains(page.activeElement);
      editing.hidden = !id;
      setText(editingText, id && (late ? TOO_LATE : "Editing your message"));
      setText(sendText, id ? "Save" : "Send");
      send.classList.toggle("save", id !== "");
      if (id !== target) {
        target = id;
        // the focused button may be gone
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
