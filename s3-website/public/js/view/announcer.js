// Decides what a screen reader announces of new messages, and when.

/** @typedef {import("../state.js").Message} Message */

const MOMENT_MS = 800;
const APART_MS = 5_000;
const LONGEST_MS = 20_000;
/** a screen reader reads about fifteen letters a second */
const LETTER_MS = 65;
const MOST = 3;
const MOST_LETTERS = 300;
const LENGTH = 150;

/**
 * Announce new messages in a live region of their own, since the list's rows come and go as the reader
 * scrolls. A few short messages are read out, more are counted; the next announcement waits until this
 * one has been heard.
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
    /** @param {readonly Message[]} messages new ones by others */
    announce(messages) {
      if (!messages.length) return;
      waiting = [...waiting, ...messages];
      if (!busy) setTimeout(speak, MOMENT_MS);
      busy = true;
    },

    /** Announce at once what needs the person's action. @param {readonly string[]} texts */
    announceNow(texts) {
      if (texts.length) show(texts);
    },

    /** Drop what messages no longer contain. @param {readonly Message[]} messages the current ones */
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
  // split only the beginning: a text may be long, and a character has at most two code units
  const chars = [...text.slice(0, LENGTH * 2 + 2)];
  return chars.length > LENGTH ? `${chars.slice(0, LENGTH).join("")}…` : text;
}
