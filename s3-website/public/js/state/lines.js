// Owns what stands in the list of messages, in which order: messages, those on their way, days, the
// mark before the new ones; how moments are written; and what the parts of a text are: words, links,
// code, mentions, found in linear time. Pure but for the reader's time zone and manner: the clock
// comes in. It must not make HTML: all tokens' texts, joined, are what was written.

import { idAt, isChangeable, timeOf } from "./messages.js";

/**
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("../state.js").Person} Person
 * @typedef {Message | Outgoing} Source
 * @typedef {{kind: "message", key: string, source: Source, message: Message, at: number,
 *   stands: number, day: number, own: boolean, continued: boolean, state: "" | Outgoing["state"], why: string,
 *   names: readonly string[], change: Outgoing | null, changeable: boolean}} MessageLine
 *   `at`: when it was sent; `stands`: at its place; `continued`: goes on what the line above
 *   began; `names`: whose mention is marked; `change`: on its way, shown as if it were made;
 *   `changeable`: by the person, now
 * @typedef {{kind: "day" | "divider", key: string, label: string}} MarkLine
 * @typedef {MessageLine | MarkLine} Line
 * @typedef {{kind: "text" | "link" | "code" | "block" | "fence" | "mention", text: string,
 *   href?: string}} Token `fence`: the marks around code, which are not shown
 */
const GROUP_MS = 300_000;
const NOBODY = /** @type {readonly string[]} */ ([]);
const FENCE = "(?<open>\\n?```(?:[\\w+#.-]{0,20}\\n)?)(?<block>[^]+?)(?<close>\\n?```\\n?)";
const CODE = "`(?<code>[^`\\n]+)`";
// a link ends before marks that change the direction of what follows it
const TURNS = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";
const LINK = `(?<link>\\bhttps?:\\/\\/[^\\s<>"\`\\p{Cc}${TURNS}]+)`;
const WORD = "\\p{L}\\p{N}\\p{M}_";
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;
const PUNCTUATION = ".,:;!?'*…‥。、，．：；！？」』）】》〉”’»";
const OPENING = "([{";
const CLOSING = ")]}";
const JUMBO_LENGTH = 32;
const JOINED = "[\\p{Emoji_Modifier}\\u200d\\ufe0f\\u{e0020}-\\u{e007f}]*";
const FLAG_OR_SPACE = "\\p{Regional_Indicator}{2}|\\s";
const EMOJI = new RegExp(`^(?:\\p{Extended_Pictographic}${JOINED}|${FLAG_OR_SPACE})+$`, "u");

