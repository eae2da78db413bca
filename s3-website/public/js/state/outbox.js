// Owns the queue of messages and changes that no transcript shows yet: their order, pace and delivery state. All
// functions are pure, and return the same array when nothing changes.

/**
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Change} Change
 * @typedef {readonly Outgoing[]} Outbox
 * @typedef {{messages: number, seconds: number}} Rate
 */

export const OUTBOX_LIMIT = 100;
export const TEXT_LIMIT = 2000;
const UNSEEN_MS = 15_000;
/** Tries closer together than this count as one when the table is searched for them. */
const APART_MS = 60_000;
/** A client id that begins with the time of the first try: see publish.js. */
const TIMED = /^[0-9a-z]{9}-/;
const UNSEEN = "It has not appeared: it may have been refused. Try again.";
const UNCHANGED = "It may have been refused: a message can be changed for 15 minutes.";
// store_message refuses a text without a visible character; marks are invisible without a letter
const VISIBLE = /[^\s\p{M}\p{Cc}\p{DI}\u2800]/u;

/** @param {string} text @returns {number} in characters, like store_message, not UTF-16 units */
export function lengthOf(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** @param {string} text @returns {boolean} whether it can be a message */
export function isSendable(text) {
  const trimmed = text.trim();
  // a character has at most two code units, so a far longer text needs no counting
  if (trimmed.length > 2 * TEXT_LIMIT || lengthOf(trimmed) > TEXT_LIMIT) return false;
  return VISIBLE.test(trimmed);
}

/**
 * Append a message or a change.
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

/** @param {Outbox} outbox @param {string} clientId @returns {Outbox} with its request in flight */
export function started(outbox, clientId) {
  return changed(outbox, clientId, ["queued"], { state: "sending", why: "" });
}

/** @param {Outbox} outbox @param {string} clientId @returns {Outbox} noting that it takes long */
export function slow(outbox, clientId) {
  return changed(outbox, clientId, ["sending"], { why: "This takes longer than usual." });
}

/**
 * Mark it as accepted by SNS. It leaves the outbox when a transcript shows it.
 * @param {Outbox} outbox @param {string} clientId @param {number} now @returns {Outbox}
 */
export function accepted(outbox, clientId, now) {
  return changed(outbox, clientId, ["sending", "queued"], { state: "sent", why: "", at: now });
}

/**
 * Queue it again: it is sent later, without an action by the person.
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
 * Queue a failed message again, at the end. It keeps its client id, so it is shown once even if an
 * earlier try succeeded.
 * @param {Outbox} outbox @param {string} clientId @param {number} now @returns {Outbox}
 */
export function retried(outbox, clientId, now) {
  const failure = outbox.find((item) => item.clientId === clientId && item.state === "failed");
  if (!failure) return outbox;
  const others = outbox.filter((item) => item !== failure);
  return [...others, { ...failure, state: "queued", why: "", at: now }];
}

/**
 * Remove it, unless it is on its way.
 * @param {Outbox} outbox @param {string} clientId @returns {Outbox}
 */
export function discarded(outbox, clientId) {
  return without(outbox, (item) => item.clientId === clientId && /^(failed|queued)$/.test(item.state));
}

/**
 * Remove what the channel shows now.
 * @param {Outbox} outbox @param {string} channel @param {readonly Message[]} messages
 * @param {string} user the outbox's owner: another person's client id proves nothing
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
 * Whether a change is stored: an id ends with its client id, its message is deleted, or another tab's
 * later edit has replaced it.
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

/** @param {string} version @returns {number} its time, ms since the epoch; NaN for none */
function timeIn(version) {
  return Date.parse(/\d{4}-[^#]*/.exec(version)?.[0] ?? "");
}

/**
 * Mark as failed what was sent a while ago and is not in the channel, which has just been read. If a
 * clock's jump makes that premature, the message still leaves the outbox when it appears.
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

/**
 * Queue interrupted requests again, after a reload or the end of a session.
 * @param {Outbox} outbox @returns {Outbox}
 */
export function resumed(outbox) {
  if (!outbox.some(({ state }) => state === "sending")) return outbox;
  return outbox.map((item) =>
    item.state === "sending" ? { ...item, state: "queued", why: "" } : item,
  );
}

/**
 * Append another tab's outbox, in its order.
 * @param {Outbox} outbox @param {Outbox} more @returns {Outbox}
 */
export function joined(outbox, more) {
  const known = new Set(outbox.map(({ clientId }) => clientId));
  const added = resumed(more).filter(({ clientId }) => !known.has(clientId));
  return added.length ? [...outbox, ...added] : outbox;
}

/** @param {Outbox} outbox @param {string} channel @returns {number} when its oldest item was sent */
export function sentSince(outbox, channel) {
  const times = outbox
    .filter((item) => item.channel === channel && item.state !== "queued")
    .map(({ at }) => at);
  return Math.min(Infinity, ...times);
}

/**
 * @param {Outbox} outbox @param {string} channel
 * @returns {{clientId: string, time: number}[]} messages that may be stored, with the times of their
 *   first and last try, ms since the epoch
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
 * Return how long the rate limit delays the next message, ms.
 * @param {readonly number[]} times when messages were sent, oldest first, by a monotonic clock
 * @param {number} now by the same clock @param {Rate} rate
 */
export function holdMs(times, now, { messages, seconds }) {
  const oldest = times.at(-messages);
  return oldest === undefined ? 0 : Math.max(0, oldest + seconds * 1000 - now);
}

/**
 * @param {Outbox} outbox @param {string} clientId
 * @param {readonly Outgoing["state"][]} from the states that may change
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
