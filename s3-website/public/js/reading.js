// Owns what the page reads of AWS, and when it is due: the open channel at each step, and between
// the steps one of the rest: the list of channels, another channel, the activity. The pace of each is a
// pure function of time and chance: polls are most of what the chat costs, so idle pages ask less. It
// must not know the DOM or how a request is made: both are handed in.

import { backoff, explain, trouble } from "./aws.js";
import { nextProbe } from "./channels.js";
import * as chat from "./chat.js";
import { gap, idAt } from "./messages.js";
import { sentSince } from "./outbox.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./session.js").Presence} Presence
 * @typedef {import("./source.js").Found} Found
 * @typedef {{
 *   transcript(here: Presence, channel: string, etag: string):
 *     Promise<{etag: string} & Found | null>,
 *   between(here: Presence, channel: string, range: {after: string, before: string}):
 *     Promise<Found>,
 *   before(here: Presence, channel: string, id: string, limit: number):
 *     Promise<Found & {more: boolean}>,
 *   channelList(here: Presence, etag: string): Promise<{etag: string, names: string[]} | null>,
 *   stats(here: Presence, etag: string, known: State["activity"]):
 *     Promise<{etag: string, activity: State["activity"]}>,
 * }} Source
 * @typedef {{
 *   source: Source, get: () => State, dispatch: (next: State) => void,
 *   presence: () => Presence | null, onEnded: () => void,
 *   pace: () => {sinceSendMs: number, sinceActiveMs: number, hiddenMs: number},
 *   seen: () => boolean, onLine: () => boolean,
 *   now: () => number, clock: () => number, random: () => number,
 * }} World `seen`: the reader looks at the end of the open channel; `now` is the time of day,
 *   `clock` one that never jumps
 * @typedef {{failures: number, sinceSendMs: number, sinceActiveMs: number, hiddenMs: number,
 *   online?: boolean, random: number}} Pace
 *   `sinceActiveMs` since the person's last input or the last new message; `hiddenMs` is 0 for a
 *   visible page; `random` is in [0, 1)
 * @typedef {readonly {afterMs: number, everyMs: number}[]} Steps the longest wait last
 */

const QUICK_POLL_MS = 250;
const QUICK_FOR_MS = 3_000;
/** From here on a page is idle: the next input should poll at once. */
export const IDLE_AFTER_MS = 60_000;
/** Each wait is up to this part longer or shorter, so that pages do not march in step. */
export const JITTER = 0.1;

/** @type {Steps} */
const VISIBLE_POLLS = [
  { afterMs: 0, everyMs: 1_000 },
  { afterMs: IDLE_AFTER_MS, everyMs: 3_000 },
  { afterMs: 600_000, everyMs: 10_000 },
];
/** @type {Steps} */
const HIDDEN_POLLS = [
  { afterMs: 0, everyMs: 15_000 },
  { afterMs: 600_000, everyMs: 60_000 },
];
/** @type {Steps} of all channels but the open one together: each probe asks for one of them */
const VISIBLE_PROBES = [
  { afterMs: 0, everyMs: 10_000 },
  { afterMs: IDLE_AFTER_MS, everyMs: 30_000 },
];
/** @type {Steps} */
const HIDDEN_PROBES = [{ afterMs: 0, everyMs: 60_000 }];

const EARLIER_LIMIT = 100;
const LIST_EVERY_MS = 60_000;
const STATS_EVERY_MS = 15_000;

