// Decides what the page reads from AWS and when: the open channel at each step, then at most one of the channel
// list, another channel and the statistics. While messages are pushed, a step reads only what a push could not
// complete or the statistics report as new, and the rest rarely. It must not touch the DOM or make requests itself.

import { NAMES_LIMIT, NO_OBJECT } from "../aws/objects.js";
import { explain, trouble } from "../aws/request.js";
import { aged, busier } from "../state/activity.js";
import { nextProbe } from "../state/channel_order.js";
import * as chat from "../state/chat.js";
import { END, idAt, LINE_LIMIT, stale } from "../state/messages.js";
import { tried } from "../state/outbox.js";
import { EARLIER_LIMIT, fill } from "./filling.js";
import { isUsed, listDelay, pollDelay, probeDelay, statsDelay } from "./pace.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("./session.js").Presence} Presence
 * @typedef {import("../state/messages.js").Range} Range
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

/** Where a sent message is stored, relative to its try: close to it, or later if Lambda retried. */
const STORED_WITHIN_MS = /** @type {const} */ ([[-60_000, 60_000], [60_000, 300_000]]);
/** Edited messages that a step reads again, each by a Query of its own. */
const EDITED_LIMIT = 4;
// sorts after the id itself and before every other id
const AFTER_ID = "!";
/** Every so many probes, one is of any channel; the others are of visited channels. */
const ANY_EVERY = 4;
/** While messages are pushed, one of so many probes reads a channel without news. */
const BLIND_EVERY = 8;
/** How many channels with news are read at once; the others wait for the next statistics. */
const NEWS_LIMIT = 4;
/** How long pages spread their readings after a notice, a push without content. */
const SPREAD_MS = 2_000;
/** How soon a channel that could not be read then is read again. */
const AGAIN_MS = 5_000;
/** How long what was sent may take to be pushed, before the page looks for it. */
const PUSHED_WITHIN_MS = 3_000;

