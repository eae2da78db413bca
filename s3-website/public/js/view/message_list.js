// Draws the list of messages and reports where the reader is. It must not decide which lines there are (lines.js),
// how a line looks (message.js), where the list scrolls (virtual_list.js) or what a screen reader announces
// (announcer.js).

import { countText, EMPTY, hasMoreUnread, news } from "../state/channel.js";
import { channelOf } from "../state/chat.js";
import { lines } from "../state/lines.js";
import { isChangeable } from "../state/messages.js";
import { disambiguated } from "../state/namesakes.js";
import { dayOf } from "../state/times.js";
import { createAnnouncer, cut } from "./announcer.js";
import { button, element, setHidden, setText } from "./dom.js";
import { failure } from "./message.js";
import { createVirtualList } from "./virtual_list.js";

/**
 * @typedef {import("../state.js").Channel} Channel
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("../state.js").State} State
 * @typedef {Pick<import("../state.js").Handlers,
 *   "onRetry" | "onDiscard" | "onEdit" | "onDelete" | "onReachTop" | "onAtEnd">} Handlers
 * @typedef {ReturnType<typeof listParts>} Parts
 * @typedef {{name: string, channel: Channel, outbox: readonly Outgoing[], input: unknown[]}} Shown
 */

const PLACEHOLDERS = 5;
const ANNOUNCED_LIMIT = 100;

/** @param {HTMLElement} root contains the list @param {Handlers} handlers */
export function createMessageList(root, handlers) {
  const page = root.ownerDocument;
  const part = listParts(root, {
    onRetry: () => handlers.onReachTop(),
    onNewest: () => {
      reader.toEnd();
      part.log.focus({ preventScroll: true });
    },
  });
  const report = reporter(handlers);
  const reader = createVirtualList(part, handlers, (atEnd, nearTop) => {
    setHidden(part.newest, atEnd);
    report(shown, atEnd, nearTop);
  });
  const announcer = createAnnouncer((texts) =>
    part.announcer.replaceChildren(...texts.map((text) => element(page, "p", "", text))),
  );
  /** @type {Shown} */
  let shown = { name: "", channel: EMPTY, outbox: [], input: [] };

  return {
    toEnd: reader.toEnd,

    /** Keep the reader's line in place when a phone's keyboard opens or the text box grows. */
    followResizes() {
      const observer = new ResizeObserver(reader.resized);
      observer.observe(part.log);
      observer.observe(part.rows);
    },

    /** @param {State} state @param {number} now ms since the epoch, by AWS's clock */
    update(state, now) {
      const before = shown;
      const next = shownOf(state, now);
      if (next.input.every((value, at) => value === before.input[at])) return;
      shown = next;
      const { name, channel, outbox } = next;
      const list = disambiguated(lines(channel, outbox, state.person, now));
      const focus = page.activeElement;
      updateParts(part, name, channel, list.length === 0);
      const opened = name !== before.name || (channel.loaded && !before.channel.loaded);
      if (opened) reader.open(list, list.find(({ kind }) => kind === "divider")?.key ?? "");
      else reader.show(list);
      const current = new Set(channel.messages);
      // the last announced messages are among these
      const last = before.channel.messages.slice(-ANNOUNCED_LIMIT);
      const same = !opened && channel.loaded && last.every((message) => current.has(message));
      if (!same) announcer.retract(channel.messages);
      if (!opened) announcer.announce(news(before.channel, channel, state.person));
      if (!opened) announcer.announceNow(failures(before, next));
      keepFocus(part.log, focus);
    },
  };
}

/** @param {State} state @param {number} now @returns {Shown} `input`: all that the list depends on */
function shownOf(state, now) {
  const { channel: name, person } = state;
  const channel = channelOf(state);
  const { messages, loaded, unread, divider, earlier } = channel;
  const day = dayOf(now);
  // changes when the next message becomes too old to be changed
  const recent = messages.findLastIndex(({ id }) => !isChangeable(id, now));
  const input = [name, messages, loaded, unread, divider, earlier, state.outbox, person, day, recent];
  return { name, channel, outbox: state.outbox.filter((item) => item.channel === name), input };
}

