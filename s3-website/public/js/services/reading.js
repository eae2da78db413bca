// Owns what the page reads of AWS, and when it is due: the open channel at each step, and between the
// steps one of the rest: the list of channels, another channel, the activity. It must not know the DOM
// or how a request is made: both are handed in.

import { explain, trouble } from "../aws/request.js";
import { nextProbe } from "../state/channel_names.js";
import * as chat from "../state/chat.js";
import { changesGap, END, gap, idAt, LINE_LIMIT, stale } from "../state/messages.js";
import { sentSince, tried } from "../state/outbox.js";
import { pollDelay, probeDelay } from "./pace.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("./session.js").Presence} Presence
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {import("../state/messages.js").Range} Range
 * @typedef {import("../state.js").Rows} Rows
 * @typedef {import("../aws/source.js").Source} Source
 * @typedef {{
 *   source: Source, get: () => State, dispatch: (next: State) => void,
 *   presence: () => Presence | null, onEnded: () => void,
 *   pace: () => {sinceSendMs: number, sinceActiveMs: number, hiddenMs: number},
 *   seen: () => boolean, onLine: () => boolean,
 *   now: () => number, clock: () => number, random: () => number,
 * }} World `seen`: the reader looks at the end of the open channel; `now` is the time of day,
 *   `clock` one that never jumps
 */

const EARLIER_LIMIT = 100;
/** Where a message stands, counted from its try: near it mostly, later after retries of Lambda. */
const STORED_WITHIN_MS = /** @type {const} */ ([[-60_000, 60_000], [60_000, 300_000]]);
/** As many edited messages are read again in a step: each is a Query of its own, of one message. */
const AGAIN_LIMIT = 4;
// after the id itself, before every other id
const JUST = "!";
/** Of so many looks at other channels one is at any, the rest at those that the person visits. */
const STRANGE_EACH = 4;
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
  let looks = 0;
  /** the last channels that were looked at: of the visited ones, of all */
  const probed = { own: "", any: "" };
  /** @type {Set<string>} channels whose earlier messages are being read */
  const reaching = new Set();
  /** @type {Set<string>} tries that were looked for in the table */
  const sought = new Set();

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
      if (!here.signal.aborted) await findSent(here, channel);
      if (!here.signal.aborted) await readAgain(here, channel);
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
   * Read a transcript and what it does not tell; only all together is shown and remembered.
   * @param {Presence} here @param {string} channel @param {boolean} whole whether gaps are filled
   */
  async function read(here, channel, whole) {
    const { loaded } = chat.channelOf(get(), channel);
    const transcript = await source.transcript(here, channel, loaded ? (etags.get(channel) ?? "") : "");
    if (!transcript || here.signal.aborted) return;
    // it may have been opened meanwhile
    whole ||= channel === get().channel;
    // nothing is told: the table is read when it is opened
    if (!whole && transcript.from && !transcript.messages.length) return;
    const reading = whole ? await fill(here, channel, transcript) : transcript;
    if (here.signal.aborted) return;
    etags.set(channel, transcript.etag);
    dispatch(chat.received(get(), channel, reading, world.seen()));
  }

  /**
   * Read of the table what a transcript does not tell: messages and changes between what is known
   * and what it tells; all, where there is none.
   * @param {Presence} here @param {string} channel @param {Reading} reading
   */
  async function fill(here, channel, reading) {
    const { loaded, messages, lastRead, asOf } = chat.channelOf(get(), channel);
    const sent = idAt(sentSince(get().outbox, channel));
    const since = [sent, channel === get().channel ? lastRead : ""].filter(Boolean).sort()[0];
    let next = reading;
    /** @param {Range} range @param {number} limit @returns {Promise<Rows>} taken into `next` */
    const query = async (range, limit) => {
      const rows = await source.rows(here, channel, range, limit);
      const messages = [...rows.messages, ...next.messages];
      next = { ...next, messages, changes: [...next.changes, ...rows.changes] };
      return rows;
    };
    if (next.from && !next.messages.length) {
      const { more, messages: newest } = await query({ after: "", before: END }, EARLIER_LIMIT);
      next.from = more ? (newest[0]?.id ?? END) : "";
    }
    const missing = gap(loaded ? messages : [], next.from, since);
    if (missing) {
      const { more, messages: found } = await query(missing, LINE_LIMIT);
      next.from = more ? (found[0]?.id ?? next.from) : missing.after;
    }
    const untold = changesGap(messages.length ? asOf : "", next.changesSince);
    if (untold && !(await query(untold, LINE_LIMIT)).more) next.changesSince = "";
    return next;
  }

  /**
   * What this person sent may be further back than what is loaded, where its first try was stored:
   * it is not lost. Each try is looked for once.
   * @param {Presence} here @param {string} channel
   */
  async function findSent(here, channel) {
    const oldest = chat.channelOf(get(), channel).messages[0]?.id ?? "";
    for (const { clientId, time } of tried(get().outbox, channel)) {
      const key = `${clientId} ${time}`;
      if (sought.has(key) || idAt(time) >= oldest) continue;
      for (const [from, to] of STORED_WITHIN_MS) {
        const range = { after: idAt(time + from), before: idAt(time + to) };
        const rows = await source.rows(here, channel, range, LINE_LIMIT);
        if (here.signal.aborted) return;
        dispatch(chat.confirmed(get(), channel, rows));
      }
      sought.add(key);
    }
  }

  /**
   * Messages that were edited since they were read, each by itself: a range of them would be read,
   * and paid for, with all that is between. @param {Presence} here @param {string} channel
   */
  async function readAgain(here, channel) {
    const edited = stale(chat.channelOf(get(), channel)).slice(-AGAIN_LIMIT);
    for (const { id } of edited.reverse()) {
      const { messages } = await source.rows(here, channel, { after: id, before: id + JUST }, 1);
      if (here.signal.aborted) return;
      dispatch(chat.readAgain(get(), channel, [id], messages));
    }
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
    const { names, visited, channel: open, outbox } = get();
    const awaited = outbox.find(({ state, channel }) => state === "sent" && channel !== open);
    const own = ++looks % STRANGE_EACH ? nextProbe(visited, open, probed.own) : "";
    const channel = awaited?.channel || own || nextProbe(names, open, probed.any);
    if (!channel) return;
    if (!awaited) probed[own ? "own" : "any"] = channel;
    await read(here, channel, awaited !== undefined);
    if (here.signal.aborted || !awaited) return;
    await findSent(here, channel);
    if (!here.signal.aborted) dispatch(chat.polled(get(), channel, world.now()));
  }

  /** Read the messages before the oldest one of the open channel. */
  async function reachBack() {
    const here = presence();
    const { channel } = get();
    const { messages, earlier } = chat.channelOf(get(), channel);
    const oldest = messages[0]?.id ?? "";
    if (earlier === "none" || reaching.has(channel)) return;
    dispatch(chat.reachingBack(get(), channel));
    if (!here) return dispatch(chat.reachBackFailed(get(), channel));
    reaching.add(channel);
    try {
      const range = { after: "", before: oldest || END };
      const rows = await source.rows(here, channel, range, EARLIER_LIMIT);
      if (here.signal.aborted) return;
      dispatch(chat.reachedBack(get(), channel, oldest, rows));
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
    hurryStats: () => void (due.stats = -Infinity),
    /** The network came back: what failed before does not count. */
    retry: () => void (failures = 0),
  };
}
