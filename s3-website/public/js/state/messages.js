// Owns how lists of messages and of their changes are put together: gaps, order, union. All functions are
// pure.

/**
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Change} Change
 * @typedef {import("../state.js").Channel} Channel
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {{after: string, before: string}} Range ids; `before` is not part of it
 */

/** As many are read to fill a gap, and kept of a channel that is not open. */
export const LINE_LIMIT = 500;
/** As many are kept of the open channel, while its reader is at the end. */
export const KEPT_LIMIT = 5_000;
/** So long after it was sent, its sender can change a message. */
const CHANGEABLE_MS = 15 * 60_000;
const CHANGES_LIMIT = 1_000;
/** store_message lets a message stand where it was sent for 2 s; a try of the write ends after 1.3 s. */
const LATE_MS = 3_500;
// what is read anew of what is known when something is missing
const OVERLAP_MS = 10_000;
/** Ids of messages are times. Those of changes begin with this, and so come after all of them. */
export const END = "~";

/**
 * What is missing between what is known and a transcript: more came than it holds, or perhaps
 * something late.
 * @param {readonly Message[]} known oldest first
 * @param {string} from the transcript holds all from this id on; "" for the whole channel
 * @param {string} [since] the id to reach when nothing is known yet; "" for none
 * @returns {Range | null}
 */
export function gap(known, from, since = "") {
  const newest = newestId(known) || since;
  if (!newest || from < idBefore(newest, LATE_MS)) return null;
  const after = idBefore(newest, OVERLAP_MS);
  return after < from ? { after, before: from } : null;
}

/**
 * The changes that are missing: those since the table was read, but for what is told of.
 * @param {string} asOf when, ISO 8601; "" for never @param {string} changesSince all are told of
 * @returns {Range | null}
 */
export function changesGap(asOf, changesSince) {
  const after = idBefore(asOf, OVERLAP_MS);
  return asOf && changesSince > after ? { after: END + after, before: END + END } : null;
}

/**
 * Whether nothing can be missing between what is known and what is read: neither a message nor a
 * change.
 * @param {Pick<Channel, "messages" | "asOf">} known @param {Reading} reading
 */
export function meets({ messages, asOf }, { from, changesSince }) {
  return !messages.length || !(gap(messages, from) || changesGap(asOf, changesSince) || !asOf);
}

/**
 * Loaded messages that have been edited since they were read; a transcript does not repeat texts.
 * @param {Pick<Channel, "messages" | "changes">} channel
 * @returns {readonly Message[]} oldest first
 */
export function stale({ messages, changes }) {
  if (!changes.length) return [];
  const byTarget = new Map(changes.map(({ target, id }) => [target, id]));
  return messages.filter(
    ({ id, deleted, version = "" }) => !deleted && version < (byTarget.get(id) ?? ""),
  );
}

/**
 * Union by id, oldest first. What comes in replaces what differs, unless it is older; what does not
 * differ stays the same object, and so does a list to which nothing is new. A message that its
 * sender's page sent twice (same client id) is one line.
 * @param {readonly Message[]} known @param {readonly Message[]} incoming
 * @returns {readonly Message[]}
 */
export function merged(known, incoming) {
  const byId = new Map(known.map((message) => [message.id, message]));
  let changed = false;
  for (const message of incoming) {
    const old = byId.get(message.id);
    if (old && (isOlder(message, old) || same(old, message))) continue;
    byId.set(message.id, message);
    changed = true;
  }
  if (!changed) return known;
  const sorted = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const once = sorted.filter(firstCopies());
  const equal = once.length === known.length && once.every((message, at) => message === known[at]);
  return equal ? known : once;
}

/** @param {Message} one @param {Message} other of the same id; a delete is final */
function isOlder(one, other) {
  if (one.deleted !== other.deleted) return other.deleted;
  return (one.version ?? "") < (other.version ?? "");
}

/**
 * The latest change of each message: a delete, else the edit with the highest id, which starts with
 * its time.
 * @param {readonly Change[]} known @param {readonly Change[]} incoming in any order
 * @returns {readonly Change[]} the same list when nothing is new
 */
export function latest(known, incoming) {
  const byTarget = new Map(known.map((change) => [change.target, change]));
  let changed = false;
  for (const change of incoming) {
    const old = byTarget.get(change.target);
    const final = old?.kind === "delete";
    if (final || (old && change.kind === "edit" && change.id <= old.id)) continue;
    // at the end: the latest are kept
    byTarget.delete(change.target);
    byTarget.set(change.target, change);
    changed = true;
  }
  return changed ? [...byTarget.values()].slice(-CHANGES_LIMIT) : known;
}

/**
 * @param {readonly Message[]} messages @param {readonly Change[]} changes one of a message
 * @returns {readonly Message[]} the same list when they are made already
 */
export function applied(messages, changes) {
  if (!changes.length) return messages;
  const byTarget = new Map(changes.map((change) => [change.target, change]));
  const next = messages.map((message) => withChange(message, byTarget.get(message.id)));
  return next.some((message, at) => message !== messages[at]) ? next : messages;
}

/**
 * Of a deleted message nothing stays. An edited one is read again.
 * @param {Message} message @param {Change | undefined} change @returns {Message}
 */
function withChange(message, change) {
  if (change?.kind !== "delete" || message.deleted) return message;
  return { ...message, text: "", edited: false, deleted: true, version: change.id };
}

/**
 * @param {string} id of a message @param {number} now ms since the epoch, by AWS's clock
 * @returns {boolean} whether its sender can still change it
 */
export function isChangeable(id, now) {
  return now - timeOf(id) < CHANGEABLE_MS;
}

/** @param {string} id @returns {number} ms since the epoch; NaN when it does not tell */
export function timeOf(id) {
  return Date.parse(id.split("#", 1)[0] ?? "");
}

/** @param {readonly Message[]} messages oldest first @returns {string} "" when there is none */
export function newestId(messages) {
  return messages.at(-1)?.id ?? "";
}

/**
 * @param {readonly Message[]} messages oldest first @param {string} id
 * @returns {readonly Message[]} the newer ones
 */
export function newerThan(messages, id) {
  return messages.slice(messages.findLastIndex((message) => message.id <= id) + 1);
}

/** @param {string} id @param {number} ms @returns {string} so much earlier; the same, if it tells no time */
function idBefore(id, ms) {
  return idAt(timeOf(id) - ms) || id;
}

/** @returns {(message: Message) => boolean} whether it is the first of its sender's copies */
function firstCopies() {
  const sent = new Set();
  return ({ user, clientId }) => {
    if (!clientId) return true;
    const key = `${user} ${clientId}`;
    if (sent.has(key)) return false;
    sent.add(key);
    return true;
  };
}

/** @param {Message} one @param {Message} other not an older one */
function same(one, other) {
  const names = /** @type {(keyof Message)[]} */ (Object.keys(other));
  return names.every((field) => one[field] === other[field]);
}

/** @param {number} time @returns {string} where the ids of its messages start; "" for no time */
export function idAt(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
