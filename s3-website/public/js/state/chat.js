// Owns the state of the chat as a person sees it, and every change to it. All functions are pure:
// time and ids come in as arguments; one that changes nothing answers the same state. It must not
// touch the network, the DOM, a store or a clock.

import * as channels from "./channel.js";
import { EMPTY } from "./channel.js";
import { DEFAULT_CHANNEL, listed } from "./channel_names.js";
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
 *   what a browser keeps of a person
 */

/** @type {Settings} */
export const DEFAULT_SETTINGS = { theme: "auto", notifications: false, sound: false };
/** @type {Kept} */
const NOTHING = Object.freeze({ outbox: [], drafts: {}, lastRead: {}, visited: [] });
const GONE = "The message that you were editing has been deleted.";

/**
 * @param {string} channel @param {Settings} [settings]
 * @returns {State} before anything is known
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
  // "constructor" is a channel's name like any other
  return (Object.hasOwn(state.channels, name) && state.channels[name]) || EMPTY;
}

/** @param {State} state @returns {State} the sign-in button can be used */
export function signInReady(state) {
  return state.phase === "loading" ? { ...state, phase: "signed_out" } : state;
}

/**
 * A renewal behind a working session is not shown, but for the warning, which has been heeded.
 * @param {State} state @returns {State}
 */
export function signingIn(state) {
  const anew = { phase: /** @type {const} */ ("signing_in"), notice: "", trouble: "" };
  if (state.phase !== "connected") return { ...state, ...anew };
  return state.endsSoon ? { ...state, endsSoon: false } : state;
}

/**
 * The same person goes on where they were; for anybody else all begins anew.
 * @param {State} state @param {Person} person @param {Kept} [kept] of that person
 * @returns {State}
 */
export function signedIn(state, person, kept = NOTHING) {
  const same = state.person?.user === person.user;
  const base = same ? state : restored(state, person, kept);
  return { ...base, phase: "connected", person, endsSoon: false, trouble: "", notice: "" };
}

/** @param {State} state @param {Person} person @param {Kept} kept @returns {State} */
function restored({ channel, settings, online, panel }, person, kept) {
  const visited = [channel, ...kept.visited];
  const start = { ...initial(channel, settings), person, online, panel, visited };
  const names = listed([], [...start.names, ...visited], visited);
  return adopted(readElsewhere({ ...start, names }, kept.lastRead), kept);
}

/**
 * Take over what this tab kept over a reload, or another one left behind: messages, and drafts
 * where there is none.
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
 * The sign-in did not work out: a session that still runs goes on.
 * @param {State} state @param {string} notice @returns {State}
 */
export function signInFailed(state, notice) {
  if (state.phase === "connected") return { ...state, notice };
  return { ...state, phase: state.person ? "ended" : "signed_out", notice };
}

/** @param {State} state @returns {State} the silent renewal has been asked for */
export function signInEndsSoon(state) {
  return state.phase === "connected" ? { ...state, endsSoon: true } : state;
}

/**
 * What is on the screen, in the text box and in the outbox stays, and waits.
 * @param {State} state @returns {State}
 */
export function signInEnded(state) {
  if (state.phase !== "connected") return state;
  const waiting = withOutbox(state, outbox.resumed(state.outbox));
  return { ...waiting, phase: "ended", endsSoon: false, trouble: "", notice: "" };
}

/** @param {State} state @returns {State} nothing of the person is left */
export function signedOut({ channel, settings, online }) {
  return { ...initial(channel, settings), online, phase: "signed_out" };
}

/** @param {State} state @param {string} name @returns {State} another channel is open */
export function opened(state, name) {
  if (name === state.channel) return state;
  const leaving = channels.closed(channelOf(state));
  const entering = channels.opened(channelOf(state, name), state.visited.includes(name));
  const panel = state.panel === "channels" ? "none" : state.panel;
  const all = { ...state.channels, [state.channel]: leaving, [name]: entering };
  const visited = [...new Set([...state.visited, name])];
  return withNames({ ...state, channel: name, channels: all, visited, panel, notice: "" }, [name]);
}

