// Owns what a screen reader says of new messages, and when: few of them word by word, many as a number.

/** @typedef {import("../state.js").Message} Message */

const MOMENT_MS = 800;
const APART_MS = 5_000;
const LONGEST_MS = 20_000;
/** a voice says about fifteen letters a second */
const LETTER_MS = 65;
const MOST = 3;
const MOST_LETTERS = 300;
const LENGTH = 150;

/**
 * The list itself is no live region: its rows come and go as the reader scrolls. What is new is
 * said here: each message when they are few and short, how many when they are not; and then
 * nothing for as long as it takes to hear that.
 * @param {(texts: readonly string[]) => void} show put the texts into a polite live region
 */
export function createAnnouncer(show) {
  /** @type {readonly Message[]} */
  let waiting = [];
  let busy = false;
  const speak = () => {
    const texts = sentences(waiting);
    waiting = [];
    busy = texts.length > 0;
    if (!busy) return;
    show(texts);
    setTimeout(speak, Math.min(LONGEST_MS, Math.max(APART_MS, texts.join("").length * LETTER_MS)));
  };
  return {
    /** @param {readonly Message[]} messages new ones, of others */
    announce(messages) {
      if (!messages.length) return;
      waiting = [...waiting, ...messages];
      if (!busy) setTimeout(speak, MOMENT_MS);
      busy = true;
    },

    /** What waits for the person to act is said at once. @param {readonly string[]} texts */
    announceNow(texts) {
      if (texts.length) show(texts);
    },

    /** What was said may be no longer so. @param {readonly Message[]} messages as they are now */
    retract(messages) {
      const now = new Set(messages);
      waiting = waiting.filter((message) => now.has(message));
      show([]);
    },
  };
}

/** @param {readonly Message[]} messages @returns {string[]} */
export function sentences(messages) {
  const lines = messages.map(({ name, text }) => `${name}: ${cut(text)}`);
  const many = lines.length > MOST || (lines.length > 1 && lines.join("").length > MOST_LETTERS);
  return many ? [`${lines.length} new messages`] : lines;
}

/** @param {string} text @returns {string} */
export function cut(text) {
  // the first code units only: a text may be long, and characters are at most two of them
  const chars = [...text.slice(0, LENGTH * 2 + 2)];
  return chars.length > LENGTH ? `${chars.slice(0, LENGTH).join("")}…` : text;
}
