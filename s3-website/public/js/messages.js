// Owns what a message is, how lists of messages are put together, and whom a text mentions. All
// functions are pure.

/** @typedef {import("./state.js").Message} Message */

/** As many are read to fill a gap, and kept of a channel that is not open. */
export const LINE_LIMIT = 500;
/** As many are kept of the open channel, while its reader is at the end. */
export const KEPT_LIMIT = 5_000;
const NAME_LIMIT = 200;
const PICTURE_LIMIT = 1_000;
const PICTURE = /^https:\/\/(?:[a-z0-9-]+\.)*googleusercontent\.com\/[^\s"'()\\]*$/i;
// messages of one moment may be stored a little out of order: a gap is read with this overlap
const OVERLAP_MS = 10_000;

/**
 * Check one message of a transcript or of the table.
 * @param {unknown} raw {id, name, message, user?, picture?, sent_at, client_id?, kind, edited_at?,
 *   deleted_at?}
 * @returns {Message | null} null when it is not a message that can be shown
 */
export function readMessage(raw) {
  if (typeof raw !== "object" || raw === null) return null;
  const { id, name, message, user, picture, sent_at, client_id, kind, edited_at, deleted_at } =
    /** @type {Record<string, unknown>} */ (raw);
  const deleted = string(deleted_at) !== "";
  if (typeof id !== "string" || !id) return null;
  if (typeof message !== "string" && !deleted) return null;
  return {
    id,
    name: (string(name).trim() || "Someone").slice(0, NAME_LIMIT).toWellFormed(),
    text: deleted ? "" : string(message).toWellFormed(),
    user: string(user),
    picture: pictureOf(string(picture)),
    sentAt: Number.isNaN(Date.parse(string(sent_at))) ? "" : string(sent_at),
    clientId: string(client_id),
    kind: kind === "operator" ? "operator" : "user",
    edited: !deleted && string(edited_at) !== "",
    deleted,
  };
}

/**
 * What lies between what is known and a transcript, if they do not meet: more came than a
 * transcript holds.
 * @param {readonly Message[]} known @param {readonly Message[]} incoming
 * @param {number} [sentMs] when nothing is known yet: a message of this time is looked for
 * @returns {{after: string, before: string} | null} ids
 */
export function gap(known, incoming, sentMs = Infinity) {
  if (meets(known, incoming, sentMs)) return null;
  const newest = known.at(-1);
  const before = oldestId(incoming);
  const time = newest ? Date.parse(newest.sentAt) : sentMs;
  const after = idAt(time - OVERLAP_MS) || (newest?.id ?? "");
  const start = newest && newest.id < after ? newest.id : after;
  return start < before ? { after: start, before } : null;
}

/**
 * Whether nothing can be missing between two lists.
 * @param {readonly Message[]} known oldest first @param {readonly Message[]} incoming in any order
 * @param {number} [sentMs] with nothing known: what has to be reached
 */
export function meets(known, incoming, sentMs = Infinity) {
  const newest = newestId(known) || idAt(sentMs);
  const oldest = oldestId(incoming);
  return !newest || !oldest || oldest <= newest;
}

/**
 * Union by id, oldest first. What comes in replaces what differs; what does not differ stays the
 * same object, and so does a list to which nothing is new. A message that its sender's page sent
 * twice (same client id) is one line.
 * @param {readonly Message[]} known @param {readonly Message[]} incoming
 * @returns {readonly Message[]}
 */
export function merged(known, incoming) {
  const byId = new Map(known.map((message) => [message.id, message]));
  let changed = false;
  for (const message of incoming) {
    const old = byId.get(message.id);
    if (old && same(old, message)) continue;
    byId.set(message.id, message);
    changed = true;
  }
  if (!changed) return known;
  const sorted = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const once = sorted.filter(firstCopies());
  const equal = once.length === known.length && once.every((message, at) => message === known[at]);
  return equal ? known : once;
}

/**
 * Whether a text names a person: "@" and the name or its first word, as a word of its own.
 * @param {string} text @param {string} name
 */
export function mentions(text, name) {
  if (!text.includes("@")) return false;
  const pattern = mentionOf(name);
  return pattern !== null && pattern.test(text.normalize("NFC"));
}

/** @param {readonly Message[]} messages oldest first @returns {string} "" when there is none */
export function newestId(messages) {
  return messages.at(-1)?.id ?? "";
}

/** @param {readonly Message[]} messages in any order */
function oldestId(messages) {
  return messages.reduce((oldest, { id }) => (!oldest || id < oldest ? id : oldest), "");
}

/** @type {{name: string, pattern: RegExp | null}} one person's at a time: made once */
let made = { name: "", pattern: null };

/** @param {string} name @returns {RegExp | null} null for a name without letters */
function mentionOf(name) {
  if (made.name === name) return made.pattern;
  const words = name.normalize("NFC").split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const plain = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  const names = [plain.join("\\s+"), plain[0]].join("|");
  // before it: no word, as in an e-mail address; after it: no more of a longer word
  const source = `(?<![\\p{L}\\p{N}\\p{M}_@.-])@(?:${names})(?![\\p{L}\\p{N}\\p{M}_])`;
  made = { name, pattern: words.length ? new RegExp(source, "iu") : null };
  return made.pattern;
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

/** @param {Message} one @param {Message} other */
function same(one, other) {
  const fields = /** @type {(keyof Message)[]} */ (Object.keys(one));
  return fields.every((field) => one[field] === other[field]);
}

/** @param {number} time @returns {string} where its messages start; "" for no time */
function idAt(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/** @param {string} url */
function pictureOf(url) {
  return url.length <= PICTURE_LIMIT && PICTURE.test(url) ? url : "";
}

/** @param {unknown} value */
function string(value) {
  return typeof value === "string" ? value : "";
}
