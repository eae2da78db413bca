// Owns the list of messages: brings it to any state, and tells where the reader is. It must not
// decide what is in it (lines.js), how a line looks (view_message.js), or move it (reader.js).

import { createAnnouncer, newerThan } from "./announcer.js";
import { lines } from "./lines.js";
import { createReader } from "./reader.js";
import { dayOf } from "./times.js";
import { listParts, setHidden, updateParts } from "./view_list_parts.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Channel} Channel
 * @typedef {import("./state.js").Outgoing} Outgoing
 * @typedef {Pick<import("./state.js").Handlers,
 *   "onRetry" | "onDiscard" | "onReachTop" | "onAtEnd">} Handlers
 * @typedef {{name: string, channel: Channel, outbox: readonly Outgoing[], input: unknown[]}} Shown
 */

/** @type {Channel} */
const UNKNOWN = {
  messages: [],
  loaded: false,
  draft: "",
  unread: 0,
  mentioned: false,
  lastRead: "",
  divider: "",
  earlier: "none",
};

/** @param {HTMLElement} root where the list is built @param {Handlers} handlers */
export function createMessageList(root, handlers) {
  const part = listParts(root, {
    onRetry: () => handlers.onReachTop(),
    onNewest: () => {
      reader.toEnd();
      part.log.focus({ preventScroll: true });
    },
  });
  const tell = reporter(handlers);
  const reader = createReader(part, handlers, (atEnd, nearTop) => {
    setHidden(part.newest, atEnd);
    tell(shown, atEnd, nearTop);
  });
  const announcer = createAnnouncer(part.announcer);
  /** @type {Shown} */
  let shown = { name: "", channel: UNKNOWN, outbox: [], input: [] };

  return {
    toEnd: reader.toEnd,

    /** A keyboard that opens on a phone, a text box that grows: the reader's line stays. */
    followResizes() {
      const observer = new ResizeObserver(reader.resized);
      observer.observe(part.log);
      observer.observe(part.rows);
    },

    /** @param {State} state @param {number} now ms since the epoch */
    update(state, now) {
      const before = shown;
      const next = shownOf(state, now);
      if (next.input.every((value, at) => value === before.input[at])) return;
      shown = next;
      const { name, channel, outbox } = next;
      const list = lines(channel, outbox, state.person, now);
      const focus = root.ownerDocument.activeElement;
      updateParts(part, name, channel, list.length === 0);
      const opened = name !== before.name || (channel.loaded && !before.channel.loaded);
      if (opened) reader.open(list, list.find(({ kind }) => kind === "divider")?.key ?? "");
      else reader.show(list);
      if (!opened && isSending(before, next)) reader.toEnd();
      if (!opened) announcer.tell(arrived(before, next, state.person?.user));
      keepFocus(part.log, focus);
    },
  };
}

/** @param {State} state @param {number} now @returns {Shown} `input`: what the list is made of */
function shownOf(state, now) {
  const { channel: name, channels, person } = state;
  const channel = (Object.hasOwn(channels, name) && channels[name]) || UNKNOWN;
  const { messages, loaded, unread, divider, earlier } = channel;
  const day = dayOf(now);
  const input = [name, messages, loaded, unread, divider, earlier, state.outbox, person, day];
  return { name, channel, outbox: state.outbox.filter((one) => one.channel === name), input };
}

/** @param {Shown} before @param {Shown} next @returns {boolean} the person has just written */
function isSending(before, next) {
  const known = new Set(before.outbox.map(({ clientId }) => clientId));
  return next.outbox.some(({ clientId }) => !known.has(clientId));
}

/**
 * @param {Shown} before @param {Shown} next of the same channel
 * @param {string | undefined} user whose own messages do not count
 */
function arrived(before, next, user) {
  const { messages } = next.channel;
  if (messages === before.channel.messages) return [];
  const newest = before.channel.messages.at(-1)?.id ?? "";
  return newerThan(messages, newest).filter((one) => !one.user || one.user !== user);
}

/**
 * Tells main.js, later: it answers with an update, and one may be under way.
 * @param {Handlers} handlers
 */
function reporter(handlers) {
  let told = "";
  let asked = "";
  /** @param {Shown} shown @param {boolean} atEnd @param {boolean} nearTop */
  return ({ name, channel }, atEnd, nearTop) => {
    const oldest = `${name} ${channel.messages[0]?.id}`;
    if (nearTop && channel.earlier === "more" && asked !== oldest) {
      asked = oldest;
      queueMicrotask(() => handlers.onReachTop());
    }
    if (!channel.loaded || told === `${name} ${atEnd}`) return;
    told = `${name} ${atEnd}`;
    queueMicrotask(() => handlers.onAtEnd(atEnd));
  };
}

/** @param {HTMLElement} log @param {Element | null} focus before what had it went away */
function keepFocus(log, focus) {
  const lost = focus && (!focus.isConnected || focus.closest("[hidden]"));
  if (lost && !log.closest("[hidden]")) log.focus({ preventScroll: true });
}
