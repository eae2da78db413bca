// Owns when the page asks: the pace of each kind of request, as pure functions of time and chance,
// and the one loop that repeats a step, never two at a time. It must not know what is asked for.
// Polls are most of what the chat costs, so idle pages ask less.

/**
 * @typedef {{failures: number, sinceSendMs: number, sinceActiveMs: number, hiddenMs: number,
 *   online?: boolean, random: number}} Pace
 *   `sinceActiveMs` since the person's last input or the last new message; `hiddenMs` is 0 for a
 *   visible page; `random` is in [0, 1)
 * @typedef {readonly {afterMs: number, everyMs: number}[]} Steps the longest wait last
 */

export const QUICK_POLL_MS = 250;
export const QUICK_FOR_MS = 3_000;
/** From here on a page is idle: the next input should poll at once. */
export const IDLE_AFTER_MS = 60_000;
export const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_LAST_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const AFTER_BUG_MS = 1_000;
/** Each wait is up to this part longer or shorter, so that pages do not march in step. */
export const JITTER = 0.1;

/** @type {Steps} */
export const VISIBLE_POLLS = [
  { afterMs: 0, everyMs: 1_000 },
  { afterMs: IDLE_AFTER_MS, everyMs: 3_000 },
  { afterMs: 600_000, everyMs: 10_000 },
];
/** @type {Steps} */
export const HIDDEN_POLLS = [
  { afterMs: 0, everyMs: 15_000 },
  { afterMs: 600_000, everyMs: 60_000 },
];
/** @type {Steps} of all channels but the open one together: each probe asks for one of them */
export const VISIBLE_PROBES = [
  { afterMs: 0, everyMs: 10_000 },
  { afterMs: IDLE_AFTER_MS, everyMs: 30_000 },
];
/** @type {Steps} */
export const HIDDEN_PROBES = [{ afterMs: 0, everyMs: 60_000 }];

/**
 * How long until the next poll of the open channel; Infinity while the browser is offline.
 *
 * A message of one's own is waited for even on a page that is hidden by then.
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

/** Twice as long with each failure, spread over half of it. @param {number} failures @param {number} random */
function backoff(failures, random) {
  const ceiling = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 10));
  return (ceiling / 2) * (1 + random);
}

/** @param {Pace} pace @param {Steps} visible @param {Steps} hidden */
function paceOf({ sinceActiveMs, hiddenMs }, visible, hidden) {
  const [steps, sinceMs] = hiddenMs > 0 ? [hidden, hiddenMs] : [visible, sinceActiveMs];
  // a clock that was set back makes a negative time: the first step
  return (steps.findLast(({ afterMs }) => sinceMs >= afterMs) ?? steps[0])?.everyMs ?? Infinity;
}

/**
 * Repeat a step until the signal ends, one at a time.
 *
 * A step should handle its own errors. One that throws all the same is reported as an error of
 * the page, and the loop goes on after a second at the least.
 * @param {() => Promise<void>} step
 * @param {() => number} delay milliseconds until the next; Infinity waits for the next call
 * @param {AbortSignal} signal
 * @returns {() => void} a function that brings the next step forward
 */
export function startPolling(step, delay, signal) {
  let hurried = false;
  let wake = () => {};
  /** @param {number} leastMs */
  const rest = (leastMs) =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const delayMs = Math.max(leastMs, delay());
        // setTimeout takes Infinity, and what does not fit 31 bits, for 0
        const timer =
          delayMs < Infinity ? setTimeout(resolve, Math.min(delayMs, LONGEST_TIMER_MS)) : undefined;
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      })
    );
  const loop = async () => {
    while (!signal.aborted) {
      hurried = false;
      const leastMs = await attempt(step);
      if ((!hurried || leastMs) && !signal.aborted) await rest(leastMs);
    }
  };
  signal.addEventListener("abort", () => wake(), { once: true });
  void loop();
  return () => {
    hurried = true;
    wake();
  };
}

/** @param {() => Promise<void>} step @returns {Promise<number>} the shortest rest after it */
async function attempt(step) {
  try {
    await step();
    return 0;
  } catch (error) {
    reportError(error);
    return AFTER_BUG_MS;
  }
}
