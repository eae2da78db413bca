// Owns one channel as a person sees it: what came in, what is unread, where the divider stands; what
// a channel may be called, and which are listed. All functions are pure.

import { mentions } from "./lines.js";
import * as list from "./messages.js";
import { isChannelName, KEPT_LIMIT, LINE_LIMIT, newerThan, newestId } from "./messages.js";

/**
 * @typedef {import("./state.js").Channel} Channel
 * @typedef {import("./state.js").Message} Message
 * @typedef {import("./state.js").Change} Change
 * @typedef {import("./state.js").Person} Person
 * @typedef {{person: Person | null, open: boolean, seen: boolean}} Reader
 *   `open`: it is the open channel; `seen`: and its end is being looked at
 */

export const DEFAULT_CHANNEL = "default";
const NAME_LENGTH = 64;
const COUNT_LIMIT = 99;
/** @type {readonly Change[]} */
const NONE = Object.freeze([]);

/** @type {Channel} */
export const EMPTY = Object.freeze({
  messages: Object.freeze([]),
  loaded: false,
  changes: NONE,
  draft: "",
  editing: null,
  unread: 0,
  mentioned: false,
  lastRead: "",
  divider: "",
  earlier: "none",
});

/**
 * Take a transcript in, with what filled the gap before it. Where it does not meet what is known,
 * it takes its place: better less than a hole that nobody sees.
 * @param {Channel} channel @param {readonly Message[]} incoming in any order
 * @param {Reader} reader
 * @param {readonly Change[]} changes read with them, of any message
 * @returns {Channel} the same one when nothing is new
 */
export function received(channel, incoming, reader, changes = NONE) {
  const apart = !list.meets(channel.messages, incoming);
  const known = apart ? [] : channel.messages;
  const { messages, ...noted } = put(channel, list.merged(known, incoming), changes);
  const same = messages === channel.messages && noted.changes === channel.changes;
  if (channel.loaded && same) return channel;
  const earlier = !known.length && messages.length ? "more" : channel.earlier;
  // a channel that was never open in this browser is not "20 unread"
  const lastRead = channel.lastRead || (channel.loaded ? "" : newestId(messages));
  const next = { ...channel, ...noted, messages, earlier, lastRead, loaded: true };
  // nobody may look for days: only a reader's own scrolling back makes a list longer than is kept
  const limit = reader.open ? Math.max(KEPT_LIMIT, channel.messages.length) : LINE_LIMIT;
  return looked(channel, cut(next, limit), reader);
}

/**
 * Changes apply to what has come, and to what comes later. Of a deleted message nothing stays, nor
 * in the text box.
 * @param {Channel} channel @param {readonly Message[]} known @param {readonly Change[]} incoming
 */
