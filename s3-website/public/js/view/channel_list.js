// Draws the list of channels with their unread counts, its filter, and the form for a new channel.

import { channelName } from "../state/channel_names.js";
import { countText, hasMoreUnread } from "../state/channel.js";
import { channelOf } from "../state/chat.js";
import { element, partsOf, setText } from "./dom.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Handlers} Handlers
 * @typedef {{node: HTMLElement, link: HTMLAnchorElement, shown: string}} Row of a channel
 */

/** the filter appears from this many channels on */
const FILTER_FROM = 13;

/** @param {Document} page @param {Handlers} handlers */
export function createChannels(page, handlers) {
  const part = partsOf(page);
  const list = part["channel-list"];
  const filter = part["channel-filter"];
  const noMatch = part["channel-none"];
  /** @type {Map<string, Row>} */
  const rows = new Map();
  /** @type {Pick<State, "names" | "channels" | "channel"> | null} */
  let last = null;

  const applyFilter = () => {
    const wanted = filter.hidden ? "" : filter.value.trim().replace(/^#/, "").toLowerCase();
    let shownCount = 0;
    for (const [name, { node }] of rows) {
      node.hidden = !name.includes(wanted);
      shownCount += Number(!node.hidden);
    }
    noMatch.hidden = shownCount > 0;
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
 * Bring the rows to the list of names. A channel that stays keeps its row, and so the focus.
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
 * Update a row: the style sheet shows data-count, a screen reader reads the label.
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
    // with these keys the browser opens a tab or a window
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
  const showError = (/** @type {string} */ wrong) => {
    setText(error, wrong);
    input.ariaInvalid = wrong ? "true" : null;
  };
  input.addEventListener("input", () => showError(""));
  part["new-channel"].addEventListener("submit", (event) => {
    event.preventDefault();
    const { name, why } = channelName(input.value);
    showError(why);
    // pressing ENTER again accepts the suggestion
    input.value = why ? name || input.value : "";
    if (why) input.focus();
    else handlers.onChannel(name);
  });
}
