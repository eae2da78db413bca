// Owns one channel as a person sees it: what came in, what is unread, where the divider stands; and
// what a channel may be called. All functions are pure.

import { isChannelName } from "./channel_list.js";
import { KEPT_LIMIT, LINE_LIMIT, meets, mentions, merged, newestId } from "./messages.js";

/**
 * @typedef {import("./state.js").Channel} Channel
 * @typedef {import("./state.js").Message} Message
 * @typedef {import("./state.js").Person} Person
 * @typedef {{person: Person | null, open: boolean, seen: boolean}} Reader
 *   `open`: it is the open channel; `seen`: and its end is being looked at
 */

export const DEFAULT_CHANNEL = "default";
const NAME_LENGTH = 64;

/** @type {Channel} */
export const EMPTY = Object.freeze({
  messages: Object.freeze([]),
  loaded: false,
  draft: "",
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
 * @returns {Channel} the same one when nothing is new
 */
export function received(channel, incoming, reader) {
  const apart = !meets(channel.messages, incoming);
  const known = apart ? [] : channel.messages;
  const messages = merged(known, incoming);
  if (channel.loaded && messages === channel.messages) return channel;
  const earlier = !known.length && messages.length ? "more" : channel.earlier;
  // a channel that was never open in this browser is not "20 unread"
  const lastRead = channel.lastRead || (channel.loaded ? "" : newestId(messages));
  return looked(channel, { ...channel, messages, earlier, lastRead, loaded: true }, reader);
}

/**
 * What the reader looks at is read; what comes when they do not is unread, and the divider stands
 * before the first of it.
 * @param {Channel} before @param {Channel} after @param {Reader} reader @returns {Channel}
 */
function looked(before, after, reader) {
  const fresh = unreadOf(after, reader.person);
  const named = reader.person?.name ?? "";
  const mentioned = fresh.some(({ text }) => mentions(text, named));
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
  const fresh = unreadOf(next, person);
  const mentioned = fresh.some(({ text }) => mentions(text, person?.name ?? ""));
  return { ...next, unread: fresh.length, mentioned };
}

/** @param {Channel} channel @returns {Channel} with the divider before what is unread */
export function opened(channel) {
  return channel.unread ? { ...channel, divider: channel.lastRead } : channel;
}

/** @param {Channel} channel @returns {Channel} what is kept of it while another one is open */
export function left(channel) {
  const kept = cut(channel, LINE_LIMIT);
  return kept.divider ? { ...kept, divider: "" } : kept;
}

/**
 * Take in what was read before the oldest message that is known.
 * @param {Channel} channel @param {string} beforeId the oldest when it was asked for
 * @param {readonly Message[]} messages @param {boolean} more
 * @returns {Channel} the same one when it has begun anew since
 */
export function reachedBack(channel, beforeId, messages, more) {
  if (channel.messages[0]?.id !== beforeId) return channel;
  const earlier = more ? "more" : "none";
  return { ...channel, messages: merged(channel.messages, messages), earlier };
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
function unreadOf(channel, person) {
  return newerThan(channel.messages, channel.lastRead).filter(ofOthers(person));
}

/** @param {readonly Message[]} messages @param {string} id */
function newerThan(messages, id) {
  const last = messages.findLastIndex((message) => message.id <= id);
  return messages.slice(last + 1);
}

/** @param {Person | null} person @returns {(message: Message) => boolean} */
function ofOthers(person) {
  return (message) => !message.deleted && !isFrom(message, person);
}

/** @param {Message} message @param {Person | null} person */
export function isFrom(message, person) {
  return message.kind === "user" && message.user !== "" && message.user === person?.user;
}

/** @param {Channel} channel @param {number} limit @returns {Channel} */
function cut(channel, limit) {
  if (channel.messages.length <= limit) return channel;
  return { ...channel, messages: channel.messages.slice(-limit), earlier: "more" };
}

/**
 * The name that is meant by what somebody typed: "My Channel" is my-channel.
 * @param {string} typed @returns {{name: string, why: string}} `why` it cannot be one, or ""
 */
export function channelName(typed) {
  const name = typed.trim().toLowerCase().replace(/^#+/, "").trim().replace(/[\s_]+/g, "-");
  if (isChannelName(name)) return { name, why: "" };
  return { name: "", why: whyNot(name) };
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
