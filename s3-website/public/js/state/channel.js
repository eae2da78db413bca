// Owns one channel as a person sees it: what came in, what is unread, where the divider stands. All
// functions are pure.

import * as list from "./messages.js";
import { idAt, KEPT_LIMIT, LINE_LIMIT, newerThan, newestId } from "./messages.js";
import { mentions } from "./text.js";

/**
 * @typedef {import("../state.js").Person} Person
 * @typedef {import("../state.js").Channel} Channel
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Change} Change
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {{person: Person | null, open: boolean, visited: boolean, seen: boolean}} Reader
 *   `open`: it is the open channel; `seen`: and its end is being looked at; `visited`: it has been
 *   open, perhaps long ago
 */

const COUNT_LIMIT = 99;
/** So many unread messages are kept of a channel that was never opened: there may be a thousand. */
const UNVISITED_LIMIT = 20;
/** @type {readonly Change[]} */
const NONE = [];

/** @type {Channel} */
export const EMPTY = Object.freeze({
  messages: [],
  loaded: false,
  changes: NONE,
  asOf: "",
  draft: "",
  editing: null,
  unread: 0,
  mentioned: false,
  lastRead: "",
  divider: "",
  earlier: "none",
});

/**
 * Take in what was read. Where it does not meet what is known, it takes its place: better less than
 * a hole that nobody sees.
 * @param {Channel} channel @param {Reading} reading @param {Reader} reader
 * @returns {Channel} the same one when nothing is new
 */
export function received(channel, reading, reader) {
  const { messages: incoming, from } = reading;
  const nothing = !incoming.length && !from;
  const known = nothing || !list.meets(channel, reading) ? [] : channel.messages;
  const { messages, ...noted } = withChanges(channel, list.merged(known, incoming), reading.changes);
  // what tells no time is not older than its newest message
  const asOf = [channel.asOf, reading.asOf || idAt(list.timeOf(newestId(messages)))].sort()[1] ?? "";
  const same = messages === channel.messages && noted.changes === channel.changes;
  const earlier = from ? (known.length ? channel.earlier : "more") : "none";
  if (channel.loaded && same && asOf === channel.asOf && earlier === channel.earlier) return channel;
  // a channel that was never open in this browser is not "20 unread"
  const lastRead = channel.lastRead || (channel.loaded ? "" : newestId(messages));
  const next = { ...channel, ...noted, messages, asOf, earlier, lastRead, loaded: true };
  // only a reader's own scrolling back makes a list longer than is kept
  const limit = Math.max(KEPT_LIMIT, channel.messages.length);
  return seenBy(channel, reader.open ? shortened(next, limit) : trimmed(next, reader.visited), reader);
}

/**
 * What is kept of a channel that is not open. Of one that was never open nothing more than is
 * unread: there may be a thousand.
 * @param {Channel} channel @param {boolean} visited @returns {Channel}
 */
function trimmed(channel, visited) {
  if (visited) return shortened(channel, LINE_LIMIT);
  const { length } = newerThan(channel.messages, channel.lastRead);
  // the one before tells that these are all
  return { ...shortened(channel, Math.min(length, UNVISITED_LIMIT) + 1), changes: NONE };
}

/**
 * Take in messages that were read again as they were edited. One that is not there has gone.
 * @param {Channel} channel @param {readonly string[]} ids @param {readonly Message[]} rows
 * @returns {Channel}
 */
export function readAgain(channel, ids, rows) {
  const stored = new Set(rows.map(({ id }) => id));
  const kept = channel.messages.filter(({ id }) => stored.has(id) || !ids.includes(id));
  const messages = list.applied(list.merged(kept, rows), channel.changes);
  // what has been read since is no news
  const changes = channel.changes.filter(({ target }) => !ids.includes(target));
  return { ...channel, messages, changes };
}

/**
 * Changes apply to what has come, and to what comes later. Of a deleted message nothing stays, nor
 * in the text box.
 * @param {Channel} channel @param {readonly Message[]} known @param {readonly Change[]} incoming
 */
function withChanges({ changes: before, editing: was }, known, incoming) {
  const changes = list.latest(before, incoming);
  const messages = list.applied(known, changes);
  const gone = was && messages.some(({ id, deleted }) => deleted && id === was.id);
  return { messages, changes, editing: gone ? null : was };
}

/**
 * What the reader looks at is read; what comes when they do not is unread, and the divider stands
 * before the first of it.
 * @param {Channel} before @param {Channel} after @param {Reader} reader @returns {Channel}
 */