/** @param {Shown} before @param {Shown} next @returns {string[]} new failures and their reasons */
function failures(before, next) {
  const known = new Set(before.outbox.map(({ clientId, state }) => `${clientId} ${state}`));
  return next.outbox
    .filter(({ clientId, state }) => state === "failed" && !known.has(`${clientId} failed`))
    .map((item) => `A message of yours failed. ${failure(item)} ${cut(item.text)}`.trim());
}

/**
 * Call the handlers in a microtask, since they cause an update and one may be running.
 * @param {Handlers} handlers
 */
function reporter(handlers) {
  let reported = "";
  let asked = "";
  /** @param {Shown} shown @param {boolean} atEnd @param {boolean} nearTop */
  return ({ name, channel }, atEnd, nearTop) => {
    const oldest = `${name} ${channel.messages[0]?.id}`;
    if (nearTop && channel.loaded && channel.earlier === "more" && asked !== oldest) {
      asked = oldest;
      queueMicrotask(() => handlers.onReachTop());
    }
    if (!channel.loaded || reported === `${name} ${atEnd}`) return;
    reported = `${name} ${atEnd}`;
    queueMicrotask(() => handlers.onAtEnd(atEnd));
  };
}

/** Move a lost focus to the list. @param {HTMLElement} log @param {Element | null} focus before */
function keepFocus(log, focus) {
  const lost = focus && (!focus.isConnected || focus.closest("[hidden]"));
  if (lost && !log.closest("[hidden]")) log.focus({ preventScroll: true });
}

/**
 * Build the fixed parts: the placeholders, the text above the oldest message, the button to the
 * newest, the live region.
 * @param {HTMLElement} root @param {{onRetry(): void, onNewest(): void}} handlers
 */
function listParts(root, handlers) {
  const page = root.ownerDocument;
  const log = element(page, "section", "messages");
  log.id = "messages";
  log.role = "log";
  log.ariaLabel = "Messages";
  log.ariaLive = "off";
  log.tabIndex = 0;
  const top = element(page, "div", "top");
  const topText = element(page, "p", "");
  const again = button(page, "small", "Try again", handlers.onRetry);
  top.append(topText, again);
  const skeleton = skeletonNode(page);
  const empty = element(page, "p", "empty", "No messages yet. Say hello!");
  const rows = element(page, "div", "rows");
  log.append(top, skeleton, empty, rows);
  const newest = button(page, "newest", "", handlers.onNewest);
  const newestText = element(page, "span", "");
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
 * @param {Parts} part @param {string} name of the channel @param {Channel} channel
 * @param {boolean} isEmpty whether there is no line
 */
function updateParts(part, name, channel, isEmpty) {
  const { loaded, earlier, unread } = channel;
  if (part.log.ariaBusy !== String(!loaded)) part.log.ariaBusy = String(!loaded);
  // the channel is known to be empty only if its beginning is loaded
  const none = loaded && earlier === "none";
  setHidden(part.skeleton, none || !isEmpty);
  setHidden(part.empty, !none || !isEmpty);
  setHidden(part.again, earlier !== "failed");
  setText(part.topText, topText(name, earlier));
  setText(part.newestText, unread ? "New messages" : "Jump to newest");
  setText(part.count, countText(unread, hasMoreUnread(channel)));
  part.newest.classList.toggle("unread", unread > 0);
}

/** @param {string} name @param {Channel["earlier"]} earlier */
function topText(name, earlier) {
  if (earlier === "loading") return "Loading earlier messages…";
  if (earlier === "failed") return "Earlier messages could not be loaded.";
  return earlier === "none" ? `Beginning of #${name}` : "";
}

/** Grey shapes in place of messages. @param {Document} page */
function skeletonNode(page) {
  const node = element(page, "div", "skeleton");
  node.ariaHidden = "true";
  for (let count = 0; count < PLACEHOLDERS; count++) {
    node.append(element(page, "div", "placeholder"));
  }
  return node;
}
