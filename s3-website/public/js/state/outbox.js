// Owns the queue of what this person wrote or changed and no transcript shows yet: order, pace, what became
// of each. All functions are pure; each answers the same list when nothing changes.

/**
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Change} Change
 * @typedef {readonly Outgoing[]} Outbox
 * @typedef {{messages: number, seconds: number}} Rate
 */

export const OUTBOX_LIMIT = 100;
export const TEXT_LIMIT = 2000;
/** What store_message takes of one person, when the config does not say. @type {Rate} */
export const DEFAULT_RATE = Object.freeze({ messages: 10, seconds: 10 });
const UNSEEN_MS = 15_000;
/** Tries so near to each other are one, for who looks for what they stored. */
const APART_MS = 60_000;
/** A client id begins with the time of the first try, as sending.js makes it. */
const TIMED = /^[0-9a-z]{9}-/;
const UNSEEN = "It has not appeared: it may have been refused. Try again.";
const UNCHANGED = "It may have been refused: a message can be changed for 15 minutes.";
// store_message refuses a text in which there is nothing to see: marks need a letter before them
const VISIBLE = /[^\s\p{M}\p{Cc}\p{DI}\u2800]/u;

/** @param {string} text @returns {number} as store_message counts: characters, not UTF-16 units */
export function lengthOf(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** @param {string} text @returns {boolean} whether it can be a message */
export function isSendable(text) {
  const trimmed = text.trim();
  // a character is at most two code units: what is far too long needs no counting
  if (trimmed.length > 2 * TEXT_LIMIT || lengthOf(trimmed) > TEXT_LIMIT) return false;
  return VISIBLE.test(trimmed);
}

/**
 * Put a message, or a change of one, at the end.
 * @param {Outbox} outbox
 * @param {Pick<Outgoing, "clientId" | "channel" | "text" | "action" | "target">} message
 * @param {number} now @returns {Outbox}
 */
export function queued(outbox, { text, ...rest }, now) {
  const fits = rest.action === "delete" || isSendable(text);
  if (outbox.length >= OUTBOX_LIMIT || !fits) return outbox;
  if (outbox.some((item) => item.clientId === rest.clientId)) return outbox;
  const written = { ...rest, text: text.trim().toWellFormed() };
  return [...outbox, { ...written, state: "queued", why: "", at: now }];
}

/** @param {Outbox} outbox @returns {Outgoing | null} the next item to send: one at a time, in order */
export function next(outbox) {
  if (outbox.some(({ state }) => state === "sending")) return null;
  return outbox.find(({ state }) => state === "queued") ?? null;
}

/** @param {Outbox} outbox @param {string} clientId @returns {Outbox} a request is in flight */
export function started(outbox, clientId) {
  return changed(outbox, clientId, ["queued"], { state: "sending", why: "" });
}

/** @param {Outbox} outbox @param {string} clientId @returns {Outbox} the request takes long */
export function slow(outbox, clientId) {
  return changed(outbox, clientId, ["sending"], { why: "This takes longer than usual." });
}

/**
 * SNS has it. It leaves the outbox when a transcript shows it.
 * @param {Outbox} outbox @param {string} clientId @param {number} now @returns {Outbox}
 */
export function accepted(outbox, clientId, now) {
  return changed(outbox, clientId, ["sending", "queued"], { state: "sent", why: "", at: now });
}

/**
 * It goes out later by itself.
 * @param {Outbox} outbox @param {string} clientId @param {string} why @returns {Outbox}
 */
export function waiting(outbox, clientId, why) {
  return changed(outbox, clientId, ["sending", "queued"], { state: "queued", why });
}

/** @param {Outbox} outbox @param {string} clientId @param {string} why @returns {Outbox} */
export function failed(outbox, clientId, why) {
  return changed(outbox, clientId, ["sending", "queued"], { state: "failed", why });
}

/**
 * Send it once more, as the last one. It keeps its client id, so that it is shown once even if an
 * earlier try did arrive.
 * @param {Outbox} outbox @param {string} clientId @param {number} now @returns {Outbox}
 */
export function retried(outbox, clientId, now) {
  const failure = outbox.find((item) => item.clientId === clientId && item.state === "failed");
  if (!failure) return outbox;
  const others = outbox.filter((item) => item !== failure);
  return [...others, { ...failure, state: "queued", why: "", at: now }];
}

/** @param {Outbox} outbox @param {string} clientId @returns {Outbox} only what is not on its way */
export function discarded(outbox, clientId) {
  return without(outbox, (item) => item.clientId === clientId && /^(failed|queued)$/.test(item.state));
}

/**
 * What is in the channel now is not outgoing any more.
 * @param {Outbox} outbox @param {string} channel @param {readonly Message[]} messages
 * @param {string} user whose outbox it is: another one's client id proves nothing
 * @param {readonly Change[]} [changes]
 * @returns {Outbox}
 */
export function confirmed(outbox, channel, messages, user, changes = []) {
  if (!user || !outbox.some((item) => item.channel === channel)) return outbox;
  const own = messages.filter((message) => message.user === user && message.kind === "user");
  const seen = new Set(own.map(({ clientId }) => clientId));
  return without(
    outbox,
    (item) =>
      item.channel === channel &&
      (item.action ? isMade(item, messages, changes) : seen.has(item.clientId)),
  );
}

/**
 * Whether a change has come back, by its client id at the end of its id. To a deleted message there
 * is nothing left to do; an edit that was taken before another tab's is overtaken.
 * @param {Outgoing} item @param {readonly Message[]} messages @param {readonly Change[]} changes
 */
function isMade({ target, clientId, action, state, why, at }, messages, changes) {
  const wasTaken = action === "edit" && (state === "sent" || why === UNCHANGED);
  const isDone = (/** @type {string} */ version) =>
    version.endsWith(`#${clientId}`) || (wasTaken && timeIn(version) > at);
  return (
    changes.some((it) => it.target === target && (it.kind === "delete" || isDone(it.id))) ||
    messages.some((it) => it.id === target && (it.deleted || isDone(it.version ?? "")))
  );
}

/** @param {string} version @returns {number} when a change was made, ms since the epoch; NaN for none */
function timeIn(version) {
  return Date.parse(/\d{4}-[^#]*/.exec(version)?.[0] ?? "");
}

/**
 * What was sent a while ago and is not in the channel, which has just been read. A clock that
 * jumps can only make this come too early: a message that appears later leaves the outbox too.
 * @param {Outbox} outbox @param {string} channel @param {number} now @returns {Outbox}
 */
export function overdue(outbox, channel, now) {
  const late = (/** @type {Outgoing} */ item) =>
    item.state === "sent" && item.channel === channel && Math.abs(now - item.at) >= UNSEEN_MS;
  if (!outbox.some(late)) return outbox;
  return outbox.map((item) =>
    late(item) ? { ...item, state: "failed", why: item.action ? UNCHANGED : UNSEEN } : item,
  );
}

/** @param {Outbox} outbox @returns {Outbox} after a reload, or when the sign-in ended meanwhile */
export function resumed(outbox) {
  if (!outbox.some(({ state }) => state === "sending")) return outbox;
  return outbox.map((item) =>
    item.state === "sending" ? { ...item, state: "queued", why: "" } : item,
  );
}

/**
 * Take over what another tab left, in the order in which it was written.
 * @param {Outbox} outbox @param {Outbox} more @returns {Outbox}
 */
export function joined(outbox, more) {
  const known = new Set(outbox.map(({ clientId }) => clientId));
  const added = resumed(more).filter(({ clientId }) => !known.has(clientId));
  return added.length ? [...outbox, ...added] : outbox;
}

/** @param {Outbox} outbox @param {string} channel @returns {number} when its oldest was sent */
export function sentSince(outbox, channel) {
  const times = outbox
    .filter((item) => item.channel === channel && item.state !== "queued")
    .map(({ at }) => at);
  return Math.min(Infinity, ...times);
}

/**
 * @param {Outbox} outbox @param {string} channel
 * @returns {{clientId: string, time: number}[]} messages that may be stored, and when they were tried:
 *   the first and the last time, ms since the epoch
 */
export function tried(outbox, channel) {
  return outbox
    .filter((item) => item.channel === channel && !item.action && /^(sent|failed)$/.test(item.state))
    .flatMap(({ clientId, at }) => {
      const first = TIMED.test(clientId) ? parseInt(clientId, 36) : at;
      const times = Math.abs(at - first) < APART_MS ? [first] : [first, at];
      return times.map((time) => ({ clientId, time }));
    });
}

/**
 * How long the next message has to wait for the sender's rate.
 * @param {readonly number[]} times when messages went out, oldest first, by a clock without jumps
 * @param {number} now by the same clock @param {Rate} rate
 */
export function holdMs(times, now, { messages, seconds }) {
  const oldest = times.at(-messages);
  return oldest === undefined ? 0 : Math.max(0, oldest + seconds * 1000 - now);
}

/**
 * @param {Outbox} outbox @param {string} clientId
 * @param {readonly Outgoing["state"][]} from the states that this can follow
 * @param {Partial<Outgoing>} change @returns {Outbox}
 */
function changed(outbox, clientId, from, change) {
  const at = outbox.findIndex((item) => item.clientId === clientId && from.includes(item.state));
  const item = outbox[at];
  const keys = /** @type {(keyof Outgoing)[]} */ (Object.keys(change));
  if (!item || keys.every((key) => item[key] === change[key])) return outbox;
  return outbox.with(at, { ...item, ...change });
}

/** @param {Outbox} outbox @param {(item: Outgoing) => boolean} gone @returns {Outbox} */
function without(outbox, gone) {
  return outbox.some(gone) ? outbox.filter((item) => !gone(item)) : outbox;
}
