// Owns the chat's state and every change to it. All functions are pure: time and ids are arguments, and a change
// without an effect returns the same object. It must not touch the network, the DOM, storage or a clock.

import * as channels from "./channel.js";
import { EMPTY } from "./channel.js";
import { DEFAULT_CHANNEL } from "./channel_names.js";
import { listed } from "./channel_order.js";
import { idAt, newerThan, newestId, stale, timeOf } from "./messages.js";
import * as outbox from "./outbox.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Channel} Channel
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {import("../state.js").Change} Change
 * @typedef {import("../state.js").Person} Person
 * @typedef {import("../state.js").Settings} Settings
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {{outbox: readonly Outgoing[], drafts: Readonly<Record<string, string>>,
 *   lastRead: Readonly<Record<string, string>>, visited: readonly string[]}} Kept
 *   what this browser has saved for a person
 */

/** @type {Settings} */
export const DEFAULT_SETTINGS = { theme: "auto", notifications: false, sound: false };
/** @type {Kept} */
const NOTHING = Object.freeze({ outbox: [], drafts: {}, lastRead: {}, visited: [] });
const GONE = "The message that you were editing has been deleted.";
/** A message that is older than this when a poll finds it has not been pushed. */
const PUSHED_WITHIN_MS = 2_000;

/**
 * @param {string} channel @param {Settings} [settings]
 * @returns {State} the state at page load
 */
export function initial(channel, settings = DEFAULT_SETTINGS) {
  return {
    phase: "loading",
    person: null,
    channel,
    names: listed([DEFAULT_CHANNEL], [channel]),
    visited: [],
    listed: false,
    channels: {},
    outbox: [],
    push: "none",
    pushedTo: null,
    since: "",
    online: true,
    endsSoon: false,
    trouble: "",
    notice: "",
    panel: "none",
    activity: null,
    settings,
  };
}

/** @param {State} state @param {string} [name] @returns {Channel} the open one by default */
export function channelOf(state, name = state.channel) {
  // hasOwn: "constructor" is a valid channel name
  return (Object.hasOwn(state.channels, name) && state.channels[name]) || EMPTY;
}

/** @param {State} state @returns {State} with the sign-in button ready */
export function signInReady(state) {
  return state.phase === "loading" ? { ...state, phase: "signed_out" } : state;
}

/**
 * Start a sign-in. The renewal of a working session shows nothing, and only removes its warning.
 * @param {State} state @returns {State}
 */
export function signingIn(state) {
  const anew = { phase: /** @type {const} */ ("signing_in"), notice: "", trouble: "" };
  if (state.phase !== "connected") return { ...state, ...anew };
  return state.endsSoon ? { ...state, endsSoon: false } : state;
}

/**
 * Complete a sign-in. The same person continues; for another person the state starts afresh.
 * @param {State} state @param {Person} person @param {Kept} [kept] for that person
 * @param {number} [now] ms since the epoch, by AWS's clock
 * @returns {State}
 */
export function signedIn(state, person, kept = NOTHING, now = NaN) {
  const same = state.person?.user === person.user;
  const base = same ? state : { ...restored(state, person, kept), since: idAt(now) };
  return { ...base, phase: "connected", person, endsSoon: false, trouble: "", notice: "" };
}

/** @param {State} state @param {Person} person @param {Kept} kept @returns {State} */
function restored({ channel, settings, online, panel, push }, person, kept) {
  const visited = [channel, ...kept.visited];
  const start = { ...initial(channel, settings), person, online, panel, push, visited };
  const names = listed([], [...start.names, ...visited], visited);
  return adopted(readElsewhere({ ...start, names }, kept.lastRead), kept);
}

/**
 * Add the outbox that this tab saved before a reload, or that a closed tab left, and its drafts
 * where there is no draft yet.
 * @param {State} state @param {Pick<Kept, "outbox" | "drafts">} kept @returns {State}
 */
export function adopted(state, kept) {
  if (!state.person) return state;
  let next = withOutbox(state, outbox.joined(state.outbox, kept.outbox));
  for (const name of new Set(kept.outbox.map((item) => item.channel))) {
    next = confirmed(next, name, channelOf(state, name));
  }
  for (const [name, draft] of Object.entries(kept.drafts)) {
    if (!channelOf(next, name).draft) next = withChannel(next, name, { draft });
  }
  const places = [...next.outbox.map((item) => item.channel), ...Object.keys(kept.drafts)];
  return withNames(next, places);
}

