// Owns the panels: beside the messages where there is room, else in a modal dialog over them, which
// brings the rest inert, ESCAPE and focus returned; the settings, a popover with the theme, what tells
// of messages, and the way out; and the list of channels, with what is unread in each.

import { channelName, countText, hasMoreUnread } from "../state/channel.js";
import { channelOf } from "../state/chat.js";
import { element, partsOf, setText } from "./message.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Handlers} Handlers
 * @typedef {State["settings"]["theme"]} Theme
 * @typedef {{panel: HTMLElement, dialog: HTMLDialogElement, button: HTMLButtonElement,
 *   wide: MediaQueryList, onClose: () => void}} PanelOptions
 * @typedef {{node: HTMLElement, link: HTMLAnchorElement, shown: string}} Row of a channel
 */

/** so many can be seen at a glance */
const FILTER_FROM = 13;
const NOT_LOADED = "This could not be loaded. Close it and try again.";

/** @param {PanelOptions} options `button` is what opens it */
export function createPanel({ panel, dialog, button, wide, onClose }) {
  const page = panel.ownerDocument;
  const home = page.createComment("");
  let shown = false;
  panel.before(home);

  // the back gesture of a phone comes as "cancel" or "close"; a tap beside it as a click on it
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    onClose();
  });
  dialog.addEventListener("close", () => {
    if (shown && !dialog.open && panel.parentNode === dialog) onClose();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) onClose();
  });

  return {
    /** @param {boolean} open */
    update(open) {
      const modal = !wide.matches;
      const leaving = shown && !open && panel.contains(page.activeElement);
      const entering = !shown && open && page.activeElement === button;
      shown = open;
      if (dialog.open && !(modal && open)) dialog.close();
      if (modal !== (panel.parentNode === dialog)) modal ? dialog.append(panel) : home.after(panel);
      panel.hidden = !open;
      if (modal && open && !dialog.open) dialog.showModal();
      if (modal) return;
      button.ariaExpanded = String(open);
      if (entering) panel.querySelector("button")?.focus();
      if (leaving) button.focus();
    },
  };
}

/**
 * A panel's content, which is loaded when the panel is first open, and tried again when it opens
 * anew.
 * @template T
 * @param {HTMLElement} root
 * @param {(root: HTMLElement) => Promise<{update(value: T): void}>} load
 */
export function createLazy(root, load) {
  /** @type {{update(value: T): void} | undefined} */
  let content;
  /** @type {T} */
  let last;
  let wasOpen = false;

  async function start() {
    root.ariaBusy = "true";
    try {
      content = await load(root);
      content.update(last);
    } catch {
      setText(root, NOT_LOADED);
    }
    root.ariaBusy = null;
  }

  return {
    /** @param {boolean} open @param {T} value */
    update(open, value) {
      last = value;
      content?.update(value);
      if (!content && open && !wasOpen && !root.ariaBusy) void start();
      wasOpen = open;
    },
  };
}

/** @param {Document} page @param {Handlers} handlers */
export function createSettings(page, handlers) {
  const part = partsOf(page);
  const popover = part.settings;
  const who = part.who;
  const notifications = part.notifications;
  const sound = part.sound;
  const themes = /** @type {NodeListOf<HTMLInputElement>} */ (
    popover.querySelectorAll("[name=theme]")
  );
  /** @type {State | null} */
  let last = null;

  /** @param {State} state */
  const update = (state) => {
    const { panel, person, settings } = state;
    setText(who, person?.name ?? "");
    for (const radio of themes) radio.checked = radio.value === settings.theme;
    notifications.checked = settings.notifications;
    sound.checked = settings.sound;
    if (last?.settings.theme !== settings.theme) applyTheme(page, settings.theme);
    // only a change: the browser has opened it before the state says so
    if (last?.panel !== panel) popover.togglePopover(panel === "settings");
    last = state;
  };

  /** @param {HTMLInputElement} box @param {(wanted: boolean) => void} tell the state decides */
  const listen = (box, tell) =>
    box.addEventListener("change", () => {
      tell(box.checked);
      if (last) update(last);
    });
  listen(notifications, handlers.onNotifications);
  listen(sound, handlers.onSound);
  for (const radio of themes)
    radio.addEventListener("change", () => handlers.onTheme(/** @type {Theme} */ (radio.value)));
  part["sign-out"].addEventListener("click", () => handlers.onSignOut());
  popover.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    if (open !== (last?.panel === "settings")) handlers.onPanel(open ? "settings" : "none");
  });
  return { update };
}

/**
 * The style sheets do the rest; a browser's own bar is coloured by the page's two meta elements.
 * @param {Document} page @param {Theme} theme
 */
