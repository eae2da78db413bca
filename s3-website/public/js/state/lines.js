// Builds the lines of the message list in order: messages, unsent ones, day marks and the "New messages" divider.
// Pure except for the reader's time zone; the clock is an argument.

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
 *   state: "" | Outgoing["state"], why: string, names: readonly string[],
 *   change: Outgoing | null, changeable: boolean, mark?: string}} MessageLine
 *   `at`: when it was sent; `placedAt`: the time of its position; `continued`: follows a line of the
 *   same sender; `names`: mentions of these are marked; `change`: pending, shown as already made;
 *   `changeable`: by the person, now; `mark`: distinguishes senders of the same name
 * @typedef {{kind: "day" | "divider", key: string, label: string}} MarkLine
 * @typedef {MessageLine | MarkLine} Line
 */

const GROUP_MS = 300_000;

/** @type {WeakMap<Source, MessageLine>} an unchanged line stays the same object */
const cache = new WeakMap();

/**
 * @param {{messages: readonly Message[], divider: string}} channel
 * @param {readonly Outgoing[]} outbox this channel's @param {Person | null} person
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

/** @param {Line} a @param {Line} b @returns {boolean} whether they look the same */
export function isSameLine(a, b) {
  if (a === b) return true;
  return a.kind !== "message" && b.kind === a.kind && b.label === a.label;
}

/**
 * Return the outgoing messages that are not also among the stored ones.
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
 * @returns {MessageLine} without its final `continued` and `changeable`
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

/** @param {Message} message @param {Outgoing | null} change @returns {Message} with the change made */
function asChanged(message, change) {
  if (!change || message.deleted) return message;
  if (change.action === "edit") return { ...message, text: change.text, edited: true };
  return change.state === "failed" ? message : { ...message, text: "", deleted: true };
}

/** @param {Outgoing} outgoing @param {Person | null} person @returns {Message} as it will be stored */
function messageOf(outgoing, person) {
  const { clientId, text, at } = outgoing;
  const { name = "", user = "", picture = "" } = person ?? {};
  const sentAt = idAt(at);
  const rest = { kind: /** @type {const} */ ("user"), edited: false, deleted: false };
  return { id: "", name, text, user, picture, sentAt, clientId, ...rest };
}

/** @param {Message} message @returns {string} client ids are unique per person only */
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