/**
 * Record a failed sign-in. A session that is still running continues.
 * @param {State} state @param {string} notice @returns {State}
 */
export function signInFailed(state, notice) {
  if (state.phase === "connected") return { ...state, notice };
  return { ...state, phase: state.person ? "ended" : "signed_out", notice };
}

/** @param {State} state @returns {State} with a warning, since no silent renewal has arrived */
export function signInEndsSoon(state) {
  return state.phase === "connected" ? { ...state, endsSoon: true } : state;
}

/**
 * End the session, but keep the messages, the draft and the outbox.
 * @param {State} state @returns {State}
 */
export function signInEnded(state) {
  if (state.phase !== "connected") return state;
  const waiting = withOutbox(state, outbox.resumed(state.outbox));
  return { ...waiting, phase: "ended", endsSoon: false, trouble: "", notice: "" };
}

/** @param {State} state @returns {State} without anything of the person */
export function signedOut({ channel, settings, online, push }) {
  return { ...initial(channel, settings), online, push, phase: "signed_out" };
}

/** @param {State} state @param {string} name @returns {State} with this channel open */
export function opened(state, name) {
  if (name === state.channel) return state;
  const leaving = channels.closed(channelOf(state));
  const entering = channels.opened(channelOf(state, name), state.visited.includes(name));
  const panel = state.panel === "channels" ? "none" : state.panel;
  const all = { ...state.channels, [state.channel]: leaving, [name]: entering };
  const visited = [...new Set([...state.visited, name])];
  const next = { ...state, channel: name, channels: all, visited, panel, notice: "" };
  return withNames({ ...next, pushedTo: null }, [name]);
}

/** @param {State} state @param {readonly string[]} names @returns {State} listing these, too */
export function withNames(state, names) {
  return changed(state, { names: listed(state.names, names, state.visited) });
}

/** The list of channels has been read. @param {State} state @param {readonly string[]} names */
export function listRead(state, names) {
  return changed(withNames(state, names), { listed: true });
}

/** @param {State} state @param {readonly Outgoing[]} queue @returns {State} */
export function withOutbox(state, queue) {
  return changed(state, { outbox: queue });
}

/**
 * Merge a reading into a channel.
 * @param {State} state @param {string} name @param {Reading} reading
 * @param {boolean} seen whether the reader sees the end of the open channel
 * @returns {State}
 */
export function received(state, name, reading, seen) {
  const channel = channels.received(channelOf(state, name), reading, readerOf(state, name, seen));
  return withRows(state, name, channel, reading);
}

/**
 * Merge what was pushed of a channel; the channel is listed from then on. Pushes count as arriving again.
 * @param {State} state @param {import("../state.js").Push} push @param {boolean} seen
 * @returns {{state: State, complete: boolean}} not `complete`: the transcript has to be read
 */
export function pushed(state, push, seen) {
  const name = push.channel;
  const listing = withNames(state.push === "off" ? withPush(state, true) : state, [name]);
  const reader = readerOf(state, name, seen);
  const channel = push.notice ? null : channels.pushed(channelOf(state, name), push, reader);
  if (!channel) return { state: changed(listing, { pushedTo: null }), complete: false };
  const messages = [...push.messages, ...push.edited];
  const rows = withRows(listing, name, channel, { messages, changes: push.changes });
  const next = changed(rows, { pushedTo: newestId(channelOf(rows).messages) });
  // an edit of an older message is read from the table
  return { state: next, complete: name !== state.channel || !stale(channel).length };
}

/** @param {State} state @param {boolean} live whether pushes arrive @returns {State} */
export function withPush(state, live) {
  return changed(state, { push: live ? "live" : "off", pushedTo: null });
}

/** @param {State} state @param {string} name @param {boolean} seen @returns {channels.Reader} */
function readerOf({ person, channel, visited, since }, name, seen) {
  const open = name === channel;
  return { person, open, visited: visited.includes(name), seen: open && seen, since };
}

/**
 * @param {State} state @param {string} name @param {Channel} channel with these rows merged
 * @param {{messages: readonly Message[], changes: readonly Change[]}} rows @returns {State}
 */
function withRows(state, name, channel, rows) {
  const next = withChannel(confirmed(state, name, rows), name, channel);
  return channelOf(state, name).editing && !channel.editing ? withNotice(next, GONE) : next;
}

/**
 * Remove from the outbox what has been stored.
 * @param {State} state @param {string} name of a channel
 * @param {{messages: readonly Message[], changes: readonly Change[]}} stored
 * @returns {State}
 */
