// Computes the delays of polls and retries, as pure functions of time and chance. Polls are most of the chat's
// cost, so idle pages poll less.

/**
 * @typedef {{failures: number, sinceSendMs: number, sinceActiveMs: number, hiddenMs: number,
 *   online?: boolean, live?: boolean, random: number}} Pace
 *   `sinceActiveMs`: since the last input or new message; `hiddenMs`: 0 while visible; `live`: new
 *   messages are pushed, so polls only look for pushes that were lost; `random`: in [0, 1)
 * @typedef {readonly (readonly [afterMs: number, everyMs: number])[]} Steps in order of `afterMs`
 */

const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_LAST_MS = 30_000;

const QUICK_POLL_MS = 250;
const QUICK_FOR_MS = 3_000;
/** After this long without activity a page is idle, and the next input polls at once. */
export const IDLE_AFTER_MS = 60_000;
/** Each delay varies by up to this fraction, so that pages do not poll in step. */
export const JITTER = 0.1;

const VISIBLE_POLLS = /** @type {Steps} */ ([[0, 1_000], [IDLE_AFTER_MS, 3_000], [600_000, 10_000]]);
const HIDDEN_POLLS = /** @type {Steps} */ ([[0, 15_000], [600_000, 60_000]]);
// a probe reads one of the channels that are not open; this is their common pace
const VISIBLE_PROBES = /** @type {Steps} */ ([[0, 10_000], [IDLE_AFTER_MS, 30_000]]);
const HIDDEN_PROBES = /** @type {Steps} */ ([[0, 60_000]]);
const LIST_MS = 60_000;
/** While the panel is open. */
const SHOWN_STATS_MS = 15_000;
// only the open channel is pushed: the statistics tell which others have new messages, within 5 s while the person
// is active, and everything else is read rarely
const LIVE_STATS = /** @type {Steps} */ ([[0, 5_000], [IDLE_AFTER_MS, 120_000]]);
const LIVE_POLLS = /** @type {Steps} */ ([[0, 120_000], [IDLE_AFTER_MS, 300_000]]);
const LIVE_PROBES = /** @type {Steps} */ ([[0, 15_000], [IDLE_AFTER_MS, 120_000]]);
const LIVE_RARELY = /** @type {Steps} */ ([[0, 300_000]]);
const LIVE_LIST_MS = 1_800_000;

/**
 * Return the delay before the next try: doubled by each failure, with random jitter of half of it.
 * @param {number} failures @param {number} random in [0, 1)
 */
export function backoff(failures, random) {
  const ceiling = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 10));
  return (ceiling / 2) * (1 + random);
}

/**
 * Return the delay until the next poll of the open channel; Infinity while offline. After sending it
 * is short, even on a hidden page.
 * @param {Pace} pace
 */
export function pollDelay(pace) {
  if (pace.live) return delay(pace, paceOf(pace, LIVE_POLLS, LIVE_RARELY));
  const quick = pace.sinceSendMs < QUICK_FOR_MS;
  return delay(pace, quick ? QUICK_POLL_MS : paceOf(pace, VISIBLE_POLLS, HIDDEN_POLLS));
}

/** Return the delay until the next probe of another channel. @param {Pace} pace */
export function probeDelay(pace) {
  if (pace.live) return delay(pace, paceOf(pace, LIVE_PROBES, LIVE_RARELY));
  return delay(pace, paceOf(pace, VISIBLE_PROBES, HIDDEN_PROBES));
}

/** Return the delay until the list of channels is read again. @param {Pace} pace */
export function listDelay(pace) {
  return pace.live ? LIVE_LIST_MS : LIST_MS;
}

/**
 * Return the delay until the statistics are read again; Infinity when nothing needs them.
 * @param {Pace} pace @param {boolean} shown in the panel
 */
export function statsDelay(pace, shown) {
  // it does not vary, so that it is never longer: pages begin at different moments
  const steady = { ...pace, random: 0.5 };
  const live = pace.live ? delay(steady, paceOf(pace, LIVE_STATS, LIVE_RARELY)) : Infinity;
  return Math.min(live, shown ? SHOWN_STATS_MS : Infinity);
}

/** Whether somebody uses the page. @param {Pace} pace */
export function isUsed({ sinceActiveMs, hiddenMs }) {
  return hiddenMs === 0 && sinceActiveMs < IDLE_AFTER_MS;
}

/** @param {Pace} pace @param {number} everyMs */
function delay({ failures, online = true, live = false, random }, everyMs) {
  if (!online) return Infinity;
  if (live && failures > 0) return backoff(failures, random);
  const usual = everyMs * (1 - JITTER + 2 * JITTER * random);
  return failures > 0 ? Math.max(usual, backoff(failures, random)) : usual;
}

/** @param {Pace} pace @param {Steps} visible @param {Steps} hidden */
function paceOf({ sinceActiveMs, hiddenMs }, visible, hidden) {
  const [steps, sinceMs] = hiddenMs > 0 ? [hidden, hiddenMs] : [visible, sinceActiveMs];
  // a clock that was set back gives a negative time: use the first step
  return (steps.findLast(([afterMs]) => sinceMs >= afterMs) ?? steps[0])?.[1] ?? Infinity;
}
