// Owns the loop that repeats a step as long as a presence lasts. It must not know what the step does.

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
  const rest = (leastMs) => {
    const { over, end } = pause(Math.max(leastMs, delay()));
    wake = end;
    return over;
  };
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

/**
 * @param {number} ms Infinity: until `end` is called
 * @returns {{over: Promise<void>, end: () => void}}
 */
export function pause(ms) {
  let end = () => {};
  /** @type {Promise<void>} */
  const over = new Promise((resolve) => {
    // setTimeout takes Infinity, and what does not fit 31 bits, for 0
    const timer = ms < Infinity ? setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS)) : undefined;
    end = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return { over, end };
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
