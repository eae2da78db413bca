// Owns the DOM of one line of the list. What people wrote gets here as textContent only; the only
// address that it makes of their text is a link's, checked by text.js.

import { element } from "./dom.js";
import { isJumbo, tokens } from "./text.js";
import { fullTime, shortTime } from "./times.js";
import { avatarNode } from "./view_avatar.js";

/**
 * @typedef {import("./lines.js").Line} Line
 * @typedef {import("./lines.js").MessageLine} MessageLine
 * @typedef {import("./text.js").Token} Token
 * @typedef {Pick<import("./state.js").Handlers, "onRetry" | "onDiscard">} Handlers
 */

const DELETED = "Message deleted";
const ON_ITS_WAY = { "": "", queued: "Waiting to be sent", sending: "Sending", sent: "Sending" };

/** @param {Document} page @param {Line} line @returns {HTMLElement} empty as yet */
export function rowNode(page, line) {
  return page.createElement(line.kind === "message" ? "article" : "div");
}

/** @param {HTMLElement} node @param {Line} line @param {Handlers} handlers */
export function fillRow(node, line, handlers) {
  if (line.kind === "message") fillMessage(node, line, handlers);
  else fillMark(node, line.kind, line.label);
}

/** @param {HTMLElement} node @param {"day" | "divider"} kind @param {string} label */
function fillMark(node, kind, label) {
  node.className = `mark ${kind}`;
  node.role = "separator";
  node.ariaLabel = label;
  node.replaceChildren(element(node.ownerDocument, "span", "label", label));
}

/** @param {HTMLElement} node @param {MessageLine} line @param {Handlers} handlers */
function fillMessage(node, line, handlers) {
  const page = node.ownerDocument;
  const { message, own, continued, state } = line;
  const operator = message.kind === "operator";
  const list = message.deleted ? [] : tokens(message.text, own ? [] : line.names);
  const flags = {
    own,
    operator,
    continued,
    pending: state,
    failed: state === "failed",
    deleted: message.deleted,
    mentioned: list.some(({ kind }) => kind === "mention"),
  };
  const names = Object.entries(flags).filter(([, on]) => on);
  node.className = ["message", ...names.map(([name]) => name)].join(" ");
  if (state) node.dataset.state = state;
  else delete node.dataset.state;
  const pictured = !own && !operator && !continued;
  node.replaceChildren(
    ...(pictured ? [avatarNode(page, message)] : []),
    headNode(page, line),
    bubbleNode(page, line, list),
    ...(state ? [fateNode(page, line, handlers)] : []),
  );
}

/** @param {Document} page @param {MessageLine} line who and when; unseen where the line goes on */
function headNode(page, { message, own, at }) {
  const head = element(page, "header", "head");
  const sender = element(page, "bdi", "sender", message.name);
  sender.title = message.name;
  head.append(sender);
  if (message.kind === "operator") head.append(element(page, "span", "badge", "Announcement"));
  if (own) head.append(element(page, "span", "you", "(you)"));
  if (!Number.isNaN(at)) head.append(timeNode(page, at));
  return head;
}

/** @param {Document} page @param {number} at */
function timeNode(page, at) {
  const node = element(page, "time", "time", shortTime(at));
  node.setAttribute("datetime", new Date(at).toISOString());
  node.title = fullTime(at);
  return node;
}

/** @param {Document} page @param {MessageLine} line @param {readonly Token[]} list */
function bubbleNode(page, { message }, list) {
  const bubble = element(page, "div", "bubble");
  const text = element(page, "p", "text", message.deleted ? DELETED : "");
  text.dir = "auto";
  if (isJumbo(message.text)) text.classList.add("jumbo");
  text.append(...list.map((token) => tokenNode(page, token)));
  bubble.append(text);
  if (message.edited && !message.deleted) bubble.append(element(page, "span", "edited", "edited"));
  return bubble;
}

/** @param {Document} page @param {Token} token @returns {Node} */
function tokenNode(page, { kind, text, href }) {
  switch (kind) {
    case "text":
      return page.createTextNode(text);
    case "fence": {
      // there, so that the text is as written; not shown, not copied
      const node = element(page, "span", "fence", text);
      node.hidden = true;
      return node;
    }
    case "link":
      return linkNode(page, text, href ?? "");
    case "mention":
      return element(page, "mark", "mention", text);
    default:
      return element(page, "code", kind, text);
  }
}

/** @param {Document} page @param {string} text @param {string} href */
function linkNode(page, text, href) {
  const link = page.createElement("a");
  link.textContent = text;
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow ugc";
  // letters that only look like those of a known host: say where it leads
  if (href.includes("://xn--") || href.includes(".xn--")) link.title = href;
  return link;
}

/** @param {Document} page @param {MessageLine} line @param {Handlers} handlers */
function fateNode(page, { message: { clientId }, state, why }, handlers) {
  const fate = element(page, "div", "fate");
  if (state !== "failed") {
    fate.append(element(page, "span", why ? "why" : "unseen", why || ON_ITS_WAY[state]));
    return fate;
  }
  const choices = element(page, "span", "choices");
  choices.append(
    button(page, "small", "Retry", () => handlers.onRetry(clientId)),
    button(page, "small", "Discard", () => handlers.onDiscard(clientId)),
  );
  fate.append(element(page, "span", "why", why || "Not sent."), choices);
  return fate;
}

/**
 * @param {Document} page @param {string} className @param {string} label @param {() => void} act
 */
export function button(page, className, label, act) {
  const node = page.createElement("button");
  node.type = "button";
  node.className = className;
  node.textContent = label;
  node.addEventListener("click", act);
  return node;
}
