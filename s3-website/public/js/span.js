// Owns which of the lines stand in the DOM: a few hundred around the reader, however many there
// are. Pure: it counts lines, not pixels.

/** @typedef {{from: number, to: number}} Span `to` is not part of it */

export const ROWS = 300;
// a screen shows at most about a hundred: there is always one more on either side
const BEFORE = 60;
const AFTER = 160;

/** @param {number} count of all lines @returns {Span} */
export function spanAtEnd(count) {
  return { from: Math.max(0, count - ROWS), to: count };
}

/**
 * @param {number} first the line at the top of the screen @param {number} count of all lines
 * @returns {Span}
 */
export function spanAround(first, count) {
  const from = Math.max(0, Math.min(first - ROWS / 2, count - ROWS));
  return { from, to: Math.min(count, from + ROWS) };
}

/**
 * The same lines as long as there are enough on either side of the reader.
 * @param {Span} span of those that are there @param {number} first @param {number} count
 * @returns {Span}
 */
export function spanKept(span, first, count) {
  const roomy =
    (span.from === 0 || first - span.from >= BEFORE) &&
    (span.to === count || span.to - first >= AFTER);
  return roomy && span.to - span.from <= ROWS ? span : spanAround(first, count);
}
