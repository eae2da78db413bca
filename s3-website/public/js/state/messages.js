// Merges lists of messages and changes: order, gaps, duplicates. All functions are pure.

/**
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Change} Change
 * @typedef {import("../state.js").Channel} Channel
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {{after: string, before: string}} Range of ids; excludes `before`
 */

/** Messages read to fill a gap, and kept of a channel that is not open. */
export const LINE_LIMIT = 500;
/** Messages kept of the open channel while its reader is at the end. */
export const KEPT_LIMIT = 5_000;
/** How long after sending a message its sender can change it. */
const CHANGEABLE_MS = 15 * 60_000;
const CHANGES_LIMIT = 1_000;
/** store_message keeps the sending time as position for 2 s; one try to write takes up to 1.3 s. */
const LATE_MS = 3_500;
// how far a gap's reading overlaps the known messages
const OVERLAP_MS = 10_000;
/** Message ids begin with a time. Ids of changes begin with this, so they sort after all messages. */
export const END = "~";

/**
 * Return the range that may be missing between the known messages and a transcript, because more
 * messages came than it holds, or a late one may have.
 * @param {string} known the newest id that is known without a gap; "" for none
 * @param {string} from the transcript is complete from this id on; "" for the whole channel
 * @param {string} [since] the id to reach back to when nothing is known; "" for none
 * @returns {Range | null}
 */
export function gap(known, from, since = "") {
  const newest = known || since;
  if (!newest || from < idBefore(newest, LATE_MS)) return null;
  const after = idBefore(newest, OVERLAP_MS);
  return after < from ? { after, before: from } : null;
}

/**
 * Return the range of changes that may be missing since the table was read.
 * @param {string} asOf the time of that read, ISO 8601; "" for never
 * @param {string} changesSince the reading is complete from here on
 * @returns {Range | null}
 */
export function changesGap(asOf, changesSince) {
  const after = idBefore(asOf, OVERLAP_MS);
  return asOf && changesSince > after ? { after: END + after, before: END + END } : null;
}

/**
 * Whether no message and no change can be missing between the known ones and a reading.
 * @param {Pick<Channel, "messages" | "readTo" | "asOf">} known @param {Reading} reading
 */
export function meets({ messages, readTo, asOf }, { from, changesSince }) {
  if (!messages.length) return true;
  return !(gap(readUntil({ messages, readTo }), from) || changesGap(asOf, changesSince) || !asOf);
}

/**
 * Return the newest id up to which nothing is missing, except for a late message.
 * @param {Pick<Channel, "messages" | "readTo">} channel
 */
export function readUntil({ messages, readTo }) {
  return readTo || newestId(messages);
}

/**
 * Return the loaded messages that were edited after they were read. Changes carry no text.
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
 * Return the union by id, oldest first. An incoming message replaces a different one unless it is
 * older. Equal messages stay the same objects, and so does the list when nothing is new. Of a message
 * that was sent twice (same client id), the first copy is kept.
 * @param {readonly Message[]} known @param {readonly Message[]} incoming
 * @returns {readonly Message[]}
 */
export function merged(known, incoming) {
  const byId = new Map(known.map((message) => [message.id, message]));
  let changed = false;
  for (const message of incoming) {
    const old = byId.get(message.id);
    if (old && (isOlder(message, old) || isSame(old, message))) continue;
    byId.set(message.id, message);
    changed = true;
  }
  if (!changed) return known;
  const sorted = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const unique = sorted.filter(firstCopies());
  const isKnown = unique.length === known.length && unique.every((item, at) => item === known[at]);
  return isKnown ? known : unique;
}

/** @param {Message} message @param {Message} other with the same id; a delete is final */
function isOlder(message, other) {
  if (message.deleted !== other.deleted) return other.deleted;
  return (message.version ?? "") < (other.version ?? "");
}

/**
 * Return the latest change of each message: a delete, or the edit with the highest id, which begins
 * with its time.
 * @param {readonly Change[]} known @param {readonly Change[]} incoming in any order
 * @returns {readonly Change[]} the same array when nothing is new
 */
export function latest(known, incoming) {
  const byTarget = new Map(known.map((change) => [change.target, change]));
  let changed = false;
  for (const change of incoming) {
    const old = byTarget.get(change.target);
    const final = old?.kind === "delete";
    if (final || (old && change.kind === "edit" && change.id <= old.id)) continue;
    // move it to the end: the limit drops the oldest
    byTarget.delete(change.target);
    byTarget.set(change.target, change);
    changed = true;
  }
  return changed ? [...byTarget.values()].slice(-CHANGES_LIMIT) : known;
}

/**
 * @param {readonly Message[]} messages @param {readonly Change[]} changes at most one a message
 * @returns {readonly Message[]} the same array when all are applied already
 */
export function applied(messages, changes) {
  if (!changes.length) return messages;
  const byTarget = new Map(changes.map((change) => [change.target, change]));
  const next = messages.map((message) => withChange(message, byTarget.get(message.id)));
  return next.some((message, at) => message !== messages[at]) ? next : messages;
}

/**
 * Apply a delete, which removes the text. Edits are not applied: the message is read again.
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

/** @param {string} id @returns {number} ms since the epoch; NaN for an id without a time */
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

/** @param {string} id @param {number} ms @returns {string} that much earlier; `id` if it has no time */
function idBefore(id, ms) {
  return idAt(timeOf(id) - ms) || id;
}

/** @returns {(message: Message) => boolean} a filter that drops copies of the same sending */
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

/** @param {Message} message @param {Message} other not an older version */
function isSame(message, other) {
  const fields = /** @type {(keyof Message)[]} */ (Object.keys(other));
  return fields.every((field) => message[field] === other[field]);
}

/** @param {number} time @returns {string} the start of ids of that time; "" for an invalid time */
export function idAt(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