/** @param {State} state @param {readonly string[]} names @returns {State} there are these, too */
export function withNames(state, names) {
  return changed(state, { names: listed(state.names, names, state.visited) });
}

/** @param {State} state @param {readonly string[]} names @returns {State} all that are known of */
export function listRead(state, names) {
  return changed(withNames(state, names), { listed: true });
}

/** @param {State} state @param {readonly Outgoing[]} queue @returns {State} */
export function withOutbox(state, queue) {
  return changed(state, { outbox: queue });
}

/**
 * Take in what was read: a transcript, with what the table told besides.
 * @param {State} state @param {string} name @param {Reading} reading
 * @param {boolean} seen whether the reader looks at the end of the open channel
 * @returns {State}
 */
export function received(state, name, reading, seen) {
  const { person } = state;
  const open = name === state.channel;
  const reader = { person, open, visited: state.visited.includes(name), seen: open && seen };
  const channel = channels.received(channelOf(state, name), reading, reader);
  const next = withChannel(confirmed(state, name, reading), name, channel);
  return channelOf(state, name).editing && !channel.editing ? withNotice(next, GONE) : next;
}

/**
 * What is found stored is on its way no more.
 * @param {State} state @param {string} name of a channel
 * @param {{messages: readonly Message[], changes: readonly Change[]}} found
 * @returns {State}
 */
export function confirmed(state, name, { messages, changes }) {
  const user = state.person?.user ?? "";
  return withOutbox(state, outbox.confirmed(state.outbox, name, messages, user, changes));
}

/**
 * @param {State} state @param {string} name @param {readonly string[]} ids
 * @param {readonly Message[]} rows @returns {State} messages that were edited are as they are now
 */
export function readAgain(state, name, ids, rows) {
  return withChannel(state, name, channels.readAgain(channelOf(state, name), ids, rows));
}

/** @param {State} state @returns {State} the reader looks at the end of the open channel */
export function endSeen(state) {
  const channel = channelOf(state);
  // what is not all there yet has no end to look at
  return channel.loaded ? withChannel(state, state.channel, channels.read(channel)) : state;
}

/** @param {State} state @param {Readonly<Record<string, string>>} lastRead @returns {State} */
export function readElsewhere(state, lastRead) {
  return Object.entries(lastRead).reduce((next, [name, id]) => {
    return withChannel(next, name, channels.readUpTo(channelOf(next, name), id, next.person));
  }, state);
}

/** @param {State} state @param {string} name @returns {State} its earlier messages are read */
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

/** @param {State} state @param {string} name @returns {State} the next reach tries again */
export function reachBackFailed(state, name) {
  const loading = channelOf(state, name).earlier === "loading";
  return loading ? withChannel(state, name, { earlier: "failed" }) : state;
}

/**
 * A poll worked: whatever was wrong with the link is over.
 * @param {State} state @param {string} name the channel that has been read @param {number} now
 * @returns {State}
 */
export function polled(state, name, now) {
  const queue = outbox.overdue(state.outbox, name, now);
  return changed(state, { outbox: queue, trouble: "", online: true });
}

/**
 * @param {State} state @param {string} why
 * @param {boolean} online what the browser says: it is only believed when a request fails
 * @returns {State}
 */
export function pollFailed(state, why, online) {
  return changed(state, { trouble: online ? `${why} Reconnecting…` : "", online });
}

/** @param {State} state @returns {State} the network is back, as the browser says */
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
 * @param {T} before @param {Partial<T>} change @returns {T} the same when nothing differs
 */
function changed(before, change) {
  const keys = /** @type {(keyof T)[]} */ (Object.keys(change));
  return keys.every((key) => before[key] === change[key]) ? before : { ...before, ...change };
}
