// Computes the status line and the unread totals. Pure.

import { hasMoreUnread } from "./channel.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {{text: string, tone: "calm" | "good" | "busy" | "bad"}} Status
 */

/** How new messages arrive, in a chat where that varies. */
const PACES = { none: "", live: ". Live", off: ". Checking each second" };
const ENDED = "Your sign-in has ended. Sign in again.";
const ENDS_SOON = "Your sign-in ends soon. Sign in again to stay.";

/** @param {State} state @returns {Status} without what the open channel's messages show themselves */
export function status(state) {
  switch (state.phase) {
    case "loading":
      return { text: "Loading…", tone: "busy" };
    case "signing_in":
      return offline(state) ?? { text: "Signing in…", tone: "busy" };
    case "signed_out":
      return state.notice ? bad(state.notice) : { text: "Sign in to chat", tone: "calm" };
    case "ended":
      return bad(state.notice || `${ENDED}${waiting(state) || " Your text is kept."}`);
    default:
      return connected(state);
  }
}

/**
 * @param {Pick<State, "channels">} state
 * @returns {{unread: number, more: boolean, mentioned: boolean}} over all channels
 */
export function unreadOf({ channels }) {
  const list = Object.values(channels);
  const unread = list.reduce((sum, channel) => sum + channel.unread, 0);
  const mentioned = list.some((channel) => channel.mentioned);
  return { unread, more: list.some(hasMoreUnread), mentioned };
}

/** @param {State} state @returns {Status} */
function connected(state) {
  if (state.notice) return bad(state.notice);
  const why = offline(state);
  if (why) return why;
  if (state.endsSoon) return bad(ENDS_SOON);
  const lost = failures(state);
  if (lost) return bad(lost);
  if (state.outbox.some((item) => item.state === "sending" && item.why)) {
    return { text: "Sending…", tone: "busy" };
  }
  const name = state.person?.name ?? "";
  return { text: `Connected as ${name}${PACES[state.push]}`, tone: "good" };
}

/** @param {State} state @returns {Status | null} a connection problem that resolves by itself */
function offline(state) {
  const why = state.online ? state.trouble : "Offline.";
  return why ? bad(`${why}${waiting(state)}`) : null;
}

/** @param {State} state @returns {string} a failure in a channel that is not open, or "" */
function failures({ outbox, channel }) {
  const item = outbox.find(({ state, channel: other }) => state === "failed" && other !== channel);
  return item ? `A message was not sent: see #${item.channel}.` : "";
}

/** @param {State} state */
function waiting({ outbox }) {
  const count = outbox.filter(({ state }) => state === "queued" || state === "sending").length;
  if (!count) return "";
  return count === 1 ? " 1 message waits." : ` ${count} messages wait.`;
}

/** @param {string} text @returns {Status} */
function bad(text) {
  return { text, tone: "bad" };
}