/** @param {World} world for one presence: a new one starts without etags */
export function createReading(world) {
  const { source, get, dispatch, presence, clock } = world;
  /** @type {Map<string, string>} what S3 called the last transcript of each channel */
  const etags = new Map();
  const due = { list: -Infinity, stats: -Infinity, probe: -Infinity };
  const etag = { list: "", stats: "" };
  let failures = 0;
  let probed = "";
  /** @type {Set<string>} channels whose earlier messages are being read */
  const reaching = new Set();

  const pace = () => {
    const { online } = get();
    return { ...world.pace(), failures, online, random: world.random() };
  };

  /** One poll. It does not throw. */
  async function step() {
    const here = presence();
    if (!here) return;
    const { channel } = get();
    try {
      await read(here, channel, true);
      if (here.signal.aborted) return;
      failures = 0;
      dispatch(chat.polled(get(), channel, world.now()));
    } catch (error) {
      return failed(here, error);
    }
    await aside(here).catch((error) => {
      if (here.signal.aborted) return;
      if (trouble(error) === "ended") world.onEnded();
      else dispatch(chat.listRead(get(), []));
    });
  }

  /** @param {Presence} here @param {unknown} error */
  function failed(here, error) {
    if (here.signal.aborted) return;
    const kind = trouble(error);
    if (kind === "ended") return world.onEnded();
    if (kind === "fault") reportError(error);
    failures += 1;
    const online = kind !== "offline" || world.onLine();
    dispatch(chat.listRead(chat.pollFailed(get(), explain(error), online), []));
  }

  /**
   * Read a transcript and what is missing before it; only both together are shown and remembered.
   * A transcript tells of the changes since its oldest message, and what fills the gap of those
   * before: none is missed, whatever the page slept through.
   * @param {Presence} here @param {string} channel @param {boolean} whole whether gaps are filled
   */
  async function read(here, channel, whole) {
    const { loaded, messages, lastRead } = chat.channelOf(get(), channel);
    const known = loaded ? (etags.get(channel) ?? "") : "";
    const transcript = await source.transcript(here, channel, known);
    if (!transcript || here.signal.aborted) return;
    // it may have been opened meanwhile
    const open = channel === get().channel;
    const sent = idAt(sentSince(get().outbox, channel));
    const since = [sent, open ? lastRead : ""].filter(Boolean).sort()[0];
    const shown = loaded ? messages : [];
    const missing = whole || open ? gap(shown, transcript.messages, since) : null;
    const before = missing && (await source.between(here, channel, missing));
    if (here.signal.aborted) return;
    etags.set(channel, transcript.etag);
    const incoming = [...transcript.messages, ...(before?.messages ?? [])];
    const changes = [...transcript.changes, ...(before?.changes ?? [])];
    dispatch(chat.received(get(), channel, incoming, world.seen(), changes));
  }

  /** At most one more request of a step. @param {Presence} here */
  async function aside(here) {
    const { panel } = get();
    const time = clock();
    if (time >= due.list) {
      due.list = time + LIST_EVERY_MS;
      return readList(here);
    }
    if (panel === "activity" && time >= due.stats) {
      due.stats = time + STATS_EVERY_MS;
      return readActivity(here);
    }
    if (time >= due.probe) {
      due.probe = time + probeDelay(pace());
      return probe(here);
    }
  }

  /** @param {Presence} here */
  async function readList(here) {
    const found = await source.channelList(here, etag.list);
    if (here.signal.aborted) return;
    if (found) etag.list = found.etag;
    dispatch(chat.listRead(get(), found?.names ?? []));
  }

  /** @param {Presence} here */
  async function readActivity(here) {
    const found = await source.stats(here, etag.stats, get().activity);
    if (here.signal.aborted) return;
    etag.stats = found.etag;
    dispatch(chat.measured(get(), found.activity));
  }

  /**
   * Look at another channel: one that a message of one's own is missing from, or the next.
   * @param {Presence} here
   */
  async function probe(here) {
    const { names, channel: open, outbox } = get();
    const awaited = outbox.find(({ state, channel }) => state === "sent" && channel !== open);
    const channel = awaited?.channel ?? nextProbe(names, open, probed);
    if (!channel) return;
    if (!awaited) probed = channel;
    await read(here, channel, awaited !== undefined);
    if (here.signal.aborted) return;
    if (awaited) dispatch(chat.polled(get(), channel, world.now()));
  }

  /** Read the messages before the oldest one of the open channel. */
  async function reachBack() {
    const here = presence();
    const { channel } = get();
    const { messages, earlier } = chat.channelOf(get(), channel);
    const oldest = messages[0]?.id;
    if (!oldest || earlier === "none" || reaching.has(channel)) return;
    dispatch(chat.reachingBack(get(), channel));
    if (!here) return dispatch(chat.reachBackFailed(get(), channel));
    reaching.add(channel);
    try {
      const found = await source.before(here, channel, oldest, EARLIER_LIMIT);
      if (here.signal.aborted) return;
      const { messages: back, more, changes } = found;
      dispatch(chat.reachedBack(get(), channel, oldest, back, more, changes));
    } catch (error) {
      if (!here.signal.aborted && trouble(error) === "ended") world.onEnded();
    } finally {
      reaching.delete(channel);
      // of no effect when it did not: the state says so already
      dispatch(chat.reachBackFailed(get(), channel));
    }
  }

  return {
    step,
    reachBack,
    /** Milliseconds until the next step. */
    delay: () => pollDelay(pace()),
    /** The activity is wanted now. */
    hurryStats() {
      due.stats = -Infinity;
    },
    /** The network came back: what failed before does not count. */
    retry() {
      failures = 0;
    },
  };
}

/**
 * How long until the next poll of the open channel; Infinity while the browser is offline.
 *
 * A message of one's own is waited for even on a page that is hidden by then.
 * @param {Pace} pace
 */
export function pollDelay(pace) {
  const quick = pace.sinceSendMs < QUICK_FOR_MS;
  return delay(pace, quick ? QUICK_POLL_MS : paceOf(pace, VISIBLE_POLLS, HIDDEN_POLLS));
}

/** How long until the next probe of another channel. @param {Pace} pace */
export function probeDelay(pace) {
  return delay(pace, paceOf(pace, VISIBLE_PROBES, HIDDEN_PROBES));
}

/** @param {Pace} pace @param {number} everyMs */
function delay({ failures, online = true, random }, everyMs) {
  if (!online) return Infinity;
  const usual = everyMs * (1 - JITTER + 2 * JITTER * random);
  return failures > 0 ? Math.max(usual, backoff(failures, random)) : usual;
}

/** @param {Pace} pace @param {Steps} visible @param {Steps} hidden */
function paceOf({ sinceActiveMs, hiddenMs }, visible, hidden) {
  const [steps, sinceMs] = hiddenMs > 0 ? [hidden, hiddenMs] : [visible, sinceActiveMs];
  // a clock that was set back makes a negative time: the first step
  return (steps.findLast(({ afterMs }) => sinceMs >= afterMs) ?? steps[0])?.everyMs ?? Infinity;
}
