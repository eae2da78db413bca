// Owns the one loop that repeats a request: never two at a time, never a busy loop. It must not
// know what is asked for, nor decide how often: pace.js does.

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const AFTER_BUG_MS = 1_000;

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
