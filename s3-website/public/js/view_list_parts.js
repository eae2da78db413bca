// Owns the fixed parts around the messages: what stands in for them while there are none, what is
// said above the oldest, the button to the newest. It must not know the messages.

import { element, setText } from "./dom.js";
import { button } from "./view_message.js";

/** @typedef {ReturnType<typeof listParts>} Parts */
/** @typedef {import("./state.js").Channel["earlier"]} Earlier */

const PLACEHOLDERS = 5;

/** @param {HTMLElement} root @param {{onRetry(): void, onNewest(): void}} handlers */
export function listParts(root, handlers) {
  const page = root.ownerDocument;
  const log = element(page, "section", "messages");
  log.id = "messages";
  log.role = "log";
  log.ariaLabel = "Messages";
  log.ariaLive = "off";
  log.tabIndex = 0;
  const top = element(page, "div", "top");
  const topText = element(page, "p", "top-text");
  const again = button(page, "small", "Try again", handlers.onRetry);
  top.append(topText, again);
  const skeleton = skeletonNode(page);
  const empty = element(page, "p", "empty", "No messages yet. Say hello!");
  const rows = element(page, "div", "rows");
  log.append(top, skeleton, empty, rows);
  const newest = button(page, "newest", "", handlers.onNewest);
  const newestText = element(page, "span", "newest-text");
  const count = element(page, "span", "newest-count");
  newest.append(newestText, count);
  newest.hidden = true;
  const announcer = element(page, "div", "unseen");
  announcer.ariaLive = "polite";
  root.append(log, newest, announcer);
  const oldest = { top, topText, again };
  return { log, ...oldest, skeleton, empty, rows, newest, newestText, count, announcer };
}

/**
 * @param {Parts} part @param {string} name of the channel
 * @param {{loaded: boolean, earlier: Earlier, unread: number}} channel
 * @param {boolean} isEmpty whether there is no line
 */
export function updateParts(part, name, { loaded, earlier, unread }, isEmpty) {
  if (part.log.ariaBusy !== String(!loaded)) part.log.ariaBusy = String(!loaded);
  setHidden(part.skeleton, loaded);
  setHidden(part.empty, !loaded || !isEmpty);
  setHidden(part.again, earlier !== "failed");
  setText(part.topText, topText(name, earlier));
  setText(part.newestText, unread ? "New messages" : "Jump to newest");
  setText(part.count, unread ? String(unread) : "");
  part.newest.classList.toggle("unread", unread > 0);
}

/** @param {HTMLElement} node @param {boolean} hidden written only when new */
export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** @param {string} name @param {Earlier} earlier */
function topText(name, earlier) {
  if (earlier === "loading") return "Loading earlier messages…";
  if (earlier === "failed") return "Earlier messages could not be loaded.";
  return earlier === "none" ? `Beginning of #${name}` : "";
}

/** @param {Document} page grey shapes where messages will be */
function skeletonNode(page) {
  const node = element(page, "div", "skeleton");
  node.ariaHidden = "true";
  for (let count = 0; count < PLACEHOLDERS; count++) {
    node.append(element(page, "div", "placeholder"));
  }
  return node;
}
