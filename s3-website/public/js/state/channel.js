// Owns one channel's state: its messages, what is unread, where the divider is. All functions are pure; requests
// and the order of channels belong elsewhere.

import * as list from "./messages.js";
import { idAt, KEPT_LIMIT, LINE_LIMIT, newerThan, newestId } from "./messages.js";
import { mentions } from "./text.js";

/**
 * @typedef {import("../state.js").Person} Person
 * @typedef {import("../state.js").Channel} Channel
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Change} Change
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {import("../state.js").Push} Push
 * @typedef {{person: Person | null, open: boolean, visited: boolean, seen: boolean, since: string}}
 *   Reader `open`: this is the open channel; `seen`: and the reader sees its end; `visited`: it has
 *   been open before; `since`: when the reader came, as ids begin
 */

const COUNT_LIMIT = 99;
/** Unread messages kept of each channel that was never opened: there may be a thousand channels. */
const UNVISITED_LIMIT = 20;
/** @type {readonly Change[]} */
const NONE = [];

/** @type {Channel} */
export const EMPTY = Object.freeze({
  messages: [],
  loaded: false,
  changes: NONE,
  asOf: "",
  readTo: "",
  draft: "",
  editing: null,
  unread: 0,
  mentioned: false,
  lastRead: "",
  divider: "",
  earlier: "none",
});

/**
 * Merge a reading. If messages may be missing between it and the known ones, it replaces them: fewer
 * messages are better than an invisible gap.
 * @param {Channel} channel @param {Reading} reading @param {Reader} reader
 * @returns {Channel} the same object when nothing is new
 */
export function received(channel, reading, reader) {
  const { messages: incoming, from } = reading;
  const nothing = !incoming.length && !from;
  const known = nothing || !list.meets(channel, reading) ? [] : channel.messages;
  const { messages, ...noted } = withChanges(channel, list.merged(known, incoming), reading.changes);
  // without a time, a reading is at least as new as its newest message
  const asOf = [channel.asOf, reading.asOf || idAt(list.timeOf(newestId(messages)))].sort()[1] ?? "";
  const same = messages === channel.messages && noted.changes === channel.changes;
  const earlier = from ? (known.length ? channel.earlier : "more") : "none";
  const readTo = stillPushed(channel, newestId(messages), incoming);
  const still = asOf === channel.asOf && earlier === channel.earlier && readTo === channel.readTo;
  if (channel.loaded && same && still) return channel;
  const lastRead = channel.lastRead || (channel.loaded ? "" : firstRead(messages, reader));
  const next = { ...channel, ...noted, messages, asOf, readTo, earlier, lastRead, loaded: true };
  return shownTo(reader, channel, next);
}

/**
 * Merge what was pushed, if it continues the known messages.
 * @param {Channel} channel @param {Push} push @param {Reader} reader
 * @returns {Channel | null} the same object when nothing is new; null if messages may be missing
 *   between the two, so that the transcript has to be read
 */
export function pushed(channel, { after, messages: incoming, edited, changes }, reader) {
  if (!channel.loaded) return null;
  const known = new Set(channel.messages.map(({ id }) => id));
  const first = incoming[0]?.id ?? "";
  const continues = known.has(after) || known.has(first) || (!after && !known.size);
  if (first && !continues) return null;
  const rows = [...incoming, ...edited.filter(({ id }) => known.has(id))];
  const noted = withChanges(channel, list.merged(channel.messages, rows), changes);
  const same = noted.messages === channel.messages && noted.changes === channel.changes;
  if (same) return channel;
  // from here on a message that comes late may be missing: a reading looks for it
  const readTo = list.readUntil(channel) || channel.asOf || idAt(0);
  return shownTo(reader, channel, { ...channel, ...noted, readTo });
}

/**
 * @param {Channel} channel @param {string} newest id of all messages
 * @param {readonly Message[]} incoming the reading's, in any order
 * @returns {string} `readTo` after a reading: "" if it included all that was pushed
 */
function stillPushed({ readTo }, newest, incoming) {
  const newestRead = incoming.reduce((last, { id }) => (id > last ? id : last), "");
  if (!readTo || newestRead >= newest) return "";
  return newestRead > readTo ? newestRead : readTo;
}

/**
 * Return up to where the first reading of a channel counts as read: to its end, but what was written
 * since the reader came, in a channel that is not open, is news.
 * @param {readonly Message[]} messages @param {Reader} reader
 */
function firstRead(messages, { open, since }) {
  if (open || !since) return newestId(messages);
  const before = messages.findLast(({ id }) => id < since);
  return before?.id ?? (messages.length ? since : "");
}

/**
 * Keep as many messages as the reader needs, and mark what is new.
 * @param {Reader} reader @param {Channel} before @param {Channel} after @returns {Channel}
 */
function shownTo(reader, before, after) {
  // a list is longer than the limit only if its reader scrolled back
  const limit = Math.max(KEPT_LIMIT, before.messages.length);
  const kept = reader.open ? shortened(after, limit) : trimmed(after, reader.visited);
  return seenBy(before, kept, reader);
}

/**
 * Shorten a channel that is not open. Of one that was never open, keep the unread messages only.
 * @param {Channel} channel @param {boolean} visited @returns {Channel}
 */
function trimmed(channel, visited) {
  if (visited) return shortened(channel, LINE_LIMIT);
  const { length } = newerThan(channel.messages, channel.lastRead);
  // one more, which shows that no unread message is missing
  return { ...shortened(channel, Math.min(length, UNVISITED_LIMIT) + 1), changes: NONE };
}

