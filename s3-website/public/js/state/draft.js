// Owns what is in the text box, a draft or a message that is being edited, and its way to the outbox. Pure.

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
/** As much is in the text box at most, in UTF-16 units: with a megabyte a browser stands still. */
export const BOX_LIMIT = 20_000;
const FULL_BOX = `Only the first ${BOX_LIMIT} characters fit here.`;
const FULL = `${outbox.OUTBOX_LIMIT} messages wait already. Your text is kept: send it later.`;

/** @param {State} state @param {string} text @returns {State} the text in the box is this */
export function drafted(state, text) {
  const { editing } = channelOf(state);
  const change = editing ? { editing: { ...editing, text } } : { draft: text };
  const next = withChannel(state, state.channel, change);
  if (text.length >= BOX_LIMIT) return withNotice(next, FULL_BOX);
  const isRefused = next.notice === TOO_LONG || next.notice === FULL_BOX;
  return isRefused && !isTooLong(next) ? withNotice(next, "") : next;
}

/** @param {State} state @returns {string} what is in the text box */
export function written(state) {
  const { editing, draft } = channelOf(state);
  return editing ? editing.text : draft;
}

/**
 * A message of one's own goes to the text box; what is in the box waits.
 * @param {State} state @param {string} id @param {number} awsNow @returns {State}
 */
export function editing(state, id, awsNow) {
  if (!isChangeable(id, awsNow)) return withNotice(state, TOO_LATE);
  const { messages } = channelOf(state);
  const message = messages.find((message) => message.id === id && !message.deleted);
  return message ? withChannel(state, state.channel, { editing: { id, text: message.text } }) : state;
}

/** @param {State} state @returns {State} the draft is in the text box again */
export function editingEnded(state) {
  return withChannel(state, state.channel, { editing: null });
}

/**
 * @param {State} state @param {number} awsNow ms since the epoch, by AWS's clock
 * @returns {boolean} whether what is being edited cannot be changed any more
 */
export function isTooLate(state, awsNow) {
  const { editing } = channelOf(state);
  return !!editing && !isChangeable(editing.id, awsNow);
}

/**
 * Whether the text in the box may go to the outbox: also while offline, or while the sign-in is
 * renewed; it waits there.
 * @param {State} state @returns {boolean}
 */
export function canSend(state) {
  return state.person !== null && outbox.isSendable(written(state));
}

/** @param {State} state @returns {boolean} to send it tells so */
export function isTooLong(state) {
  return state.person !== null && outbox.lengthOf(written(state).trim()) > TEXT_LIMIT;
}

/**
 * @param {State} state
 * @returns {{count: string, step: string}} near and over the limit, else "": how many characters
 *   there are; and what is heard, which does not change with each of them
 */
export function counter(state) {
  const length = outbox.lengthOf(written(state).trim());
  if (length <= TEXT_LIMIT * 0.9) return { count: "", step: "" };
  return { count: `${length} / ${TEXT_LIMIT}`, step: length > TEXT_LIMIT ? OVER : NEAR };
}

/**
 * The text in the box goes to the outbox, as a message or as an edit.
 * @param {State} state @param {string} clientId @param {number} now by AWS's clock
 * @returns {State}
 */
export function sent(state, clientId, now) {
  if (isTooLong(state)) return withNotice(state, TOO_LONG);
  if (!canSend(state) || isTooLate(state, now)) return state;
  const { editing, messages } = channelOf(state);
  const text = written(state);
  if (!editing) return enqueued(state, { clientId, text }, now, { draft: "", divider: "" });
  const as = messages.find(({ id }) => id === editing.id)?.text;
  if (as === text.trim()) return editingEnded(state);
  const edit = /** @type {const} */ ({ clientId, text, action: "edit", target: editing.id });
  return enqueued(state, edit, now, { editing: null });
}

/**
 * A message of one's own is to be deleted.
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
 * @param {number} now @param {Partial<Channel>} after what becomes of the open channel
 */
function enqueued(state, what, now, after) {
  const { channel } = state;
  const queue = outbox.queued(state.outbox, { ...what, channel }, now);
  if (queue === state.outbox) return { ...state, notice: FULL };
  return { ...withChannel(state, channel, after), outbox: queue, notice: "" };
}
