// Owns the state of the chat as a person sees it, and every change to it. All functions are pure:
// time and ids come in as arguments. It must not touch the network, the DOM or a clock.

import { merged } from "./messages.js";

/**
 * @typedef {import("./messages.js").Message} Message
 * @typedef {{messages: readonly Message[], loaded: boolean, draft: string}} Channel
 * @typedef {{name: string, user: string}} Person `user` marks one's own messages
 * @typedef {{clientId: string, text: string, draft: string, channel: string}} Sending
 *   `text` is what goes out, `draft` what stood in the text box
 * @typedef {{clientId: string, since: number}} Awaited sent, but not seen in a transcript yet
 * @typedef {"loading" | "signed_out" | "signing_in" | "connected" | "ended"} Phase
 * @typedef {{phase: Phase, person: Person | null, channel: string,
 *   channels: Readonly<Record<string, Channel>>, sending: Sending | null, failed: Sending | null,
 *   awaited: readonly Awaited[], endsSoon: boolean, trouble: string, notice: string}} State
 *   `trouble` is the link's and passes by itself; `notice` is for the person to act on
 * @typedef {{text: string, tone: "calm" | "good" | "busy" | "bad"}} Status
 */

export const TEXT_LIMIT = 2000;
const UNSEEN_MS = 15_000;
const NOT_SENT = "Not sent, your text is kept.";
// store_message refuses a text in which there is nothing to see
const INVISIBLE = /[\s\0\u00ad\u200b-\u200d\u2060\ufeff]/g;

/** @type {Channel} */
const EMPTY = Object.freeze({ messages: Object.freeze([]), loaded: false, draft: "" });

/** @param {string} channel @returns {State} before anything is known */
export function initial(channel) {
  return {
    phase: "loading",
    person: null,
    channel,
    channels: { [channel]: EMPTY },
    sending: null,
    failed: null,
    awaited: [],
    endsSoon: false,
    trouble: "",
    notice: "",
  };
}

/** @param {State} state @param {string} [name] @returns {Channel} the open one by default */
export function channelOf(state, name = state.channel) {
  return state.channels[name] ?? EMPTY;
}

/** @param {State} state @returns {State} the sign-in button can be used */
export function signInReady(state) {
  return state.phase === "loading" ? { ...state, phase: "signed_out" } : state;
}

/** @param {State} state @returns {State} a renewal behind a working session is not shown */
export function signingIn(state) {
  return state.phase === "connected" ? state : { ...state, phase: "signing_in", notice: "" };
}

/**
 * Another person on the same page starts with an empty text box.
 * @param {State} state @param {Person} person @returns {State}
 */
export function signedIn(state, person) {
  const same = !state.person || state.person.user === person.user;
  const channels = withoutDrafts(state.channels);
  const kept = same ? state : { ...initial(state.channel), channels };
  return { ...kept, phase: "connected", person, endsSoon: false, trouble: "", notice: "" };
}

/**
 * The sign-in did not work out: a session that still runs goes on.
 * @param {State} state @param {string} notice @returns {State}
 */
export function signInFailed(state, notice) {
  if (state.phase === "connected") return { ...state, notice };
  return { ...state, phase: state.person ? "ended" : "signed_out", notice };
}

/** @param {State} state @returns {State} the silent renewal has been asked for */
export function signInEndsSoon(state) {
  return state.phase === "connected" ? { ...state, endsSoon: true } : state;
}

/**
 * What is on the screen and in the text box stays; what was being sent can be sent again.
 * @param {State} state @returns {State}
 */
export function signInEnded(state) {
  if (state.phase !== "connected") return state;
  const failed = state.sending ?? state.failed;
  const quiet = { sending: null, endsSoon: false, trouble: "", notice: "" };
  return { ...state, ...quiet, phase: "ended", failed };
}

/** @param {State} state @returns {State} nothing of the person is left */
export function signedOut(state) {
  return { ...initial(state.channel), phase: "signed_out" };
}

/** @param {State} state @param {string} draft @returns {State} */
export function drafted(state, draft) {
  return withChannel(state, state.channel, { draft });
}

/** @param {string} text @returns {number} as store_message counts: characters, not UTF-16 units */
export function lengthOf(text) {
  return [...text].length;
}

/** @param {State} state @returns {boolean} whether the text in the box may be sent now */
export function canSend(state) {
  const text = channelOf(state).draft.trim();
  const visible = text.replace(INVISIBLE, "") !== "";
  return state.phase === "connected" && !state.sending && visible && !isTooLong(text);
}

/** @param {State} state @returns {string} shown near and over the limit, else "" */
export function counter(state) {
  const length = lengthOf(channelOf(state).draft.trim());
  return length > TEXT_LIMIT * 0.9 ? `${length} / ${TEXT_LIMIT}` : "";
}

