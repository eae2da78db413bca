// Owns the pace of polls and of retries: pure functions of time and chance. Polls are most of what the chat
// costs, so idle pages ask less.

/**
 * @typedef {{failures: number, sinceSendMs: number, sinceActiveMs: number, hiddenMs: number,
 *   online?: boolean, random: number}} Pace
 *   `sinceActiveMs` since the person's last input or the last new message; `hiddenMs` is 0 for a
 *   visible page; `random` is in [0, 1)
 * @typedef {readonly (readonly [afterMs: number, everyMs: number])[]} Steps the longest wait last
 */

const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_LAST_MS = 30_000;

const QUICK_POLL_MS = 250;
const QUICK_FOR_MS = 3_000;
/** From here on a page is idle: the next input should poll at once. */
export const IDLE_AFTER_MS = 60_000;
/** Each wait is up to this part longer or shorter, so that pages do not march in step. */
export const JITTER = 0.1;

const VISIBLE_POLLS = /** @type {Steps} */ ([[0, 1_000], [IDLE_AFTER_MS, 3_000], [600_000, 10_000]]);
const HIDDEN_POLLS = /** @type {Steps} */ ([[0, 15_000], [600_000, 60_000]]);
// of all channels but the open one together: each probe asks for one of them
const VISIBLE_PROBES = /** @type {Steps} */ ([[0, 10_000], [IDLE_AFTER_MS, 30_000]]);
const HIDDEN_PROBES = /** @type {Steps} */ ([[0, 60_000]]);

/**
 * How long to wait before a next try: twice as long with each failure, spread over half of it.
 * @param {number} failures @param {number} random in [0, 1)
 */
export function backoff(failures, random) {
  const ceiling = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 10));
  return (ceiling / 2) * (1 + random);
}

/**
 * How long until the next poll of the open channel; Infinity while the browser is offline. A message
 * of one's own is waited for even on a page that is hidden by then.
 * @param {Pace} pace
 */
export function pollDelay(pace) {
  const quick = pace.sinceSendMs < QUICK_FOR_MS;
  return delay(pace, quick ? QUICK_POLL_MS : paceOf(pace, VISIBLE_POLLS, HIDDEN_POLLS));
}

/** How long until the next probe of another channel. @param {Pace} pace */
export function probeDelay(pace) {
  return delay(pace, paceOf(pace, VISIBLE_PROBES, HIDDEN_PROBES));
}

/** @param {Pace} pace @param {number} everyMs */
function delay({ failures, online = true, random }, everyMs) {
  if (!online) return Infinity;
  const usual = everyMs * (1 - JITTER + 2 * JITTER * random);
  return failures > 0 ? Math.max(usual, backoff(failures, random)) : usual;
}

/** @param {Pace} pace @param {Steps} visible @param {Steps} hidden */
function paceOf({ sinceActiveMs, hiddenMs }, visible, hidden) {
  const [steps, sinceMs] = hiddenMs > 0 ? [hidden, hiddenMs] : [visible, sinceActiveMs];
  // a clock that was set back makes a negative time: the first step
  return (steps.findLast(([afterMs]) => sinceMs >= afterMs) ?? steps[0])?.[1] ?? Infinity;
}