/**
 * Merge messages that were read again after an edit. A message without a row has expired.
 * @param {Channel} channel @param {readonly string[]} ids @param {readonly Message[]} rows
 * @returns {Channel}
 */
export function readAgain(channel, ids, rows) {
  const stored = new Set(rows.map(({ id }) => id));
  const kept = channel.messages.filter(({ id }) => stored.has(id) || !ids.includes(id));
  const messages = list.applied(list.merged(kept, rows), channel.changes);
  // these changes are now part of the messages
  const changes = channel.changes.filter(({ target }) => !ids.includes(target));
  return { ...channel, messages, changes };
}

/**
 * Apply changes to the known messages, and keep them for messages that arrive later. A deleted
 * message also leaves the text box.
 * @param {Channel} channel @param {readonly Message[]} known @param {readonly Change[]} incoming
 */
function withChanges({ changes: before, editing: was }, known, incoming) {
  const changes = list.latest(before, incoming);
  const messages = list.applied(known, changes);
  const gone = was && messages.some(({ id, deleted }) => deleted && id === was.id);
  return { messages, changes, editing: gone ? null : was };
}

/**
 * Mark new messages as read if the reader sees them, else as unread with the divider before the
 * first.
 * @param {Channel} before @param {Channel} after @param {Reader} reader @returns {Channel}
 */
function seenBy(before, after, reader) {
  // an edit can remove a mention but not add one
  const newest = newestId(before.messages);
  const counted = withUnread(
    after,
    reader.person,
    ({ id, edited }) => before.mentioned || !edited || id > newest,
  );
  // a channel's first messages are not read yet: the view opens at the divider
  const seen = reader.seen && before.loaded;
  const starts = counted.unread > 0 && before.unread === 0 && !seen;
  const divider = reader.open && starts ? after.lastRead : after.divider;
  const next = { ...counted, divider };
  return seen ? read(next) : next;
}

/**
 * Count the unread messages.
 * @param {Channel} channel @param {Person | null} person
 * @param {(message: Message) => boolean} counts whether the message can mention the person
 * @returns {Channel}
 */
function withUnread(channel, person, counts) {
  const fresh = newerThan(channel.messages, channel.lastRead).filter(ofOthers(person));
  const named = person?.name ?? "";
  const mentioned = fresh.some((message) => counts(message) && mentions(message.text, named));
  return { ...channel, unread: fresh.length, mentioned };
}

/**
 * Mark everything as read. The reader is at the end, so a long list can lose its oldest messages.
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
 * Mark messages as read that another tab or an earlier visit has seen.
 * @param {Channel} channel @param {string} lastRead @param {Person | null} person
 * @returns {Channel}
 */
export function readUpTo(channel, lastRead, person) {
  if (lastRead <= channel.lastRead) return channel;
  return withUnread({ ...channel, lastRead }, person, () => channel.mentioned);
}

/**
 * Open a channel with the divider before its unread messages. If more of them may be missing, or
 * little was kept, the channel counts as not loaded, so that it is read first.
 * @param {Channel} channel @param {boolean} visited before @returns {Channel}
 */
export function opened(channel, visited) {
  const loaded = channel.loaded && visited && !hasMoreUnread(channel);
  const divider = channel.unread ? channel.lastRead : channel.divider;
  return { ...channel, divider, loaded };
}

/** @param {Channel} channel @returns {boolean} whether earlier, unloaded messages may be unread */
export function hasMoreUnread({ unread, messages, lastRead, earlier }) {
  const oldest = messages[0]?.id ?? "";
  return unread > 0 && lastRead !== "" && oldest > lastRead && earlier !== "none";
}

/** @param {Channel} channel @returns {Channel} what is kept while another channel is open */
export function closed(channel) {
  const rest = shortened(channel, LINE_LIMIT);
  return rest.divider ? { ...rest, divider: "" } : rest;
}

/**
 * @param {number} unread @param {boolean} more whether there may be more
 * @returns {string} "20+", "99+"; "" for none
 */
export function countText(unread, more) {
  if (unread > COUNT_LIMIT) return `${COUNT_LIMIT}+`;
  return unread ? `${unread}${more ? "+" : ""}` : "";
}

/**
 * Add messages from before the oldest known one.
 * @param {Channel} channel @param {string} beforeId the oldest id at the time of the request
 * @param {readonly Message[]} messages @param {boolean} more @param {Person | null} person
 * @param {readonly Change[]} changes
 * @returns {Channel} the same object when the oldest message is another one by now
 */
export function reachedBack(channel, beforeId, messages, more, person, changes = NONE) {
  if ((channel.messages[0]?.id ?? "") !== beforeId) return channel;
  const changed = withChanges(channel, list.merged(channel.messages, messages), changes);
  /** @type {Channel} */
  const next = { ...channel, ...changed, earlier: more ? "more" : "none" };
  // some of them may be unread; `mentioned` already covers the newer ones
  const counted = withUnread(next, person, ({ id }) => id < beforeId);
  return { ...counted, mentioned: channel.mentioned || counted.mentioned };
}

/**
 * Return the messages to alert about: newer than all that were known, and by others. At a channel's
 * first reading, those are the ones since the reader came.
 * @param {Channel} before @param {Channel} after @param {Person | null} person
 * @param {string} since when the reader came, as ids begin
 * @returns {Message[]}
 */
export function news(before, after, person, since = "") {
  if (before.messages === after.messages) return [];
  const first = !before.loaded;
  if (first && (!since || before.messages.length)) return [];
  const last = first ? [since, after.lastRead].sort()[1] : newestId(before.messages);
  return newerThan(after.messages, last ?? "").filter(ofOthers(person));
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
