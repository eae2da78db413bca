// Owns the text box, which holds a draft or the message being edited, and queues its text in the outbox. Pure.

import { channelOf, withChannel, withNotice } from "./chat.js";
import { isChangeable } from "./messages.js";
import * as outbox from "./outbox.js";
import { TEXT_LIMIT } from "./outbox.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Channel} Channel
 */

export const TOO_LATE = "Too late: a message can be changed for 15 minutes.";
const TOO_LONG = `Too long: at most ${TEXT_LIMIT} characters. Shorten it, or send it in parts.`;
const NEAR = `Near the limit of ${TEXT_LIMIT} characters.`;
const OVER = `Over the limit of ${TEXT_LIMIT} characters.`;
/** The text box's limit in UTF-16 units: a megabyte would freeze a browser. */
export const BOX_LIMIT = 20_000;
const FULL_BOX = `Only the first ${BOX_LIMIT} characters fit here.`;
const FULL = `${outbox.OUTBOX_LIMIT} messages are waiting. Your text is kept: send it later.`;

/** @param {State} state @param {string} text @returns {State} with this text in the box */
export function drafted(state, text) {
  const { editing } = channelOf(state);
  const change = editing ? { editing: { ...editing, text } } : { draft: text };
  const next = withChannel(state, state.channel, change);
  if (text.length >= BOX_LIMIT) return withNotice(next, FULL_BOX);
  const isRefused = next.notice === TOO_LONG || next.notice === FULL_BOX;
  return isRefused && !isTooLong(next) ? withNotice(next, "") : next;
}

/** @param {State} state @returns {string} the text in the box */
export function written(state) {
  const { editing, draft } = channelOf(state);
  return editing ? editing.text : draft;
}

/**
 * Edit one of the person's messages in the text box; the draft is kept meanwhile.
 * @param {State} state @param {string} id @param {number} awsNow @returns {State}
 */
export function editing(state, id, awsNow) {
  if (!isChangeable(id, awsNow)) return withNotice(state, TOO_LATE);
  const { messages } = channelOf(state);
  const message = messages.find((message) => message.id === id && !message.deleted);
  return message ? withChannel(state, state.channel, { editing: { id, text: message.text } }) : state;
}

/** @param {State} state @returns {State} with the draft in the box again */
export function editingEnded(state) {
  return withChannel(state, state.channel, { editing: null });
}

/**
 * @param {State} state @param {number} awsNow ms since the epoch, by AWS's clock
 * @returns {boolean} whether the message being edited can no longer be changed
 */
export function isTooLate(state, awsNow) {
  const { editing } = channelOf(state);
  return !!editing && !isChangeable(editing.id, awsNow);
}

/**
 * Whether the text may go to the outbox. It may while offline or during a renewal: it waits there.
 * @param {State} state @returns {boolean}
 */
export function canSend(state) {
  return state.person !== null && outbox.isSendable(written(state));
}

/** @param {State} state @returns {boolean} whether sending only shows that the text is too long */
export function isTooLong(state) {
  return state.person !== null && outbox.lengthOf(written(state).trim()) > TEXT_LIMIT;
}

/**
 * @param {State} state
 * @returns {{count: string, step: string}} near or over the limit, else "": the number of
 *   characters, and a text for screen readers that does not change with each one
 */
export function counter(state) {
  const length = outbox.lengthOf(written(state).trim());
  if (length <= TEXT_LIMIT * 0.9) return { count: "", step: "" };
  return { count: `${length} / ${TEXT_LIMIT}`, step: length > TEXT_LIMIT ? OVER : NEAR };
}

/**
 * Queue the text in the box, as a message or as an edit.
 * @param {State} state @param {string} clientId @param {number} now by AWS's clock
 * @returns {State}
 */
export function sent(state, clientId, now) {
  if (isTooLong(state)) return withNotice(state, TOO_LONG);
  if (!canSend(state) || isTooLate(state, now)) return state;
  const { editing, messages } = channelOf(state);
  const text = written(state);
  if (!editing) return enqueued(state, { clientId, text }, now, { draft: "", divider: "" });
  const current = messages.find(({ id }) => id === editing.id)?.text;
  if (current === text.trim()) return editingEnded(state);
  const edit = /** @type {const} */ ({ clientId, text, action: "edit", target: editing.id });
  return enqueued(state, edit, now, { editing: null });
}

/**
 * Queue the delete of one of the person's messages.
 * @param {State} state @param {string} target @param {string} clientId
 * @param {number} now by AWS's clock
 * @returns {State}
 */
export function deleted(state, target, clientId, now) {
  if (!isChangeable(target, now)) return withNotice(state, TOO_LATE);
  const { editing } = channelOf(state);
  const after = { editing: editing?.id === target ? null : editing };
  return enqueued(state, { clientId, text: "", action: "delete", target }, now, after);
}

/**
 * @param {State} state @param {Omit<Parameters<typeof outbox.queued>[1], "channel">} what
 * @param {number} now @param {Partial<Channel>} after the change to the open channel
 */
function enqueued(state, what, now, after) {
  const { channel } = state;
  const queue = outbox.queued(state.outbox, { ...what, channel }, now);
  if (queue === state.outbox) return { ...state, notice: FULL };
  return { ...withChannel(state, channel, after), outbox: queue, notice: "" };
}
