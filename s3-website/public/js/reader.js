// Owns where the reader is in the list: at the end, where new lines push the old ones up, or at a
// line that stays where it is on the screen, whatever comes before or after it.

import { createRows } from "./rows.js";
import { spanAround, spanAtEnd, spanKept } from "./span.js";
import { setHidden } from "./view_list_parts.js";

/**
 * @typedef {import("./lines.js").Line} Line
 * @typedef {import("./rows.js").Place} Place
 * @typedef {import("./view_list_parts.js").Parts} Parts
 */

const NEAR_END_PX = 48;
const NEAR_TOP_PX = 400;

/**
 * @param {Pick<Parts, "log" | "rows" | "top">} part
 * @param {import("./view_message.js").Handlers} handlers
 * @param {(atEnd: boolean, nearTop: boolean) => void} onMoved
 */
export function createReader({ log, rows: list, top }, handlers, onMoved) {
  const rows = createRows(log, list, handlers);
  /** @type {readonly Line[]} */
  let all = [];
  let span = spanAtEnd(0);
  let atEnd = true;
  /** @type {Place | undefined} the reader's line, if not at the end */
  let place;
  /** @type {string | null} key of the line to open at, while there is nothing to be seen */
  let opening = null;
  let size = "";

  const sizeNow = () => `${log.clientWidth} ${log.clientHeight}`;
  const isHidden = () => log.clientHeight === 0;
  const indexOf = (/** @type {string | undefined} */ key) =>
    all.findIndex((line) => line.key === key);

  /** @param {import("./span.js").Span} wanted */
  function draw(wanted) {
    span = wanted;
    rows.show(all.slice(span.from, span.to));
    setHidden(top, span.from > 0 || all.length === 0);
  }

  function toEnd() {
    atEnd = true;
    draw(spanAtEnd(all.length));
    log.scrollTop = log.scrollHeight;
    settle();
  }

  function toStart() {
    draw(spanAround(0, all.length));
    log.scrollTop = 0;
    settle();
  }

  /** @param {string} key */
  function openAt(key) {
    opening = isHidden() ? key : null;
    const first = indexOf(key);
    if (first < 0) return toEnd();
    atEnd = false;
    draw(spanAround(first, all.length));
    rows.restore({ key, top: Math.round(log.clientHeight / 4) });
    settle();
  }

  /** @param {readonly Place[]} places the first that is still there stays where it is */
  function stay(places) {
    const anchor = places.find(({ key }) => indexOf(key) >= 0);
    if (!anchor) return toEnd();
    draw(spanKept(present(), indexOf(anchor.key), all.length));
    rows.restore(anchor);
    settle();
  }

  /** @returns {import("./span.js").Span} of the rows that are there, in the lines of now */
  function present() {
    const from = all.findIndex(rows.has);
    return { from, to: all.findLastIndex(rows.has) + 1 };
  }

  /** After every movement: remember the place, and have enough lines on either side of it. */
  function settle() {
    if (isHidden()) return;
    size = sizeNow();
    const below = log.scrollHeight - log.scrollTop - log.clientHeight;
    atEnd = span.to === all.length && below < NEAR_END_PX;
    place = rows.places()[0];
    const wanted = atEnd || !place ? span : spanKept(span, indexOf(place.key), all.length);
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
    else stay(place ? [place] : []);
  }

  // a scroll that a new size has caused says nothing about the reader
  const moved = () => (size === sizeNow() ? settle() : resized());
  log.addEventListener("scroll", moved, { passive: true });
  log.addEventListener("keydown", (event) => {
    // the browser knows only of the rows that are there
    if (event.target !== log || (event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    if (event.key === "Home") toStart();
    else toEnd();
  });

  return {
    toEnd,
    resized,

    /** @param {readonly Line[]} lines of another channel @param {string} key "": at the end */
    open(lines, key) {
      all = lines;
      openAt(key);
    },

    /** @param {readonly Line[]} lines as they are now */
    show(lines) {
      const places = atEnd || isHidden() ? [] : rows.places();
      all = lines;
      if (opening !== null) openAt(opening);
      else if (atEnd) toEnd();
      else stay(places.length || !place ? places : [place]);
    },
  };
}