/** @param {Intl.DateTimeFormatOptions} options made once: making one is slow */
const format = (options) => new Intl.DateTimeFormat(undefined, options);
const TIME = format({ timeStyle: "short" });
const FULL = format({ dateStyle: "full", timeStyle: "medium" });
const DAY = format({ weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** @type {WeakMap<Source, MessageLine>} a line that did not change stays the same object */
const known = new WeakMap();

/**
 * @param {{messages: readonly Message[], divider: string}} channel
 * @param {readonly Outgoing[]} outbox of this channel @param {Person | null} person
 * @param {number} now ms since the epoch, by AWS's clock
 * @returns {Line[]} keys are unique; a message keeps its key from the outbox to the transcript
 */
export function lines(channel, outbox, person, now) {
  const names = person ? mentionNames(person.name) : NOBODY;
  const { divider, messages } = channel;
  /** @type {Line[]} */
  const list = [];
  /** @type {MessageLine | null} */
  let above = null;
  let divided = !divider;
  const written = outbox.filter(({ action }) => !action);
  const changes = new Map(outbox.map((one) => [one.target, one]));
  for (const source of [...messages, ...unconfirmed(written, messages, person)]) {
    const change = ("id" in source && changes.get(source.id)) || null;
    const draft = lineOf(source, person, names, change);
    const newDay = !Number.isNaN(draft.day) && draft.day !== above?.day;
    const first = !divided && (!("id" in source) || source.id > divider);
    if (newDay) list.push(mark("day", draft.key, dayLabel(draft.stands, now)));
    if (first) list.push(mark("divider", "", "New messages"));
    divided ||= first;
    above = kept(draft, !newDay && !first && continues(above, draft), now);
    list.push(above);
  }
  return list;
}

/** @param {Line} one @param {Line} other @returns {boolean} whether they look the same */
export function isSameLine(one, other) {
  if (one === other) return true;
  return one.kind !== "message" && other.kind === one.kind && other.label === one.label;
}

/**
 * What no transcript has shown: a state in between may hold a message in both places.
 * @param {readonly Outgoing[]} outbox @param {readonly Message[]} messages
 * @param {Person | null} person
 */
function unconfirmed(outbox, messages, person) {
  if (!outbox.length) return outbox;
  const mine = messages.filter((message) => message.user === person?.user);
  const seen = new Set(mine.map((message) => message.clientId));
  return outbox.filter((one) => !seen.has(one.clientId));
}

/**
 * @param {Source} source @param {Person | null} person @param {readonly string[]} names
 * @param {Outgoing | null} change
 * @returns {MessageLine} but for `continued`, which the line above decides, and `changeable`
 */
function lineOf(source, person, names, change) {
  const before = known.get(source);
  const stored = "id" in source;
  const own = !stored || (source.kind === "user" && !!source.user && source.user === person?.user);
  if (before?.own === own && before.names === names && before.change === change) return before;
  const message = stored ? asChanged(source, change) : messageOf(source, person);
  const { state, why } = change ?? (stored ? { state: /** @type {const} */ (""), why: "" } : source);
  const at = Date.parse(message.sentAt);
  const stands = timeOf(message.id) || at;
  return {
    kind: "message",
    key: keyOf(message),
    source,
    message,
    at,
    stands,
    day: dayOf(stands),
    own,
    continued: false,
    state,
    why,
    names,
    change,
    changeable: false,
  };
}

/** @param {Message} message @param {Outgoing | null} change @returns {Message} as it will be */
function asChanged(message, change) {
  if (!change || message.deleted) return message;
  if (change.action === "edit") return { ...message, text: change.text, edited: true };
  return change.state === "failed" ? message : { ...message, text: "", deleted: true };
}

/** @param {Outgoing} outgoing @param {Person | null} person @returns {Message} as it will be */
function messageOf(outgoing, person) {
  const { clientId, text, at } = outgoing;
  const { name = "", user = "", picture = "" } = person ?? {};
  const sentAt = idAt(at);
  const rest = { kind: /** @type {const} */ ("user"), edited: false, deleted: false };
  return { id: "", name, text, user, picture, sentAt, clientId, ...rest };
}

/** @param {Message} message @returns {string} another person's client id is not one's own */
function keyOf({ id, user, clientId }) {
  return clientId ? `sent ${user} ${clientId}` : `id ${id}`;
}

/** @param {MarkLine["kind"]} kind @param {string} below key @param {string} label */
function mark(kind, below, label) {
  return { kind, key: `${kind} ${below}`, label };
}

/** @param {MessageLine} line @param {boolean} continued @param {number} now @returns {MessageLine} */
function kept(line, continued, now) {
  const { own, state, message } = line;
  const changeable = own && !state && !message.deleted && isChangeable(message.id, now);
  const same = line.continued === continued && line.changeable === changeable;
  const result = same ? line : { ...line, continued, changeable };
  known.set(line.source, result);
  return result;
}

/** @param {MessageLine | null} above @param {MessageLine} line */
function continues(above, line) {
  if (!above || above.message.kind === "operator" || line.message.kind === "operator") return false;
  const { user, name } = line.message;
  const same = above.message.user === user && above.message.name === name;
  return same && Math.abs(line.at - above.at) < GROUP_MS;
}

/** @param {number} at ms since the epoch @returns {number} 20260131; NaN when there is no time */
export function dayOf(at) {
  const date = new Date(at);
  return date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate();
}

/** @param {number} at @param {number} now @returns {string} "Today", "Yesterday" or the date */
export function dayLabel(at, now) {
  const [date, today] = [new Date(at), new Date(now)];
  if (dayOf(at) === dayOf(now)) return "Today";
  // not 24 hours: a day of the calendar may have 23 or 25
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (dayOf(at) === dayOf(yesterday.getTime())) return "Yesterday";
  return (date.getFullYear() === today.getFullYear() ? DAY : DAY_AND_YEAR).format(date);
}

/** @param {number} at @returns {{short: string, full: string}} */
export const timeText = (at) => ({ short: TIME.format(at), full: FULL.format(at) });

/** the last ones made: a page marks one person's mentions */
let named = { name: "", names: NOBODY };
let made = { names: NOBODY, pattern: patternFor(NOBODY) };

/**
 * What may follow an @ to mean a person: the name, or its first word. Longest first.
 * @param {string} name
 * @returns {readonly string[]} none for a name without letters; the same array for the same name
 */
export function mentionNames(name) {
  if (name !== named.name) named = { name, names: namesIn(name) };
  return named.names;
}

/** @param {string} name @returns {readonly string[]} also as another keyboard composes letters */
function namesIn(name) {
  const words = name.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const names = [words.join(" "), words[0] ?? ""].filter(Boolean);
  return [...new Set(names.flatMap((one) => [one.normalize("NFC"), one.normalize("NFD")]))];
}

/**
 * @param {string} text @param {readonly string[]} [names] whose mention is marked, longest first
 * @returns {Token[]}
 */
export function tokens(text, names = NOBODY) {
  if (names !== made.names) made = { names, pattern: patternFor(names) };
  /** @type {Token[]} */
  const list = [];
  let from = 0;
  for (const match of text.matchAll(made.pattern)) {
    const found = tokensOf(match[0], match.groups ?? {});
    if (!found.length) continue;
    if (match.index > from) list.push({ kind: "text", text: text.slice(from, match.index) });
    list.push(...found);
    from = match.index + found.reduce((sum, token) => sum + token.text.length, 0);
  }
  if (from < text.length) list.push({ kind: "text", text: text.slice(from) });
  return list;
}

/** @param {string} text @param {string} name @returns {boolean} whether it is marked in the text */
export function mentions(text, name) {
  const names = text.includes("@") ? mentionNames(name) : NOBODY;
  return names.length > 0 && tokens(text, names).some(({ kind }) => kind === "mention");
}

/** @param {string} text @returns {boolean} a few emoji and nothing else: shown larger */
export function isJumbo(text) {
  return text.length <= JUMBO_LENGTH && EMOJI.test(text);
}

/** @param {readonly string[]} names @returns {RegExp} */
function patternFor(names) {
  const quoted = names.map((name) => name.replace(SYNTAX, "\\$&").replaceAll(" ", "\\s+"));
  // before it: no word, as in an e-mail address; after it: no more of a longer word
  const mention = `(?<mention>(?<![${WORD}@.-])@(?:${quoted.join("|")})(?![${WORD}]))`;
  return new RegExp([FENCE, CODE, LINK, ...(quoted.length ? [mention] : [])].join("|"), "giu");
}

/**
 * @param {string} whole @param {Record<string, string | undefined>} groups
 * @returns {Token[]} of the whole match or its start; none when it is only text after all
 */
function tokensOf(whole, { open = "", block, close = "", code, link, mention }) {
  const fence = (/** @type {string} */ text) => /** @type {Token} */ ({ kind: "fence", text });
  if (block?.trim()) return [fence(open), { kind: "block", text: block }, fence(close)];
  if (code?.trim()) return [fence("`"), { kind: "code", text: code }, fence("`")];
  if (mention) return [{ kind: "mention", text: whole }];
  return link ? linkOf(link) : [];
}

/** @param {string} written @returns {Token[]} */
function linkOf(written) {
  const text = written.slice(0, linkLength(written));
  try {
    const url = new URL(text);
    // https://bank.example@evil.example looks like the one and leads to the other
    if (url.username || url.password) return [];
    return [{ kind: "link", text, href: url.href }];
  } catch {
    return [];
  }
}

/** @param {string} text @returns {number} without the sentence's own marks at its end */
function linkLength(text) {
  /** @type {Record<string, number>} by closing bracket: how many more close than open */
  const extra = {};
  const add = (/** @type {string} */ bracket, /** @type {number} */ by) =>
    (extra[bracket] = (extra[bracket] ?? 0) + by);
  for (const [bracket] of text.matchAll(/[()[\]{}]/g)) {
    add(closing(bracket), CLOSING.includes(bracket) ? 1 : -1);
  }
  let length = text.length;
  for (; length > 0; length--) {
    const last = text.charAt(length - 1);
    if (PUNCTUATION.includes(last)) continue;
    if (CLOSING.includes(last) && (extra[last] ?? 0) > 0) add(last, -1);
    else if (OPENING.includes(last)) add(closing(last), 1);
    else break;
  }
  return length;
}

/** @param {string} bracket @returns {string} the one that closes it */
function closing(bracket) {
  return OPENING.includes(bracket) ? CLOSING.charAt(OPENING.indexOf(bracket)) : bracket;
}