/** @param {World} world @returns the reader of one presence: it starts without ETags */
export function createReading(world) {
  const { source, get, dispatch, clock } = world;
  /** @type {Map<string, string>} the ETag of each channel's last transcript */
  const etags = new Map();
  const due = { open: -Infinity, list: -Infinity, stats: -Infinity, probe: -Infinity };
  /** @type {Map<string, number>} channels whose transcripts have to be read, and when */
  const wanted = new Map();
  /** @type {Set<string>} those of them that no push can complete */
  const incomplete = new Set();
  /** @type {Set<string>} other channels with messages that have not been read, longest first */
  const changed = new Set();
  const etag = { list: "", stats: "" };
  /** @type {State["activity"] | undefined} the statistics as they were last read */
  let stats;
  /** how many messages were pushed to the open channel since then; at first it is read anyway */
  let told = Infinity;
  let failures = 0;
  let probes = 0;
  let blind = 0;
  /** the last channels that were probed, of the visited ones and of all */
  const probed = { visited: "", any: "" };
  /** @type {Set<string>} channels whose earlier messages are being read */
  const reaching = new Set();
  /** @type {Set<string>} tries that the table has been searched for */
  const searched = new Set();

  const pace = () => {
    const { online } = get();
    return { ...world.pace(), failures, online, live: isLive(), random: world.random() };
  };
  const isLive = () => get().push === "live";
  const isShown = () => get().panel === "activity";
  /** @param {string} channel @param {number} inMs */
  const want = (channel, inMs) => {
    wanted.set(channel, Math.min(clock() + inMs, wanted.get(channel) ?? Infinity));
  };
  const isWanted = (/** @type {string} */ channel) => (wanted.get(channel) ?? Infinity) <= clock();

  /** @param {string} channel is being read now */
  const taken = (channel) => {
    wanted.delete(channel);
    incomplete.delete(channel);
    changed.delete(channel);
  };

  /** Whether a message that was sent to the channel has not appeared. @param {string} channel */
  const awaits = (channel) =>
    get().outbox.some((item) => item.state === "sent" && item.channel === channel);

  /** Look for sent messages soon, should they not be pushed. */
  function expect() {
    if (!isLive()) return;
    for (const { state, channel } of get().outbox) {
      if (state === "sent") want(channel, PUSHED_WITHIN_MS);
    }
  }

  /** Poll once. It never throws. */
  async function step() {
    const presence = world.presence();
    if (!presence) return;
    const { channel } = get();
    if (!isLive() || clock() >= due.open || isWanted(channel)) {
      taken(channel);
      due.open = Infinity;
      try {
        await readWhole(presence, channel);
        if (presence.signal.aborted) return;
        failures = 0;
      } catch (error) {
        return failed(presence, error);
      } finally {
        // it may have become due meanwhile
        due.open = Math.min(due.open, clock() + pollDelay(pace()));
      }
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
   * Read a channel's transcript, what that lacks, and the messages that were sent or edited.
   * @param {Presence} presence @param {string} channel
   */
  async function readWhole(presence, channel) {
    await read(presence, channel, true);
    if (!presence.signal.aborted) await findSent(presence, channel);
    if (!presence.signal.aborted && channel === get().channel) await readEdited(presence, channel);
    if (presence.signal.aborted) return;
    dispatch(chat.polled(get(), channel, world.now()));
    expect();
  }

  /**
   * Read a transcript and, if `whole`, fill its gaps from the table. The state changes, and the ETag
   * is remembered, only when all of it has been read.
   * @param {Presence} presence @param {string} channel @param {boolean} [whole]
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
    const rows = (/** @type {Range} */ range, /** @type {number} */ limit) =>
      source.rows(presence, channel, range, limit);
    const reading = whole ? await fill(transcript, get(), channel, rows) : transcript;
    if (presence.signal.aborted) return;
    etags.set(channel, transcript.etag);
    dispatch(chat.received(get(), channel, reading, world.seen()));
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
    const { channel: open } = get();
    const time = clock();
    const other = [...wanted.keys()].find((name) => name !== open && isWanted(name));
    if (other) return readWanted(presence, other);
    if (time >= due.list) {
      due.list = time + listDelay(pace());
      return readList(presence);
    }
    if ((isLive() || isShown()) && time >= due.stats) {
      due.stats = time + statsDelay(pace(), isShown());
      return readStats(presence);
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

  /** Read the statistics, for the panel and for news of other channels. @param {Presence} presence */
  async function readStats(presence) {
    const read = await source.stats(presence, etag.stats);
    if (presence.signal.aborted) return;
    if (read) {
      etag.stats = read.etag;
      if (get().push !== "none") note(read.activity);
      stats = read.activity;
    }
    if (isShown()) dispatch(chat.withActivity(get(), stats ? aged(stats, world.now()) : null));
    if (isLive() && isUsed(pace())) wantNews();
  }

  /**
   * Note which channels have news: at first those that the person visits, since nothing is known of
   * them yet. What is counted can be read: transcripts are written before the statistics. The open
   * channel is read if more is counted than was pushed.
   * @param {State["activity"]} latest
   */
  function note(latest) {
    const counted = latest?.channels.map(({ name }) => name) ?? [];
    if (get().names.length < NAMES_LIMIT) dispatch(chat.withNames(get(), counted));
    const { names, visited, channel: open } = get();
    const news = busier(stats ?? null, latest);
    for (const name of stats === undefined ? visited : news.keys()) {
      if (name !== open && names.includes(name)) changed.add(name);
    }
    if ((news.get(open) ?? 0) > told) want(open, 0);
    told = 0;
  }

  /** Read some of the news at once. A channel that shows unread messages already waits for a probe. */
  function wantNews() {
    const isNews = (/** @type {string} */ name) =>
      !wanted.has(name) && !chat.channelOf(get(), name).unread;
    for (const name of [...changed].filter(isNews).slice(0, NEWS_LIMIT)) want(name, 0);
  }

  /**
   * Read another channel: one that a sent message should appear in, one with news, or the next in
   * turn.
   * @param {Presence} presence
   */
  async function probe(presence) {
    const { names, visited, channel: open, outbox } = get();
    const awaited = outbox.find(({ state, channel }) => state === "sent" && channel !== open);
    const busy = awaited?.channel ?? [...changed][0];
    if (busy) return readWanted(presence, busy);
    if (isLive() && ++blind % BLIND_EVERY) return;
    const next = ++probes % ANY_EVERY ? nextProbe(visited, open, probed.visited) : "";
    const channel = next || nextProbe(names, open, probed.any);
    if (!channel) return;
    probed[next ? "visited" : "any"] = channel;
    await readOther(presence, channel);
  }

  /** Read another channel, and again soon if it fails. @param {Presence} presence @param {string} channel */
  async function readWanted(presence, channel) {
    taken(channel);
    try {
      await readOther(presence, channel);
    } catch (error) {
      want(channel, AGAIN_MS);
      throw error;
    }
  }

  /**
   * Read a channel that is not open: all of it, if a sent message should appear there.
   * @param {Presence} presence @param {string} channel
   */
  async function readOther(presence, channel) {
    await (awaits(channel) ? readWhole : read)(presence, channel);
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

  /** @returns {number} milliseconds until the next step */
  function delay() {
    if (!isLive()) return pollDelay(pace());
    const others = get().names.length > 1 ? due.probe : Infinity;
    const next = Math.min(due.open, due.list, due.stats, others, ...wanted.values());
    return get().online ? Math.max(0, next - clock()) : Infinity;
  }

  return {
    step,
    reachBack,
    delay,
    /** Read the open channel at the next step. */
    dueNow() {
      const { channel } = get();
      due.open = -Infinity;
      told = 0;
      // it may have had a transcript meanwhile: the table is read again
      if (etags.get(channel) === NO_OBJECT) etags.delete(channel);
      // the rest was put off at the pace of before
      due.list = Math.min(due.list, clock() + listDelay(pace()));
      due.probe = Math.min(due.probe, clock() + probeDelay(pace()));
      due.stats = Math.min(due.stats, clock() + statsDelay(pace(), isShown()));
    },
    expect,
    /**
     * Merge what was pushed. A transcript is read if messages may be missing: the open channel's at
     * once; another channel's, and any channel's after a notice, at a random moment.
     * @param {import("../state.js").Push} push
     */
    pushed(push) {
      const { channel, notice } = push;
      if (channel === get().channel) told += push.messages.length;
      const { state, complete } = chat.pushed(get(), push, world.seen());
      dispatch(state);
      if (!complete) {
        incomplete.add(channel);
        const soon = channel === get().channel && !notice;
        want(channel, soon ? 0 : SPREAD_MS * world.random());
      } else if (!incomplete.has(channel) && !awaits(channel)) wanted.delete(channel);
    },
    /** Read the activity at the next step. */
    statsDueNow: () => void (due.stats = -Infinity),
    /** Forget earlier failures, since the network is back. */
    retry: () => void (failures = 0),
  };
}
