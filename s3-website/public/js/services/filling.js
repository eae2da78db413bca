// Fills the gaps of a transcript from the table. It must not change the state.

import * as chat from "../state/chat.js";
import { changesGap, END, gap, idAt, LINE_LIMIT, readUntil } from "../state/messages.js";
import { sentSince } from "../state/outbox.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {import("../state.js").Rows} Rows
 * @typedef {import("../state/messages.js").Range} Range
 */

/** How many messages are read at a channel's end, and at each scroll-back. */
export const EARLIER_LIMIT = 100;

/**
 * Complete a transcript from the table: the messages and changes between the known ones and the
 * transcript, or the newest messages if it is missing.
 * @param {Reading} reading @param {State} state @param {string} channel
 * @param {(range: Range, limit: number) => Promise<Rows>} readRows of that channel
 * @returns {Promise<Reading>}
 */
export async function fill(reading, state, channel, readRows) {
  const { loaded, messages, readTo, lastRead, asOf } = chat.channelOf(state, channel);
  const sent = idAt(sentSince(state.outbox, channel));
  const since = [sent, channel === state.channel ? lastRead : ""].filter(Boolean).sort()[0];
  let next = reading;
  /** Read rows into `next`. @param {Range} range @param {number} limit @returns {Promise<Rows>} */
  const query = async (range, limit) => {
    const rows = await readRows(range, limit);
    const all = [...rows.messages, ...next.messages];
    next = { ...next, messages: all, changes: [...next.changes, ...rows.changes] };
    return rows;
  };
  if (next.from && !next.messages.length) {
    const { more, messages: newest } = await query({ after: "", before: END }, EARLIER_LIMIT);
    next.from = more ? (newest[0]?.id ?? END) : "";
  }
  const missing = gap(loaded ? readUntil({ messages, readTo }) : "", next.from, since);
  if (missing) {
    const { more, messages: filled } = await query(missing, LINE_LIMIT);
    next.from = more ? (filled[0]?.id ?? next.from) : missing.after;
  }
  const missedChanges = changesGap(messages.length ? asOf : "", next.changesSince);
  if (missedChanges && !(await query(missedChanges, LINE_LIMIT)).more) next.changesSince = "";
  return next;
}