function put({ changes: before, editing: was }, known, incoming) {
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
function looked(before, after, reader) {
  const fresh = unreadIn(after, reader.person);
  const named = reader.person?.name ?? "";
  // an edit tells nobody: it can take a mention back, and add none
  const newest = newestId(before.messages);
  const mentioned = fresh.some(
    ({ id, text, edited }) =>
      (before.mentioned || !edited || id > newest) && mentions(text, named),
  );
  // what was there before the reader came is not read yet: the view starts at the divider
  const seen = reader.seen && before.loaded;
  const starts = fresh.length > 0 && before.unread === 0 && !seen;
  const divider = reader.open && starts ? after.lastRead : after.divider;
  const next = { ...after, unread: fresh.length, mentioned, divider };
  return seen ? read(next) : next;
}

/**
 * The newest message has been seen, and so a longer list than is kept can lose its oldest.
 * @param {Channel} channel @returns {Channel}
 */
export function read(channel) {
  const kept = cut(channel, KEPT_LIMIT);
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
  const next = { ...channel, lastRead };
  const fresh = unreadIn(next, person);
  const named = (/** @type {Message} */ { text }) => mentions(text, person?.name ?? "");
  const mentioned = channel.mentioned && fresh.some(named);
  return { ...next, unread: fresh.length, mentioned };
}

/**
 * With the divider before what is unread. Where that begins before the loaded messages, they are
 * not enough to begin with: it is read first.
 * @param {Channel} channel @returns {Channel}
 */
export function opened(channel) {
  if (!channel.unread) return channel;
  const loaded = channel.loaded && !hasMoreUnread(channel);
  return { ...channel, divider: channel.lastRead, loaded };
}

/** @param {Channel} channel @returns {boolean} there may be unread ones before the loaded */
export function hasMoreUnread({ unread, messages, lastRead, earlier }) {
  const oldest = messages[0]?.id ?? "";
  return unread > 0 && lastRead !== "" && oldest > lastRead && earlier !== "none";
}

/** @param {Channel} channel @returns {Channel} what is kept of it while another one is open */
export function left(channel) {
  const kept = cut(channel, LINE_LIMIT);
  return kept.divider ? { ...kept, divider: "" } : kept;
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
  if (channel.messages[0]?.id !== beforeId) return channel;
  const all = put(channel, list.merged(channel.messages, messages), changes);
  /** @type {Channel} */
  const next = { ...channel, ...all, earlier: more ? "more" : "none" };
  // some of them may be unread: so far only those that came after them are counted
  const fresh = unreadIn(next, person);
  const named = fresh.some(({ id, text }) => id < beforeId && mentions(text, person?.name ?? ""));
  return { ...next, unread: fresh.length, mentioned: channel.mentioned || named };
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

/** @param {Channel} channel @param {Person | null} person */
function unreadIn(channel, person) {
  return newerThan(channel.messages, channel.lastRead).filter(ofOthers(person));
}

/** @param {Person | null} person @returns {(message: Message) => boolean} */
function ofOthers(person) {
  return (message) => !message.deleted && !isFrom(message, person);
}

/** @param {Message} message @param {Person | null} person */
function isFrom(message, person) {
  return message.kind === "user" && message.user !== "" && message.user === person?.user;
}

/** @param {Channel} channel @param {number} limit @returns {Channel} */
function cut(channel, limit) {
  if (channel.messages.length <= limit) return channel;
  return { ...channel, messages: channel.messages.slice(-limit), earlier: "more" };
}

/**
 * The name that is meant by what somebody typed: "My Channel" is my-channel. Where more has to be
 * changed ("Café!") it is a proposal.
 * @param {string} typed
 * @returns {{name: string, why: string}} `why` it is not taken, or ""; then `name` is a proposal, or ""
 */
export function channelName(typed) {
  const name = typed.trim().toLowerCase().replace(/^#+/, "").trim().replace(/[\s_]+/g, "-");
  const plain = name.replaceAll("ß", "ss").normalize("NFKD").replace(/\p{M}/gu, "");
  const parts = plain.replace(/[^a-z0-9]+/g, " ").slice(0, NAME_LENGTH).trim();
  const proposal = parts.replaceAll(" ", "-");
  if (isChannelName(name)) return { name, why: "" };
  if (!isChannelName(proposal)) return { name: "", why: whyNot(name) };
  return { name: proposal, why: `${whyNot(name)} How about “${proposal}”?` };
}

/** @param {string} name */
function whyNot(name) {
  if (!name) return "Type a name.";
  if (/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    return name.length > NAME_LENGTH
      ? `At most ${NAME_LENGTH} characters.`
      : `“${name}” is kept for the chat itself. Choose another name.`;
  }
  return "Use lower-case letters, digits and dashes. Start with a letter or a digit.";
}

/**
 * The channel that an address names.
 * @param {string} hash as location.hash
 * @returns {{name: string, why: string}} no name and no `why` when it names none
 */
export function channelInHash(hash) {
  const written = hash.replace(/^#/, "");
  if (!written) return { name: "", why: "" };
  if (isChannelName(written)) return { name: written, why: "" };
  return { name: "", why: "There is no such channel: the address is wrong." };
}

/**
 * The channels to list: every name once, sorted.
 * @param {readonly string[]} names @param {readonly string[]} more
 * @returns {readonly string[]} the same list when it has them all
 */
export function listed(names, more) {
  const known = new Set(names);
  const found = more.filter((name) => !known.has(name));
  return found.length ? [...new Set([...names, ...found])].sort() : names;
}

/**
 * The channel to look at next for unread messages: one after the other, never the open one.
 * @param {readonly string[]} names sorted @param {string} open
 * @param {string} last the one that was looked at last; "" at first
 * @returns {string} "" when there is no other
 */
export function nextProbe(names, open, last) {
  const others = names.filter((name) => name !== open);
  return others.find((name) => name > last) ?? others[0] ?? "";
}
