// Owns whether somebody looks at the page: seen or hidden, used or left alone. It must not decide
// what follows from that.

/**
 * @param {Document} page
 * @param {() => number} clock milliseconds, of a clock that never jumps
 * @param {{onReturn(): void, onInput(idleMs: number): void}} handlers `onReturn`: the page is
 *   visible again; `onInput`: the person does something
 */
export function createAttention(page, clock, { onReturn, onInput }) {
  let activeAt = clock();
  let hiddenAt = clock();

  page.addEventListener("visibilitychange", () => {
    if (page.hidden) {
      hiddenAt = clock();
    } else {
      activeAt = clock();
      onReturn();
    }
  });
  const active = () => {
    const idleMs = clock() - activeAt;
    activeAt = clock();
    onInput(idleMs);
  };
  for (const event of ["keydown", "pointerdown", "wheel", "touchmove"]) {
    page.addEventListener(event, active, { passive: true, capture: true });
  }

  return {
    /** Something happened that keeps a reader there. */
    stir() {
      activeAt = clock();
    },
    /** @returns {{sinceActiveMs: number, hiddenMs: number}} `hiddenMs` is 0 for a visible page */
    times: () => ({
      sinceActiveMs: clock() - activeAt,
      hiddenMs: page.hidden ? Math.max(1, clock() - hiddenAt) : 0,
    }),
  };
}
