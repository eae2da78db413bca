// Decides what the page reads from AWS and when: the open channel at each step, then at most one of the channel
// list, another channel and the activity. It must not touch the DOM or make requests itself.

import { explain, trouble } from "../aws/request.js";
import { nextProbe } from "../state/channel_order.js";
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
 * }} World `seen`: whether the reader sees the end of the open channel; `now`: the time of day;
 *   `clock`: monotonic
 */

const EARLIER_LIMIT = 100;
/** Where a sent message is stored, relative to its try: close to it, or later if Lambda retried. */
const STORED_WITHIN_MS = /** @type {const} */ ([[-60_000, 60_000], [60_000, 300_000]]);
/** Edited messages that a step reads again, each by a Query of its own. */
const EDITED_LIMIT = 4;
// sorts after the id itself and before every other id
const AFTER_ID = "!";
/** Every so many probes, one is of any channel; the others are of visited channels. */
const ANY_EVERY = 4;
const LIST_EVERY_MS = 60_000;
const STATS_EVERY_MS = 15_000;

/** @param {World} world @returns the reader of one presence: it starts without ETags */
export function createReading(world) {
  const { source, get, dispatch, clock } = world;
  /** @type {Map<string, string>} the ETag of each channel's last transcript */
  const etags = new Map();
  const due = { list: -Infinity, stats: -Infinity, probe: -Infinity };
  const etag = { list: "", stats: "" };
  let failures = 0;
  let probes = 0;
  /** the last channels that were probed, of the visited ones and of all */
  const probed = { visited: "", any: "" };
  /** @type {Set<string>} channels whose earlier messages are being read */
  const reaching = new Set();
  /** @type {Set<string>} tries that the table has been searched for */
  const searched = new Set();

  const pace = () => {
    const { online } = get();
    return { ...world.pace(), failures, online, random: world.random() };
  };

  /** Poll once. It never throws. */
  async function step() {
    const presence = world.presence();
    if (!presence) return;
    const { channel } = get();
    try {
      await read(presence, channel, true);
      if (!presence.signal.aborted) await findSent(presence, channel);
      if (!presence.signal.aborted) await readEdited(presence, channel);
      if (presence.signal.aborted) return;
      failures = 0;
      dispatch(chat.polled(get(), channel, world.now()));
    } catch (error) {
      return failed(presence, error);
    }
    await readNext(presence).catch((error) => {
      if (presence.signal.aborted) return;
      if (trouble(error) === "ended") world.onEnded();
      else dispatch(chat.listRead(get(), []));
    });
  }

  /** @param {Presence} presence @param {unknown} error */
  function failed(presence, error) {
    if (presence.signal.aborted) return;
    const kind = trouble(error);
    if (kind === "ended") return world.onEnded();
    if (kind === "fault") reportError(error);
    failures += 1;
    const online = kind !== "offline" || world.onLine();
    dispatch(chat.listRead(chat.pollFailed(get(), explain(error), online), []));
  }

  /**
   * Read a transcript and, if `whole`, fill its gaps from the table. The state changes, and the ETag
   * is remembered, only when all of it has been read.
   * @param {Presence} presence @param {string} channel @param {boolean} whole
   */
  async function read(presence, channel, whole) {
    const { loaded } = chat.channelOf(get(), channel);
    const known = loaded ? (etags.get(channel) ?? "") : "";
    const transcript = await source.transcript(presence, channel, known);
    if (!transcript || presence.signal.aborted) return;
    // it may have been opened in the meantime
    whole ||= channel === get().channel;
    // an empty, incomplete transcript: the table is read when the channel is opened
    if (!whole && transcript.from && !transcript.messages.length) return;
    const reading = whole ? await fill(presence, channel, transcript) : transcript;
    if (presence.signal.aborted) return;
    etags.set(channel, transcript.etag);
    dispatch(chat.received(get(), channel, reading, world.seen()));
  }

  /**
   * Complete a transcript from the table: the messages and changes between the known ones and the
   * transcript, or the newest messages if it is missing.
   * @param {Presence} presence @param {string} channel @param {Reading} reading
   */
  async function fill(presence, channel, reading) {
    const { loaded, messages, lastRead, asOf } = chat.channelOf(get(), channel);
    const sent = idAt(sentSince(get().outbox, channel));
    const since = [sent, channel === get().channel ? lastRead : ""].filter(Boolean).sort()[0];
    let next = reading;
    /** Read rows into `next`. @param {Range} range @param {number} limit @returns {Promise<Rows>} */
    const query = async (range, limit) => {
      const rows = await source.rows(presence, channel, range, limit);
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
      const { more, messages: filled } = await query(missing, LINE_LIMIT);
      next.from = more ? (filled[0]?.id ?? next.from) : missing.after;
    }
    const missedChanges = changesGap(messages.length ? asOf : "", next.changesSince);
    if (missedChanges && !(await query(missedChanges, LINE_LIMIT)).more) next.changesSince = "";
    return next;
  }

  /**
   * Search the table, once for each try, for sent messages that may be stored before the oldest
   * loaded message, where their first try put them.
   * @param {Presence} presence @param {string} channel
   */
  async function findSent(presence, channel) {
    const oldest = chat.channelOf(get(), channel).messages[0]?.id ?? "";
    for (const { clientId, time } of tried(get().outbox, channel)) {
      const key = `${clientId} ${time}`;
      if (searched.has(key) || idAt(time) >= oldest) continue;
      for (const [from, to] of STORED_WITHIN_MS) {
        const range = { after: idAt(time + from), before: idAt(time + to) };
        const rows = await source.rows(presence, channel, range, LINE_LIMIT);
        if (presence.signal.aborted) return;
        dispatch(chat.confirmed(get(), channel, rows));
      }
      searched.add(key);
    }
  }

  /**
   * Read messages again that were edited since, one by one: a range would also read, and cost, every
   * message in between. @param {Presence} presence @param {string} channel
   */
  async function readEdited(presence, channel) {
    const edited = stale(chat.channelOf(get(), channel)).slice(-EDITED_LIMIT);
    for (const { id } of edited.reverse()) {
      const range = { after: id, before: id + AFTER_ID };
      const { messages } = await source.rows(presence, channel, range, 1);
      if (presence.signal.aborted) return;
      dispatch(chat.readAgain(get(), channel, [id], messages));
    }
  }

  /** Make a step's one further request, if any is due. @param {Presence} presence */
  async function readNext(presence) {
    const { panel } = get();
    const time = clock();
    if (time >= due.list) {
      due.list = time + LIST_EVERY_MS;
      return readList(presence);
    }
    if (panel === "activity" && time >= due.stats) {
      due.stats = time + STATS_EVERY_MS;
      return readActivity(presence);
    }
    if (time >= due.probe) {
      due.probe = time + probeDelay(pace());
      return probe(presence);
    }
  }

  /** @param {Presence} presence */
  async function readList(presence) {
    const list = await source.channelList(presence, etag.list);
    if (presence.signal.aborted) return;
    if (list) etag.list = list.etag;
    dispatch(chat.listRead(get(), list?.names ?? []));
  }

  /** @param {Presence} presence */
  async function readActivity(presence) {
    const stats = await source.stats(presence, etag.stats, get().activity);
    if (presence.signal.aborted) return;
    etag.stats = stats.etag;
    dispatch(chat.withActivity(get(), stats.activity));
  }

  /**
   * Read another channel: one that a sent message should appear in, or the next in turn.
   * @param {Presence} presence
   */
  async function probe(presence) {
    const { names, visited, channel: open, outbox } = get();
    const awaited = outbox.find(({ state, channel }) => state === "sent" && channel !== open);
    const next = ++probes % ANY_EVERY ? nextProbe(visited, open, probed.visited) : "";
    const channel = awaited?.channel || next || nextProbe(names, open, probed.any);
    if (!channel) return;
    if (!awaited) probed[next ? "visited" : "any"] = channel;
    await read(presence, channel, awaited !== undefined);
    if (presence.signal.aborted || !awaited) return;
    await findSent(presence, channel);
    if (!presence.signal.aborted) dispatch(chat.polled(get(), channel, world.now()));
  }

  /** Read the messages before the open channel's oldest one. */
  async function reachBack() {
    const presence = world.presence();
    const { channel } = get();
    const { messages, earlier } = chat.channelOf(get(), channel);
    const oldest = messages[0]?.id ?? "";
    if (earlier === "none" || reaching.has(channel)) return;
    dispatch(chat.reachingBack(get(), channel));
    if (!presence) return dispatch(chat.reachBackFailed(get(), channel));
    reaching.add(channel);
    try {
      const range = { after: "", before: oldest || END };
      const rows = await source.rows(presence, channel, range, EARLIER_LIMIT);
      if (presence.signal.aborted) return;
      dispatch(chat.reachedBack(get(), channel, oldest, rows));
    } catch (error) {
      if (!presence.signal.aborted && trouble(error) === "ended") world.onEnded();
    } finally {
      reaching.delete(channel);
      // no effect after a success: the channel is no longer "loading"
      dispatch(chat.reachBackFailed(get(), channel));
    }
  }

  return {
    step,
    reachBack,
    /** @returns {number} milliseconds until the next step */
    delay: () => pollDelay(pace()),
    /** Read the activity at the next step. */
    statsDueNow: () => void (due.stats = -Infinity),
    /** Forget earlier failures, since the network is back. */
    retry: () => void (failures = 0),
  };
}
