// Owns what a screen reader is told of new messages: each one when they are few, how many when they
// are not. The list itself is no live region: its rows come and go as the reader scrolls.

/** @typedef {import("./state.js").Message} Message */

const MOMENT_MS = 800;
const MOST = 3;
const LENGTH = 150;

/** @param {HTMLElement} region polite and unseen */
export function createAnnouncer(region) {
  /** @type {Message[]} */
  let waiting = [];
  const speak = () => {
    const page = region.ownerDocument;
    const said = sentences(waiting).map((text) => {
      const node = page.createElement("p");
      node.textContent = text;
      return node;
    });
    waiting = [];
    region.replaceChildren(...said);
  };
  return {
    /** @param {readonly Message[]} messages new ones, of others */
    tell(messages) {
      if (!messages.length) return;
      if (!waiting.length) setTimeout(speak, MOMENT_MS);
      waiting.push(...messages);
    },
  };
}

/** @param {readonly Message[]} messages @returns {string[]} */
export function sentences(messages) {
  if (messages.length > MOST) return [`${messages.length} new messages`];
  return messages.map(({ name, text }) => `${name}: ${cut(text)}`);
}

/** @param {string} text @returns {string} */
function cut(text) {
  // the first code units only: a text may be long, and characters are at most two of them
  const chars = [...text.slice(0, LENGTH * 2 + 2)];
  return chars.length > LENGTH ? `${chars.slice(0, LENGTH).join("")}…` : text;
}

/**
 * @param {readonly Message[]} messages oldest first @param {string} after id
 * @returns {readonly Message[]} the newer ones
 */
export function newerThan(messages, after) {
  const index = messages.findLastIndex(({ id }) => id <= after);
  return messages.slice(index + 1);
}