function applyTheme(page, theme) {
  page.documentElement.dataset.theme = theme;
  for (const meta of page.querySelectorAll("meta[data-scheme]")) {
    const scheme = meta.getAttribute("data-scheme");
    const system = `(prefers-color-scheme: ${scheme})`;
    meta.setAttribute("media", theme === "auto" ? system : theme === scheme ? "all" : "not all");
  }
}

/** @param {Document} page @param {Handlers} handlers */
export function createChannels(page, handlers) {
  const part = partsOf(page);
  const list = part["channel-list"];
  const filter = part["channel-filter"];
  const none = part["channel-none"];
  /** @type {Map<string, Row>} */
  const rows = new Map();
  /** @type {Pick<State, "names" | "channels" | "channel"> | null} */
  let last = null;

  const applyFilter = () => {
    const wanted = filter.hidden ? "" : filter.value.trim().replace(/^#/, "").toLowerCase();
    let found = 0;
    for (const [name, { node }] of rows) {
      node.hidden = !name.includes(wanted);
      found += Number(!node.hidden);
    }
    none.hidden = found > 0;
  };
  listenToList(list, handlers);
  listenToForm(page, handlers);
  filter.addEventListener("input", applyFilter);
  filter.addEventListener("keydown", (event) => {
    const first = [...rows].find(([, { node }]) => !node.hidden);
    if (event.key === "Enter" && !event.isComposing && first) handlers.onChannel(first[0]);
  });

  return {
    /** @param {State} state */
    update(state) {
      const { names, channels, channel } = state;
      list.ariaBusy = String(!state.listed);
      if (last && last.names === names && last.channels === channels && last.channel === channel)
        return;
      if (last?.names !== names) {
        placeRows(page, list, rows, names);
        filter.hidden = names.length < FILTER_FROM;
        applyFilter();
      }
      for (const [name, row] of rows) updateRow(row, name, state);
      if (last?.channel !== channel) rows.get(channel)?.node.scrollIntoView({ block: "nearest" });
      last = { names, channels, channel };
    },
  };
}

/**
 * A channel that stays keeps its row where it is, and so the focus.
 * @param {Document} page @param {HTMLElement} list @param {Map<string, Row>} rows
 * @param {readonly string[]} names
 */
function placeRows(page, list, rows, names) {
  const wanted = new Set(names);
  for (const [name, { node }] of [...rows]) {
    if (wanted.has(name)) continue;
    node.remove();
    rows.delete(name);
  }
  let place = list.firstElementChild;
  for (const name of names) {
    const row = rows.get(name) ?? newRow(page, name);
    rows.set(name, row);
    if (place === row.node) place = place.nextElementSibling;
    else list.insertBefore(row.node, place);
  }
}

/** @param {Document} page @param {string} name @returns {Row} */
function newRow(page, name) {
  const node = page.createElement("li");
  const link = page.createElement("a");
  link.href = `#${name}`;
  link.title = name;
  link.dataset.channel = name;
  link.append(element(page, "span", "name", name));
  node.append(link);
  return { node, link, shown: "" };
}

/**
 * The style sheet shows data-count; what is heard is a sentence.
 * @param {Row} row @param {string} name @param {State} state
 */
function updateRow(row, name, state) {
  const channel = channelOf(state, name);
  const { unread, mentioned } = channel;
  const count = countText(unread, hasMoreUnread(channel));
  const current = name === state.channel;
  const shown = `${count} ${mentioned} ${current}`;
  if (row.shown === shown) return;
  row.shown = shown;
  const { link } = row;
  const parts = [name, count && `${count} unread`, mentioned ? "you are mentioned" : ""];
  link.ariaLabel = parts.filter(Boolean).join(", ");
  link.ariaCurrent = current ? "page" : null;
  link.dataset.count = `${mentioned ? "@" : ""}${count}`;
  link.classList.toggle("unread", unread > 0);
  link.classList.toggle("mentioned", mentioned);
}

/** @param {HTMLElement} list @param {Handlers} handlers */
function listenToList(list, handlers) {
  list.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const name = link?.dataset.channel;
    // with one of these keys a browser opens a tab or a window
    if (!name || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    handlers.onChannel(name);
  });
}

/** @param {Document} page @param {Handlers} handlers */
function listenToForm(page, handlers) {
  const part = partsOf(page);
  const input = part["new-channel-name"];
  const error = part["new-channel-error"];
  const tell = (/** @type {string} */ wrong) => {
    setText(error, wrong);
    input.ariaInvalid = wrong ? "true" : null;
  };
  input.addEventListener("input", () => tell(""));
  part["new-channel"].addEventListener("submit", (event) => {
    event.preventDefault();
    const { name, why } = channelName(input.value);
    tell(why);
    // with another ENTER what is proposed is taken
    input.value = why ? name || input.value : "";
    if (why) input.focus();
    else handlers.onChannel(name);
  });
}
