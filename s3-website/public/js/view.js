// Owns the DOM, alone: update(state) brings it to any state, however often it is called.
// It must not decide what is shown: chat.js does. What people wrote gets here as textContent only.

import { canSend, channelOf, counter, isOwn, status } from "./chat.js";

/**
 * @typedef {import("./chat.js").State} State
 * @typedef {import("./messages.js").Message} Message
 * @typedef {{onDraft(text: string): void, onSend(): void, onSignOut(): void}} Handlers
 */

const NEAR_PX = 48;
const HUES = 8;
const AGAIN = "All that is on this page stays, and so does your text.";

/** @param {Document} page @param {Handlers} handlers */
export function createView(page, handlers) {
  const part = parts(page);
  const list = messageList(part.messages);
  const welcome = part.signInText.textContent ?? "";
  let phase = "";

  listen(part, handlers);
  list.followResizes();

  return {
    /** Where Google draws its button. */
    signInSlot: part.slot,
    googleScript: part.googleScript,

    /** @param {State} state */
    update(state) {
      const inside = state.person !== null;
      const connected = state.phase === "connected";
      const channel = channelOf(state);
      page.body.dataset.phase = state.phase;
      setText(part.channel, inside ? `#${state.channel}` : "");
      part.signOut.hidden = !inside;
      part.composer.hidden = !inside;
      part.messages.hidden = !inside;
      part.empty.hidden = !inside || !channel.loaded || channel.messages.length > 0;
      part.signIn.hidden = connected && !state.endsSoon;
      setText(part.signInTitle, inside ? "Sign in again" : "Welcome");
      setText(part.signInText, inside ? AGAIN : welcome);
      list.update(state, channel.messages);
      updateComposer(part, state, channel.draft);
      updateStatus(part.status, state);
      if (phase !== state.phase) moveFocus(part, phase, state.phase);
      phase = state.phase;
    },
  };
}

/** @param {Document} page */
function parts(page) {
  /** @template {HTMLElement} T @param {string} id @param {new () => T} type @returns {T} */
  const get = (id, type) => {
    const element = page.getElementById(id);
    if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
    return element;
  };
  return {
    googleScript: get("google-script", HTMLScriptElement),
    channel: get("channel", HTMLElement),
    signOut: get("sign-out", HTMLButtonElement),
    messages: get("messages", HTMLElement),
    empty: get("empty", HTMLElement),
    signIn: get("sign-in", HTMLElement),
    signInTitle: get("sign-in-title", HTMLElement),
    signInText: get("sign-in-text", HTMLElement),
    slot: get("sign-in-slot", HTMLElement),
    status: get("status", HTMLElement),
    composer: get("composer", HTMLFormElement),
    message: get("message", HTMLTextAreaElement),
    send: get("send", HTMLButtonElement),
    counter: get("counter", HTMLElement),
  };
}

/** @param {ReturnType<typeof parts>} part @param {Handlers} handlers */
function listen(part, handlers) {
  part.signOut.addEventListener("click", () => handlers.onSignOut());
  part.message.addEventListener("input", () => handlers.onDraft(part.message.value));
  part.composer.addEventListener("submit", (event) => {
    event.preventDefault();
    handlers.onSend();
  });
  part.message.addEventListener("keydown", (event) => {
    // Safari ends a composition before the ENTER that ended it: that key still says 229
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    handlers.onSend();
  });
}

/** @param {ReturnType<typeof parts>} part @param {State} state @param {string} draft */
function updateComposer(part, state, draft) {
  if (part.message.value !== draft) part.message.value = draft;
  part.send.disabled = !canSend(state);
  const count = counter(state);
  setText(part.counter, count);
  part.counter.hidden = !count;
}

/** @param {HTMLElement} element @param {State} state */
function updateStatus(element, state) {
  const { text, tone } = status(state);
  setText(element, text);
  element.dataset.tone = tone;
}

/**
 * After signing in one can type at once; after signing out the keyboard is not lost.
 * @param {ReturnType<typeof parts>} part @param {string} from @param {string} to
 */
function moveFocus(part, from, to) {
  if (to === "connected") part.message.focus({ preventScroll: true });
  if (to === "signed_out" && from !== "loading") part.signInTitle.focus({ preventScroll: true });
}