export function confirmed(state, name, { messages, changes }) {
  const user = state.person?.user ?? "";
  return withOutbox(state, outbox.confirmed(state.outbox, name, messages, user, changes));
}

/**
 * Replace edited messages by their current rows.
 * @param {State} state @param {string} name @param {readonly string[]} ids
 * @param {readonly Message[]} rows @returns {State}
 */
export function readAgain(state, name, ids, rows) {
  return withChannel(state, name, channels.readAgain(channelOf(state, name), ids, rows));
}

/** @param {State} state @returns {State} the reader sees the end of the open channel */
export function endSeen(state) {
  const channel = channelOf(state);
  // a channel that is not loaded has no end to see
  return channel.loaded ? withChannel(state, state.channel, channels.read(channel)) : state;
}

/** @param {State} state @param {Readonly<Record<string, string>>} lastRead @returns {State} */
export function readElsewhere(state, lastRead) {
  return Object.entries(lastRead).reduce((next, [name, id]) => {
    return withChannel(next, name, channels.readUpTo(channelOf(next, name), id, next.person));
  }, state);
}

/** @param {State} state @param {string} name @returns {State} loading its earlier messages */
export function reachingBack(state, name) {
  return withChannel(state, name, { earlier: "loading" });
}

/**
 * @param {State} state @param {string} name @param {string} beforeId
 * @param {import("../state.js").Rows} rows
 * @returns {State}
 */
export function reachedBack(state, name, beforeId, rows) {
  const { messages, changes, more } = rows;
  const before = channelOf(state, name);
  const channel = channels.reachedBack(before, beforeId, messages, more, state.person, changes);
  return withChannel(confirmed(state, name, rows), name, channel);
}

/** @param {State} state @param {string} name @returns {State} offering another try */
export function reachBackFailed(state, name) {
  const loading = channelOf(state, name).earlier === "loading";
  return loading ? withChannel(state, name, { earlier: "failed" }) : state;
}

/**
 * Record a successful poll, which ends any connection problem. If it found a message that had not been
 * pushed, pushes count as off until one arrives.
 * @param {State} state @param {string} name the channel that was read @param {number} now
 * @returns {State}
 */
export function polled(state, name, now) {
  const queue = outbox.overdue(state.outbox, name, now);
  const next = changed(state, { outbox: queue, trouble: "", online: true });
  if (state.push !== "live" || name !== state.channel) return next;
  const { messages } = channelOf(state);
  if (state.pushedTo === null) return { ...next, pushedTo: newestId(messages) };
  const [unpushed] = newerThan(messages, state.pushedTo);
  const isLost = unpushed && now - timeOf(unpushed.id) > PUSHED_WITHIN_MS;
  return isLost ? withPush(next, false) : next;
}

/**
 * @param {State} state @param {string} why
 * @param {boolean} online as the browser reports it, which counts only after a failed request
 * @returns {State}
 */
export function pollFailed(state, why, online) {
  return changed(state, { trouble: online ? `${why} Reconnecting…` : "", online });
}

/** @param {State} state @returns {State} the browser reports that the network is back */
export function cameOnline(state) {
  return changed(state, { online: true });
}

/** @param {State} state @param {string} notice @returns {State} */
export function withNotice(state, notice) {
  return changed(state, { notice });
}

/** @param {State} state @param {State["panel"]} panel @returns {State} */
export function withPanel(state, panel) {
  return changed(state, { panel });
}

/** @param {State} state @param {State["activity"]} activity @returns {State} */
export function withActivity(state, activity) {
  return changed(state, { activity });
}

/** @param {State} state @param {Partial<Settings>} change @returns {State} */
export function withSettings(state, change) {
  return changed(state, { settings: changed(state.settings, change) });
}

/** @param {State} state @param {string} name @param {Partial<Channel>} change @returns {State} */
export function withChannel(state, name, change) {
  const before = channelOf(state, name);
  const channel = changed(before, change);
  if (channel === before) return state;
  return { ...state, channels: { ...state.channels, [name]: channel } };
}

/**
 * @template {object} T
 * @param {T} before @param {Partial<T>} change @returns {T} the same object when nothing differs
 */
function changed(before, change) {
  const keys = /** @type {(keyof T)[]} */ (Object.keys(change));
  return keys.every((key) => before[key] === change[key]) ? before : { ...before, ...change };
}
