// Owns the loop that repeats a step until a signal ends it. It must not know what the step does.

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const AFTER_BUG_MS = 1_000;

/**
 * Repeat a step until the signal aborts, never two at a time.
 *
 * A step should handle its own errors. An error that it throws is reported, and the loop continues
 * after at least a second.
 * @param {() => Promise<void>} step
 * @param {() => number} delay milliseconds until the next step; Infinity waits for a wake-up
 * @param {AbortSignal} signal
 * @returns {() => void} runs the next step now
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
 * @param {number} ms Infinity waits until `end` is called
 * @returns {{over: Promise<void>, end: () => void}}
 */
export function pause(ms) {
  let end = () => {};
  /** @type {Promise<void>} */
  const over = new Promise((resolve) => {
    // setTimeout treats Infinity and anything over 31 bits as 0
    const timer = ms < Infinity ? setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS)) : undefined;
    end = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return { over, end };
}

/** @param {() => Promise<void>} step @returns {Promise<number>} the minimum delay after it, ms */
async function attempt(step) {
  try {
    await step();
    return 0;
  } catch (error) {
    reportError(error);
    return AFTER_BUG_MS;
  }
}