function seenBy(before, after, reader) {
  // an edit tells nobody: it can take a mention back, and add none
  const newest = newestId(before.messages);
  const counted = withUnread(
    after,
    reader.person,
    ({ id, edited }) => before.mentioned || !edited || id > newest,
  );
  // what was there before the reader came is not read yet: the view starts at the divider
  const seen = reader.seen && before.loaded;
  const starts = counted.unread > 0 && before.unread === 0 && !seen;
  const divider = reader.open && starts ? after.lastRead : after.divider;
  const next = { ...counted, divider };
  return seen ? read(next) : next;
}

/**
 * Count what is unread.
 * @param {Channel} channel @param {Person | null} person
 * @param {(message: Message) => boolean} counts whether it can mention the person
 * @returns {Channel}
 */
function withUnread(channel, person, counts) {
  const fresh = newerThan(channel.messages, channel.lastRead).filter(ofOthers(person));
  const named = person?.name ?? "";
  const mentioned = fresh.some((message) => counts(message) && mentions(message.text, named));
  return { ...channel, unread: fresh.length, mentioned };
}

/**
 * The newest message has been seen, and so a longer list than is kept can lose its oldest.
 * @param {Channel} channel @returns {Channel}
 */
export function read(channel) {
  const kept = shortened(channel, KEPT_LIMIT);
  const newest = newestId(channel.messages);
  const lastRead = newest > channel.lastRead ? newest : channel.lastRead;
  if (kept === channel && lastRead === channel.lastRead && !channel.unread) return channel;
  return { ...kept, lastRead, unread: 0, mentioned: false };
}

/**
 * Another tab, or an earlier visit, has seen more.
 * @param {Channel} channel @param {string} lastRead @param {Person | null} person
 * @returns {Channel}
 */
export function readUpTo(channel, lastRead, person) {
  if (lastRead <= channel.lastRead) return channel;
  return withUnread({ ...channel, lastRead }, person, () => channel.mentioned);
}

/**
 * With the divider before what is unread. Where that begins before the loaded messages, or where
 * little is kept, they are not enough to begin with: it is read first.
 * @param {Channel} channel @param {boolean} visited before @returns {Channel}
 */
export function opened(channel, visited) {
  const loaded = channel.loaded && visited && !hasMoreUnread(channel);
  const divider = channel.unread ? channel.lastRead : channel.divider;
  return { ...channel, divider, loaded };
}

/** @param {Channel} channel @returns {boolean} there may be unread ones before the loaded */
export function hasMoreUnread({ unread, messages, lastRead, earlier }) {
  const oldest = messages[0]?.id ?? "";
  return unread > 0 && lastRead !== "" && oldest > lastRead && earlier !== "none";
}

/** @param {Channel} channel @returns {Channel} what is kept of it while another one is open */
export function closed(channel) {
  const rest = shortened(channel, LINE_LIMIT);
  return rest.divider ? { ...rest, divider: "" } : rest;
}

/**
 * @param {number} unread @param {boolean} more than these, perhaps
 * @returns {string} "20+", "99+"; "" for none
 */
export function countText(unread, more) {
  if (unread > COUNT_LIMIT) return `${COUNT_LIMIT}+`;
  return unread ? `${unread}${more ? "+" : ""}` : "";
}

/**
 * Take in what was read before the oldest message that is known.
 * @param {Channel} channel @param {string} beforeId the oldest when it was asked for
 * @param {readonly Message[]} messages @param {boolean} more @param {Person | null} person
 * @param {readonly Change[]} changes
 * @returns {Channel} the same one when it has begun anew since
 */
export function reachedBack(channel, beforeId, messages, more, person, changes = NONE) {
  if ((channel.messages[0]?.id ?? "") !== beforeId) return channel;
  const changed = withChanges(channel, list.merged(channel.messages, messages), changes);
  /** @type {Channel} */
  const next = { ...channel, ...changed, earlier: more ? "more" : "none" };
  // some of them may be unread: so far only those that came after them are counted
  const counted = withUnread(next, person, ({ id }) => id < beforeId);
  return { ...counted, mentioned: channel.mentioned || counted.mentioned };
}

/**
 * What came that is worth telling of: newer than all that was known, and not one's own.
 * @param {Channel} before @param {Channel} after @param {Person | null} person
 * @returns {Message[]} none at the first look at a channel
 */
export function news(before, after, person) {
  if (!before.loaded || before.messages === after.messages) return [];
  return newerThan(after.messages, newestId(before.messages)).filter(ofOthers(person));
}

/** @param {Person | null} person @returns {(message: Message) => boolean} */
function ofOthers(person) {
  return ({ deleted, kind, user }) =>
    !deleted && !(kind === "user" && user && user === person?.user);
}

/** @param {Channel} channel @param {number} limit @returns {Channel} */
function shortened(channel, limit) {
  if (channel.messages.length <= limit) return channel;
  return { ...channel, messages: channel.messages.slice(-limit), earlier: "more" };
}
