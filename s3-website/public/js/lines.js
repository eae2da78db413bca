// Owns what stands in the list of messages, in which order: messages, those on their way, days, the
// mark before the new ones. Pure: the clock comes in. It must not know the DOM.

import { mentionNames } from "./text.js";
import { dayLabel, dayOf } from "./times.js";

/**
 * @typedef {import("./state.js").Message} Message
 * @typedef {import("./state.js").Outgoing} Outgoing
 * @typedef {import("./state.js").Person} Person
 * @typedef {Message | Outgoing} Source
 * @typedef {{kind: "message", key: string, source: Source, message: Message, at: number,
 *   day: number, own: boolean, continued: boolean, state: "" | Outgoing["state"], why: string,
 *   names: readonly string[]}} MessageLine
 *   `continued`: goes on what the line above began; `names`: whose mention is marked
 * @typedef {{kind: "day" | "divider", key: string, label: string}} MarkLine
 * @typedef {MessageLine | MarkLine} Line
 */

const GROUP_MS = 5 * 60_000;
/** @type {readonly string[]} */
const NOBODY = [];

/** @type {WeakMap<Source, MessageLine>} a line that did not change stays the same object */
const known = new WeakMap();
/** @type {WeakMap<Person, readonly string[]>} */
const namesOf = new WeakMap();

/**
 * @param {{messages: readonly Message[], divider: string}} channel
 * @param {readonly Outgoing[]} outbox of this channel
 * @param {Person | null} person
 * @param {number} now ms since the epoch
 * @returns {Line[]} keys are unique; a message keeps its key from the outbox to the transcript
 */
export function lines(channel, outbox, person, now) {
  const names = namesFor(person);
  const { divider, messages } = channel;
  /** @type {Line[]} */
  const list = [];
  /** @type {MessageLine | null} */
  let above = null;
  let divided = !divider;
  for (const source of [...messages, ...unconfirmed(outbox, messages, person)]) {
    const draft = lineOf(source, person, names);
    const newDay = !Number.isNaN(draft.day) && draft.day !== above?.day;
    const first = !divided && (!("id" in source) || source.id > divider);
    if (newDay) list.push(mark("day", draft.key, dayLabel(draft.at, now)));
    if (first) list.push(mark("divider", "", "New messages"));
    divided ||= first;
    above = kept(draft, !newDay && !first && continues(above, draft));
    list.push(above);
  }
  return list;
}

/** @param {Line} one @param {Line} other @returns {boolean} whether they look the same */
export function isSameLine(one, other) {
  if (one === other) return true;
  return one.kind !== "message" && other.kind === one.kind && other.label === one.label;
}

/** @param {Person | null} person @returns {readonly string[]} the same array for the same person */
function namesFor(person) {
  if (!person) return NOBODY;
  const names = namesOf.get(person) ?? mentionNames(person.name);
  namesOf.set(person, names);
  return names;
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
 * @returns {MessageLine} but for `continued`, which the line above decides
 */
function lineOf(source, person, names) {
  const before = known.get(source);
  const stored = "id" in source;
  const own = !stored || (source.kind === "user" && !!source.user && source.user === person?.user);
  if (before && before.own === own && before.names === names) return before;
  const message = stored ? source : messageOf(source, person);
  const at = Date.parse(message.sentAt);
  return {
    kind: "message",
    key: keyOf(message),
    source,
    message,
    at,
    day: dayOf(at),
    own,
    continued: false,
    state: stored ? "" : source.state,
    why: stored ? "" : source.why,
    names,
  };
}

/** @param {Outgoing} outgoing @param {Person | null} person @returns {Message} as it will be */
function messageOf(outgoing, person) {
  const { clientId, text, at } = outgoing;
  const { name = "", user = "", picture = "" } = person ?? {};
  const sentAt = Number.isFinite(at) ? new Date(at).toISOString() : "";
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

/** @param {MessageLine} line @param {boolean} continued @returns {MessageLine} */
function kept(line, continued) {
  const result = line.continued === continued ? line : { ...line, continued };
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