/** @param {HTMLElement} log */
function messageList(log) {
  /** @type {Map<string, {message: Message, own: boolean, node: HTMLElement}>} */
  const lines = new Map();
  let atEnd = true;

  log.addEventListener("scroll", () => {
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
  });
  const toEnd = () => {
    log.scrollTop = log.scrollHeight;
  };

  return {
    /** A keyboard that opens on a phone, or a growing text box, does not hide the last line. */
    followResizes() {
      new ResizeObserver(() => atEnd && toEnd()).observe(log);
    },

    /**
     * Add, replace, remove the lines that differ: a poll that brings nothing touches nothing.
     * @param {State} state @param {readonly Message[]} messages oldest first
     */
    update(state, messages) {
      let changed = removeOthers(lines, messages);
      /** @type {Element | null} */
      let previous = null;
      for (const message of messages) {
        const own = isOwn(state, message);
        let line = lines.get(message.id);
        if (!line || line.own !== own || !sameMessage(line.message, message)) {
          line?.node.remove();
          line = { message, own, node: messageNode(log.ownerDocument, message, own) };
          lines.set(message.id, line);
          // one's own new line is always shown
          atEnd ||= own && message === messages.at(-1);
          changed = true;
        }
        const place = /** @type {Element | null} */ (
          previous ? previous.nextElementSibling : log.firstElementChild
        );
        if (place !== line.node) log.insertBefore(line.node, place);
        previous = line.node;
      }
      if (changed && atEnd) toEnd();
    },
  };
}

/**
 * @param {Map<string, {node: HTMLElement}>} lines @param {readonly Message[]} messages
 * @returns {boolean} whether any line went
 */
function removeOthers(lines, messages) {
  const ids = new Set(messages.map((message) => message.id));
  const gone = [...lines].filter(([id]) => !ids.has(id));
  for (const [id, { node }] of gone) {
    node.remove();
    lines.delete(id);
  }
  return gone.length > 0;
}

/** @param {Message} one @param {Message} other */
function sameMessage(one, other) {
  return one === other || (one.text === other.text && one.name === other.name);
}

/** @param {Document} page @param {Message} message @param {boolean} own @returns {HTMLElement} */
function messageNode(page, message, own) {
  const operator = message.kind === "operator";
  const classes = `message${own ? " own" : ""}${operator ? " operator" : ""}`;
  const node = element(page, "article", classes);
  const avatar = element(page, "span", "avatar", operator ? "" : initials(message.name));
  avatar.ariaHidden = "true";
  avatar.dataset.hue = String(hue(message.user || message.name));
  const bubble = element(page, "div", "bubble");
  const head = element(page, "header", "head");
  const sender = element(page, "bdi", "sender", message.name);
  sender.title = message.name;
  head.append(sender);
  if (operator) head.append(element(page, "span", "badge", "Announcement"));
  if (own) head.append(element(page, "span", "unseen", "(you)"));
  head.append(timeNode(page, message.sentAt));
  const text = element(page, "p", "text", message.text);
  text.dir = "auto";
  bubble.append(head, text);
  node.append(avatar, bubble);
  return node;
}

/** @param {Document} page @param {string} sentAt ISO 8601 @returns {HTMLElement} */
function timeNode(page, sentAt) {
  const date = new Date(sentAt);
  const node = page.createElement("time");
  if (Number.isNaN(date.getTime())) return node;
  node.className = "time";
  node.dateTime = sentAt;
  node.textContent = shortTime(date, new Date());
  node.title = date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "medium" });
  return node;
}

/** @param {Date} date @param {Date} now @returns {string} the day only when it is not today */
function shortTime(date, now) {
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.toLocaleDateString(undefined, { day: "numeric", month: "short" })}, ${time}`;
}

/** @param {string} name @returns {string} of the first and the last word */
function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase();
}

/** @param {string} text @returns {number} the same colour for the same person */
function hue(text) {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  return sum % HUES;
}

/** @param {Document} page @param {string} name @param {string} className @param {string} [text] */
function element(page, name, className, text = "") {
  const node = page.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

/** @param {HTMLElement} node @param {string} text written only when new: a live region speaks */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