/**
 * Start to send what is in the text box. The same text after a failure keeps its client id, so
 * that it is shown once even if the first try did arrive.
 * @param {State} state @param {string} newId @returns {State}
 */
export function sendStarted(state, newId) {
  if (!canSend(state)) return state;
  const { draft } = channelOf(state);
  const text = draft.trim().toWellFormed();
  const { failed } = state;
  const again = failed && failed.text === text && failed.channel === state.channel;
  const clientId = again ? failed.clientId : newId;
  const sending = { clientId, text, draft, channel: state.channel };
  return { ...state, sending, failed: null, notice: "" };
}

/**
 * AWS has the message: what was typed since then stays in the text box.
 * @param {State} state @param {number} now @returns {State}
 */
export function sendDone(state, now) {
  const { sending } = state;
  if (!sending) return state;
  const { draft, messages } = channelOf(state, sending.channel);
  const rest = draft.startsWith(sending.draft) ? draft.slice(sending.draft.length) : draft;
  const { clientId } = sending;
  const seen = messages.some((message) => message.clientId === clientId);
  const awaited = seen ? state.awaited : [...state.awaited, { clientId, since: now }];
  return { ...withChannel(state, sending.channel, { draft: rest }), sending: null, awaited };
}

/** @param {State} state @param {string} why @returns {State} the text stays in the text box */
export function sendFailed(state, why) {
  if (!state.sending) return state;
  const notice = `${NOT_SENT} ${why}`;
  return { ...state, sending: null, failed: state.sending, notice };
}

/**
 * Take messages in: from a transcript, with what filled the gap before it.
 * @param {State} state @param {string} channel @param {readonly Message[]} incoming
 * @returns {State}
 */
export function received(state, channel, incoming) {
  const messages = merged(channelOf(state, channel).messages, incoming);
  const seen = new Set(incoming.map((message) => message.clientId));
  const awaited = state.awaited.filter((one) => !seen.has(one.clientId));
  return withChannel({ ...state, awaited }, channel, { messages, loaded: true });
}

/**
 * A poll worked: whatever was wrong with the link is over.
 * @param {State} state @param {number} now @returns {State}
 */
export function polled(state, now) {
  const lost = state.awaited.filter((one) => now - one.since >= UNSEEN_MS);
  const plain = withoutTrouble(state);
  if (!lost.length) return plain;
  const notice = "A message of yours has not appeared. It may have been refused: send it again.";
  return { ...plain, notice, awaited: state.awaited.filter((one) => !lost.includes(one)) };
}

/** @param {State} state @returns {State} why a send failed is over too; that it failed is not */
function withoutTrouble(state) {
  const notice = state.failed ? `${NOT_SENT} Send it again.` : state.notice;
  if (!state.trouble && notice === state.notice) return state;
  return { ...state, trouble: "", notice };
}

/** @param {State} state @param {string} why @returns {State} */
export function pollFailed(state, why) {
  return { ...state, trouble: `${why} Reconnecting…` };
}

/** @param {State} state @param {Message} message */
export function isOwn(state, message) {
  return message.kind === "user" && message.user !== "" && message.user === state.person?.user;
}

/** @param {State} state @returns {Status} the one line that says what is happening */
export function status(state) {
  const name = state.person?.name ?? "";
  switch (state.phase) {
    case "loading":
      return { text: "Loading…", tone: "busy" };
    case "signing_in":
      return { text: "Signing in…", tone: "busy" };
    case "signed_out":
      return state.notice ? bad(state.notice) : { text: "Sign in to chat", tone: "calm" };
    case "ended":
      return bad(state.notice || "Your sign-in has ended. Sign in again: your text is kept.");
    default:
      break;
  }
  if (state.sending) return { text: "Sending…", tone: "busy" };
  if (state.notice) return bad(state.notice);
  if (state.trouble) return bad(state.trouble);
  if (state.endsSoon) return bad("Your sign-in ends soon. Sign in again to stay.");
  return state.awaited.length
    ? { text: "Sent", tone: "good" }
    : { text: `Connected as ${name}`, tone: "good" };
}

/** @param {string} text @returns {Status} */
function bad(text) {
  return { text, tone: "bad" };
}

/** @param {string} text */
function isTooLong(text) {
  // code units are at least as many as characters, so most texts need no counting
  return text.length > TEXT_LIMIT && lengthOf(text) > TEXT_LIMIT;
}

/** @param {State} state @param {string} name @param {Partial<Channel>} change @returns {State} */
function withChannel(state, name, change) {
  const channel = { ...channelOf(state, name), ...change };
  return { ...state, channels: { ...state.channels, [name]: channel } };
}

/** @param {Readonly<Record<string, Channel>>} channels */
function withoutDrafts(channels) {
  const entries = Object.entries(channels);
  return Object.fromEntries(entries.map(([name, channel]) => [name, { ...channel, draft: "" }]));
}
