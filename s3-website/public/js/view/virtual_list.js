// Decides which rows are in the DOM, and keeps the reader's position: at the end, where new lines push the old ones
// up, or at a line that stays in place whatever comes before or after it. It must not decide what the lines are.

import { isSameLine } from "../state/lines.js";
import { setHidden } from "./dom.js";
import { fillRow, rowNode } from "./message.js";

/**
 * @typedef {import("../state/lines.js").Line} Line
 * @typedef {import("./message.js").Handlers} Handlers
 * @typedef {{key: string, top: number}} Place a row and its distance from the top of the log
 * @typedef {{from: number, to: number}} Span of the lines in the DOM; excludes `to`
 */

const NEAR_END_PX = 48;
const NEAR_TOP_PX = 400;
export const ROWS = 300;
// a screen shows up to about a hundred lines: there are always more on either side
const BEFORE = 60;
const AFTER = 160;

/**
 * @param {{log: HTMLElement, rows: HTMLElement, top: HTMLElement}} part `log` scrolls and contains
 *   `top`, shown above the oldest line, and `rows`
 * @param {Handlers} handlers
 * @param {(atEnd: boolean, nearTop: boolean) => void} onMoved
 */
export function createVirtualList({ log, rows: list, top }, handlers, onMoved) {
  const rows = createRows(log, list, handlers);
  /** @type {readonly Line[]} */
  let lines = [];
  let span = spanAtEnd(0);
  let atEnd = true;
  /** @type {Place | undefined} the reader's line */
  let place;
  /** @type {string | null} key of the line to open at, while the list is hidden */
  let opening = null;
  let size = "";

  const sizeNow = () => `${log.clientWidth} ${log.clientHeight}`;
  const isHidden = () => log.clientHeight === 0;
  const indexOf = (/** @type {string | undefined} */ key) =>
    lines.findIndex((line) => line.key === key);

  /** @param {Span} wanted */
  function draw(wanted) {
    span = wanted;
    rows.show(lines.slice(span.from, span.to));
    setHidden(top, span.from > 0 || lines.length === 0);
  }

  function toEnd() {
    atEnd = true;
    draw(spanAtEnd(lines.length));
    log.scrollTop = log.scrollHeight;
    settle();
  }

  function toStart() {
    draw(spanAround(0, lines.length));
    log.scrollTop = 0;
    settle();
  }

  /** @param {string} key */
  function openAt(key) {
    opening = isHidden() ? key : null;
    const first = indexOf(key);
    if (first < 0) return toEnd();
    atEnd = false;
    draw(spanAround(first, lines.length));
    rows.restore({ key, top: Math.round(log.clientHeight / 4) });
    settle();
  }

  /** @param {readonly Place[]} places the first one that still exists stays in place */
  function keepPlace(places) {
    const anchor = places.find(({ key }) => indexOf(key) >= 0);
    // the reader's lines are gone; the oldest remaining line is the closest
    if (!anchor) return places.length ? toStart() : toEnd();
    draw(spanKept(shownSpan(), indexOf(anchor.key), lines.length));
    rows.restore(anchor);
    settle();
  }

  /** @returns {Span} of the rows in the DOM, in the current lines */
  function shownSpan() {
    const from = lines.findIndex(rows.has);
    return { from, to: lines.findLastIndex(rows.has) + 1 };
  }

  /** After every scroll: remember the place, and keep enough lines on either side. */
  function settle() {
    if (isHidden()) return;
    size = sizeNow();
    const below = log.scrollHeight - log.scrollTop - log.clientHeight;
    atEnd = span.to === lines.length && below < NEAR_END_PX;
    place = rows.places()[0];
    const wanted = atEnd || !place ? span : spanKept(span, indexOf(place.key), lines.length);
    if (place && (wanted.from !== span.from || wanted.to !== span.to)) {
      draw(wanted);
      rows.restore(place);
    }
    onMoved(atEnd, span.from === 0 && log.scrollTop < NEAR_TOP_PX);
  }

  function resized() {
    if (isHidden()) return;
    if (opening !== null) openAt(opening);
    else if (atEnd) toEnd();
    else keepPlace(place ? [place] : []);
  }

  // a scroll caused by a new size is not the reader's
  const onScroll = () => (size === sizeNow() ? settle() : resized());
  log.addEventListener("scroll", onScroll, { passive: true });
  log.addEventListener("keydown", (event) => {
    // the browser knows only the rows in the DOM
    if (event.target !== log || (event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    if (event.key === "Home") toStart();
    else toEnd();
  });

  return {
    toEnd,
    resized,

    /** @param {readonly Line[]} next another channel's lines @param {string} key "": at the end */
    open(next, key) {
      lines = next;
      openAt(key);
    },

    /** @param {readonly Line[]} next the same channel's lines as they are now */
    show(next) {
      const places = atEnd || isHidden() ? [] : rows.places();
      lines = next;
      if (opening !== null) openAt(opening);
      else if (atEnd) toEnd();
      else keepPlace(places.length || !place ? places : [place]);
    },
  };
}

/**
 * @param {HTMLElement} log the scroll container @param {HTMLElement} list the rows' parent
 * @param {Handlers} handlers
 */
function createRows(log, list, handlers) {
  /** @type {Map<string, {node: HTMLElement, line: Line}>} */
  const rows = new Map();
  /** @type {WeakMap<Element, string>} */
  const keys = new WeakMap();
  const topOf = (/** @type {Element} */ node) =>
    node.getBoundingClientRect().top - log.getBoundingClientRect().top;

  /** @param {Line} line @returns {HTMLElement} its row, up to date */
  const rowFor = (line) => {
    const row = rows.get(line.key);
    if (row && isSameLine(row.line, line)) return row.node;
    const node = row?.node ?? rowNode(log.ownerDocument, line);
    fillRow(node, line, handlers);
    rows.set(line.key, { node, line });
    keys.set(node, line.key);
    return node;
  };

  return {
    /** @param {readonly Line[]} lines rows that do not differ are not touched */
    show(lines) {
      const wanted = new Set(lines.map(({ key }) => key));
      for (const [key, { node }] of rows) {
        if (wanted.has(key)) continue;
        node.remove();
        rows.delete(key);
      }
      let next = list.firstElementChild;
      for (const line of lines) {
        const node = rowFor(line);
        if (node === next) next = next.nextElementSibling;
        else list.insertBefore(node, next);
      }
    },

    /** @param {Line} line */
    has: (line) => rows.has(line.key),

    /** @returns {Place[]} of the visible rows, from the top */
    places() {
      const nodes = list.children;
      const height = log.clientHeight;
      /** @type {Place[]} */
      const places = [];
      for (let at = firstBelow(nodes, log.getBoundingClientRect().top); at < nodes.length; at++) {
        const node = /** @type {Element} */ (nodes[at]);
        const top = topOf(node);
        if (top >= height) break;
        places.push({ key: keys.get(node) ?? "", top });
      }
      return places;
    },

    /** Scroll a row back to its place. @param {Place} place */
    restore({ key, top }) {
      const node = rows.get(key)?.node;
      const moved = node ? topOf(node) - top : 0;
      // a smaller difference is rounding, and writing scrollTop stops a touch scroll
      if (Math.abs(moved) >= 0.5) log.scrollTop += moved;
    },
  };
}

/** Find the first node below `top`. @param {HTMLCollection} nodes in order @param {number} top */
function firstBelow(nodes, top) {
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { bottom = 0 } = nodes[middle]?.getBoundingClientRect() ?? {};
    if (bottom > top) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** @param {number} count all lines @returns {Span} */
export function spanAtEnd(count) {
  return { from: Math.max(0, count - ROWS), to: count };
}

/**
 * @param {number} first the line at the top of the screen @param {number} count all lines
 * @returns {Span}
 */
export function spanAround(first, count) {
  const from = Math.max(0, Math.min(first - ROWS / 2, count - ROWS));
  return { from, to: Math.min(count, from + ROWS) };
}

/**
 * Keep the span as long as it has enough lines on either side of the reader.
 * @param {Span} span the current one @param {number} first @param {number} count
 * @returns {Span}
 */
export function spanKept(span, first, count) {
  const roomy =
    (span.from === 0 || first - span.from >= BEFORE) &&
    (span.to === count || span.to - first >= AFTER);
  return roomy && span.to - span.from <= ROWS ? span : spanAround(first, count);
}
