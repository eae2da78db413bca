// Draws one line of the message list. Text that people wrote reaches the DOM only as textContent, and as the
// target of a link that text.js has checked.

import { isJumbo, tokens } from "../state/text.js";
import { timeText } from "../state/times.js";
import { avatarNode } from "./avatar.js";
import { button, element } from "./dom.js";

/**
 * @typedef {import("../state/text.js").Token} Token
 * @typedef {import("../state/lines.js").MessageLine} MessageLine
 * @typedef {import("../state/lines.js").Line} Line
 * @typedef {Pick<import("../state.js").Handlers, "onRetry" | "onDiscard" | "onEdit" | "onDelete">}
 *   Handlers
 */

const DELETED = "Message deleted";
const SAME_NAME = "Others have this name: part of the ID";
const ON_ITS_WAY = { "": "", queued: "Waiting to be sent", sending: "Sending", sent: "Sending" };

/** @param {Document} page @param {Line} line @returns {HTMLElement} still empty */
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
  node.replaceChildren(element(node.ownerDocument, "span", "", label));
}

/** @param {HTMLElement} node @param {MessageLine} line @param {Handlers} handlers */
function fillMessage(node, line, handlers) {
  const page = node.ownerDocument;
  const { message, own, continued, state, changeable } = line;
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
    ...(state ? [deliveryNode(page, line, handlers)] : []),
    ...(changeable ? actionNodes(page, message.id, handlers) : []),
  );
}

/** Sender and time; visually hidden in a continued line. @param {Document} page @param {MessageLine} line */
function headNode(page, { message, own, continued, at, mark }) {
  const head = element(page, "header", "head");
  const unseen = own || continued ? " unseen" : "";
  const sender = element(page, "bdi", `sender${unseen}`, message.name);
  sender.title = message.name;
  head.append(sender);
  if (message.kind === "operator") head.append(element(page, "span", "badge", "Announcement"));
  if (mark && !own) {
    const node = element(page, "span", `time${unseen}`, `(${mark})`);
    node.title = SAME_NAME;
    head.append(node);
  }
  if (own) head.append(element(page, "span", "unseen", "(you)"));
  if (!Number.isNaN(at)) head.append(timeNode(page, at));
  return head;
}

/** @param {Document} page @param {number} at */
function timeNode(page, at) {
  const { short, full } = timeText(at);
  const node = element(page, "time", "time", short);
  node.setAttribute("datetime", new Date(at).toISOString());
  node.title = full;
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
      // keeps textContent as written, but is neither shown nor copied
      const node = element(page, "span", "", text);
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
  // letters of other alphabets can imitate a known host: show the encoded address
  if (href.includes("://xn--") || href.includes(".xn--")) link.title = href;
  return link;
}

/** @param {Document} page @param {MessageLine} line @param {Handlers} handlers */
function deliveryNode(page, { message, change, state, why }, handlers) {
  const { clientId } = change ?? message;
  const node = element(page, "div", "delivery");
  if (state !== "failed") {
    node.append(element(page, "span", why ? "why" : "unseen", why || ON_ITS_WAY[state]));
    return node;
  }
  const choices = element(page, "span", "choices");
  choices.append(
    button(page, "small", "Retry", () => handlers.onRetry(clientId)),
    button(page, "small", "Discard", () => handlers.onDiscard(clientId)),
  );
  node.append(element(page, "span", "why", failure({ ...change, why })), choices);
  return node;
}

/**
 * @param {Pick<import("../state.js").Outgoing, "action" | "why">} outgoing that failed
 * @returns {string} what failed, and why
 */
export function failure({ action, why }) {
  if (!action) return why || "Not sent.";
  return `${action === "edit" ? "Edit not saved." : "Not deleted."} ${why}`;
}

/**
 * The actions for one's own message: a button, and the panel that it opens.
 * @param {Document} page @param {string} id @param {Handlers} handlers
 */
function actionNodes(page, id, handlers) {
  const choice = (/** @type {string} */ label, /** @type {() => void} */ act) =>
    button(page, "small", label, act);
  const panel = element(page, "div", "actions");
  const more = button(page, "more", "•••", () => (panel.hidden ? open() : close()));
  more.ariaLabel = panel.ariaLabel = "Actions for your message";
  more.ariaExpanded = "false";
  panel.role = "group";
  panel.hidden = true;

  /** @param {(HTMLElement | string)[]} nodes @param {HTMLElement} first */
  const show = (nodes, first) => {
    panel.replaceChildren(...nodes);
    panel.hidden = false;
    more.ariaExpanded = "true";
    first.focus();
  };
  const open = () => {
    const edit = choice("Edit", () => {
      close();
      handlers.onEdit(id);
    });
    show([edit, choice("Delete", ask)], edit);
  };
  const ask = () => {
    const keep = choice("Keep", close);
    const question = element(page, "span", "why", "Delete this message?");
    show([question, choice("Delete", () => handlers.onDelete(id)), keep], keep);
  };
  const close = () => {
    panel.hidden = true;
    more.ariaExpanded = "false";
    more.focus();
  };
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  });
  return [more, panel];
}
