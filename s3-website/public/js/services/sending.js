// Publishes the outbox: one message at a time, in order, within the rate limit, with retries where they can help.
// It must not touch the DOM or choose the next message: outbox.js does.

import { explain, trouble } from "../aws/request.js";
import { withOutbox } from "../state/chat.js";
import * as outbox from "../state/outbox.js";
import { backoff } from "./pace.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("./session.js").Presence} Presence
 * @typedef {{
 *   get: () => State, dispatch: (next: State) => void, presence: () => Presence | null,
 *   publish: (presence: Presence, outgoing: Outgoing) => Promise<void>,
 *   onSent: () => void, onEnded: () => void, rate: outbox.Rate,
 *   now: () => number, clock: () => number, random: () => number,
 *   after: (ms: number, act: () => void) => () => void,
 *   store: Pick<import("./storage.js").Store, "sentTimes" | "saveSentTimes">,
 * }} World `now`: the time of day by AWS's clock; `clock`: monotonic; `after`: returns a function
 *   that cancels it; `store`: shared with the person's other tabs
 */

const SLOW_MS = 3_000;
// at least two minutes of retries: most faults of AWS pass within that
const TRIES = 12;
const PASSING = ["busy", "clock", "offline"];

/** @param {World} world @returns {() => void} sends what can be sent; safe to call at any time */
export function createSending(world) {
  const { get, dispatch, rate, now, clock, store } = world;
  let busy = false;
  let failures = 0;
  let tries = 0;
  let reachable = true;
  let notBefore = -Infinity;
  let cancelHold = () => {};
  /** @type {number[]} when this tab's last messages were sent, by the monotonic clock */
  let times = [];

  /** @param {readonly Outgoing[]} queue */
  const show = (queue) => dispatch(withOutbox(get(), queue));

  function pump() {
    const { online, trouble: unreachable } = get();
    // the connection is back: send at once
    if (!reachable && online && !unreachable) notBefore = -Infinity;
    reachable = online && !unreachable;
    const item = outbox.next(get().outbox);
    const presence = world.presence();
    if (busy || !item || !presence || get().phase !== "connected" || !online) return;
    const tooFast = Math.max(outbox.holdMs(times, clock(), rate), sharedHoldMs());
    const wait = Math.max(tooFast, notBefore - clock());
    if (wait > 0) return hold(item, wait, tooFast);
    cancelHold();
    busy = true;
    void attempt(item, presence).finally(() => {
      busy = false;
      pump();
    });
  }

  /** @returns {number} ms until the rate limit, counted over all tabs, allows the next message */
  function sharedHoldMs() {
    const time = now();
    const from = time - rate.seconds * 1000;
    const shared = store.sentTimes(get().person?.user ?? "");
    return outbox.holdMs(shared.filter((sentAt) => sentAt > from && sentAt <= time), time, rate);
  }

  /** @param {Outgoing} item @param {number} wait @param {number} tooFast */
  function hold(item, wait, tooFast) {
    cancelHold();
    cancelHold = world.after(Math.min(wait, 1_000), pump);
    const seconds = Math.ceil(tooFast / 1_000);
    const why = `Too fast: sending in ${seconds} s`;
    if (seconds) show(outbox.waiting(get().outbox, item.clientId, why));
  }

  /** @param {Outgoing} item @param {Presence} presence */
  async function attempt(item, presence) {
    const { clientId } = item;
    const user = get().person?.user ?? "";
    // saved before the answer, so that other tabs count this message too
    const begun = now();
    store.saveSentTimes(user, [...store.sentTimes(user), begun]);
    /** @type {number[]} */
    let sent = [];
    show(outbox.started(get().outbox, clientId));
    const cancelSlow = world.after(SLOW_MS, () => show(outbox.slow(get().outbox, clientId)));
    try {
      await world.publish(presence, item);
      failures = tries = 0;
      times = [...times, clock()].slice(-rate.messages);
      sent = [now()];
      show(outbox.accepted(get().outbox, clientId, now()));
      world.onSent();
    } catch (error) {
      show(afterError(clientId, error, presence.signal.aborted));
      if (!presence.signal.aborted && trouble(error) === "ended") world.onEnded();
    } finally {
      cancelSlow();
      const others = store.sentTimes(user);
      others.splice(others.indexOf(begun) >>> 0, 1);
      store.saveSentTimes(user, [...others, ...sent]);
    }
  }

  /**
   * Return the outbox after a message could not be sent.
   * @param {string} clientId @param {unknown} error @param {boolean} hasEnded the session has ended
   */
  function afterError(clientId, error, hasEnded) {
    const queue = get().outbox;
    const kind = trouble(error);
    if (hasEnded || kind === "ended") return outbox.waiting(queue, clientId, "");
    if (kind === "fault") reportError(error);
    if (!PASSING.includes(kind)) return outbox.failed(queue, clientId, explain(error));
    failures += 1;
    // tries count only while the chat can be reached
    if (get().online && !get().trouble) tries += 1;
    if (tries >= TRIES) {
      failures = tries = 0;
      return outbox.failed(queue, clientId, explain(error));
    }
    notBefore = clock() + backoff(failures, world.random());
    return outbox.waiting(queue, clientId, "Not sent yet. Trying again.");
  }

  return pump;
}

/** @param {number} ms @param {() => void} act @returns {() => void} cancels it */
export function after(ms, act) {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}
