// Owns which lines stand in the list of messages, and in which order: messages, those on their way, days,
// the mark before the new ones. Pure but for the reader's time zone: the clock comes in.

import { idAt, isChangeable, timeOf } from "./messages.js";
import { mentionNames, NOBODY } from "./text.js";
import { dayLabel, dayOf } from "./times.js";

/**
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("../state.js").Person} Person
 * @typedef {Message | Outgoing} Source
 * @typedef {{kind: "message", key: string, source: Source, message: Message, at: number,
 *   placedAt: number, day: number, own: boolean, continued: boolean,
 *   state: "" | Outgoing["state"], why: string, names: readonly string[], change: Outgoing | null, changeable: boolean, mark?: string}} MessageLine
 *   `at`: when it was sent; `placedAt`: at its place; `continued`: goes on what the line above
 *   began; `names`: whose mention is marked; `change`: on its way, shown as if it were made;
 *   `changeable`: by the person, now; `mark`: tells its sender from another one of that name
 * @typedef {{kind: "day" | "divider", key: string, label: string}} MarkLine
 * @typedef {MessageLine | MarkLine} Line
 */

const GROUP_MS = 300_000;

/** @type {WeakMap<Source, MessageLine>} a line that did not change stays the same object */
const cache = new WeakMap();

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
  let isDivided = !divider;
  const written = outbox.filter(({ action }) => !action);
  const changes = new Map(outbox.map((item) => [item.target, item]));
  for (const source of [...messages, ...unconfirmed(written, messages, person)]) {
    const change = ("id" in source && changes.get(source.id)) || null;
    const draft = lineOf(source, person, names, change);
    const newDay = !Number.isNaN(draft.day) && draft.day !== above?.day;
    const first = !isDivided && (!("id" in source) || source.id > divider);
    if (newDay) list.push(mark("day", draft.key, dayLabel(draft.placedAt, now)));
    if (first) list.push(mark("divider", "", "New messages"));
    isDivided ||= first;
    above = cached(draft, !newDay && !first && continues(above, draft), now);
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
  return outbox.filter((item) => !seen.has(item.clientId));
}

/**
 * @param {Source} source @param {Person | null} person @param {readonly string[]} names
 * @param {Outgoing | null} change
 * @returns {MessageLine} but for `continued`, which the line above decides, and `changeable`
 */
function lineOf(source, person, names, change) {
  const before = cache.get(source);
  const stored = "id" in source;
  const own = !stored || (source.kind === "user" && !!source.user && source.user === person?.user);
  if (before?.own === own && before.names === names && before.change === change) return before;
  const message = stored ? asChanged(source, change) : messageOf(source, person);
  const { state, why } = change ?? (stored ? { state: /** @type {const} */ (""), why: "" } : source);
  const at = Date.parse(message.sentAt);
  const placedAt = timeOf(message.id) || at;
  return {
    kind: "message",
    key: keyOf(message),
    source,
    message,
    at,
    placedAt,
    day: dayOf(placedAt),
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
function cached(line, continued, now) {
  const { own, state, message } = line;
  const changeable = own && !state && !message.deleted && isChangeable(message.id, now);
  const same = line.continued === continued && line.changeable === changeable;
  const result = same ? line : { ...line, continued, changeable };
  cache.set(line.source, result);
  return result;
}

/** @param {MessageLine | null} above @param {MessageLine} line */
function continues(above, line) {
  if (!above || above.message.kind === "operator" || line.message.kind === "operator") return false;
  const { user, name } = line.message;
  const same = above.message.user === user && above.message.name === name;
  return same && Math.abs(line.at - above.at) < GROUP_MS;
}
