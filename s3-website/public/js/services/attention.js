// Tracks whether the page is visible and when the person was last active.

const KEPT_ACTIVE_MS = 600_000;

/**
 * @param {Document} page
 * @param {() => number} clock monotonic milliseconds
 * @param {{onReturn(): void, onInput(idleMs: number): void}} handlers `onReturn`: the page became
 *   visible again; `onInput`: the person used it after `idleMs`
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
  // pointerup too: touch counts as user activation only there
  for (const event of ["keydown", "pointerdown", "pointerup", "wheel", "touchmove"]) {
    page.addEventListener(event, active, { passive: true, capture: true });
  }

  return {
    /** Count a new message as activity, unless the last input was more than ten minutes ago. */
    keepActive() {
      if (clock() - inputAt < KEPT_ACTIVE_MS) activeAt = clock();
    },
    /** @returns {{sinceActiveMs: number, hiddenMs: number}} `hiddenMs` is 0 while visible */
    times: () => ({
      sinceActiveMs: clock() - activeAt,
      hiddenMs: page.hidden ? Math.max(1, clock() - hiddenAt) : 0,
    }),
  };
}
