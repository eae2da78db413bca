// Owns the rows that are in the DOM: which they are, and where on the screen they stand. It must
// not decide which lines those should be.

import { isSameLine } from "./lines.js";
import { fillRow, rowNode } from "./view_message.js";

/**
 * @typedef {import("./lines.js").Line} Line
 * @typedef {{key: string, top: number}} Place a row, and its distance from the top of the screen
 */

/**
 * @param {HTMLElement} log which scrolls @param {HTMLElement} list in it
 * @param {import("./view_message.js").Handlers} handlers
 */
export function createRows(log, list, handlers) {
  /** @type {Map<string, {node: HTMLElement, line: Line}>} */
  const rows = new Map();
  /** @type {WeakMap<Element, string>} */
  const keys = new WeakMap();
  const topOf = (/** @type {Element} */ node) =>
    node.getBoundingClientRect().top - log.getBoundingClientRect().top;

  /** @param {Line} line @returns {HTMLElement} as the line wants it */
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
    /** @param {readonly Line[]} lines what does not differ is not touched */
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

    /** @returns {Place[]} of the rows that the reader sees, from the top */
    places() {
      const nodes = list.children;
      const height = log.clientHeight;
      /** @type {Place[]} */
      const found = [];
      for (let at = firstBelow(nodes, log.getBoundingClientRect().top); at < nodes.length; at++) {
        const node = /** @type {Element} */ (nodes[at]);
        const top = topOf(node);
        if (top >= height) break;
        found.push({ key: keys.get(node) ?? "", top });
      }
      return found;
    },

    /** Scroll so that a row stands where it stood. @param {Place} place */
    restore({ key, top }) {
      const node = rows.get(key)?.node;
      const moved = node ? topOf(node) - top : 0;
      // less than this is rounding, and writing it stops a finger's scroll
      if (Math.abs(moved) >= 0.5) log.scrollTop += moved;
    },
  };
}

/** @param {HTMLCollection} nodes from top to bottom @param {number} top of the screen */
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
