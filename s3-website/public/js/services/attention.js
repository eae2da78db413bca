// Owns whether somebody looks at the page, and since when they have done nothing.

const STIRRED_FOR_MS = 600_000;

/**
 * @param {Document} page
 * @param {() => number} clock milliseconds, of a clock that never jumps
 * @param {{onReturn(): void, onInput(idleMs: number): void}} handlers `onReturn`: the page is
 *   visible again; `onInput`: the person does something
 */
export function createAttention(page, clock, { onReturn, onInput }) {
  let activeAt = clock();
  let inputAt = activeAt;
  let hiddenAt = activeAt;

  const markActive = () => (activeAt = inputAt = clock());
  page.addEventListener("visibilitychange", () => {
    if (page.hidden) {
      hiddenAt = clock();
    } else {
      markActive();
      onReturn();
    }
  });
  const active = () => {
    const idleMs = clock() - activeAt;
    markActive();
    onInput(idleMs);
  };
  // a finger is believed when it goes up
  for (const event of ["keydown", "pointerdown", "pointerup", "wheel", "touchmove"]) {
    page.addEventListener(event, active, { passive: true, capture: true });
  }

  return {
    /** Something came that keeps a reader there; but one who does nothing for long is not there. */
    keepActive() {
      if (clock() - inputAt < STIRRED_FOR_MS) activeAt = clock();
    },
    /** @returns {{sinceActiveMs: number, hiddenMs: number}} `hiddenMs` is 0 for a visible page */
    times: () => ({
      sinceActiveMs: clock() - activeAt,
      hiddenMs: page.hidden ? Math.max(1, clock() - hiddenAt) : 0,
    }),
  };
}
