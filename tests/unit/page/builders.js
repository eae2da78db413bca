// Builders of messages, people and states for the page's tests.

import * as chat from "../../../s3-website/public/js/state/chat.js";
import * as draft from "../../../s3-website/public/js/state/draft.js";

export const ADA = { name: "Ada Lovelace", user: "a".repeat(16), picture: "" };
export const GRACE = { name: "Grace Hopper", user: "b".repeat(16), picture: "" };
export const START_MS = Date.UTC(2026, 0, 1, 12);

/** A message by Grace, so many seconds after noon. @param {number} second @param {object} [changes] */
export function message(second, changes = {}) {
  const sentAt = new Date(START_MS + second * 1000).toISOString();
  const clientId = `c${second}`;
  return {
    id: `${sentAt}#${clientId}`,
    name: GRACE.name,
    text: `text ${second}`,
    user: GRACE.user,
    picture: "",
    sentAt,
    clientId,
    kind: "user",
    edited: false,
    deleted: false,
    ...changes,
  };
}

/** The same, by Ada. */
export const own = (second, changes = {}) =>
  message(second, { name: ADA.name, user: ADA.user, ...changes });

export const range = (from, to) =>
  Array.from({ length: to - from }, (_, index) => message(from + index));

/** A state with Ada signed in. @param {object} [kept] what her browser saved */
export function connected(kept) {
  return chat.signedIn(chat.signInReady(chat.initial("default")), ADA, kept);
}

export const KEPT = { outbox: [], drafts: {}, lastRead: {}, visited: [] };

export const outgoing = (clientId, changes = {}) => ({
  clientId,
  channel: "default",
  text: `text of ${clientId}`,
  state: "queued",
  why: "",
  at: START_MS,
  ...changes,
});

/** Let pending promises settle. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Reproducible random numbers in [0, 1). @param {number} seed */
export function chance(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A reading that leaves no gap to the known messages. */
export const reading = (messages, changes = [], more = {}) => ({
  messages,
  changes,
  from: messages.length ? "0" : "",
  changesSince: "",
  asOf: "",
  ...more,
});

/** A transcript that may have earlier messages. */
export const transcript = (messages, changes = []) =>
  reading(messages, changes, { from: messages[0]?.id ?? "~" });

/** What the broker delivers of a channel: the newest messages of its transcript. */
export const push = (messages, more = {}) => ({
  channel: "default",
  notice: false,
  after: "",
  messages,
  edited: [],
  changes: [],
  ...more,
});

/** The state after the person has sent a text from the box. */
export const sent = (state, text, id = "id-1") => draft.sent(draft.drafted(state, text), id, START_MS);

export const received = (state, name, messages, seen, changes) =>
  chat.received(state, name, reading(messages, changes), seen);

export const reachedBack = (state, name, id, messages, more, changes = []) =>
  chat.reachedBack(state, name, id, { messages, changes, more });
