// Owns the way of a text to SNS. From the text box, a draft or a message being edited, to the outbox, in
// pure functions; from there one message at a time, in order, no faster than the chat takes them, and
// again when that may help. It must not touch the DOM, nor decide what is next: outbox.js does.

import { backoff, explain, readError, trouble } from "../aws/request.js";
import { channelOf, noticed, withChannel, withOutbox } from "../state/chat.js";
import { isChangeable } from "../state/messages.js";
import * as outbox from "../state/outbox.js";
import { TEXT_LIMIT } from "../state/outbox.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Channel} Channel
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("./session.js").Presence} Presence
 * @typedef {import("../aws/request.js").SignedFetch} SignedFetch
 * @typedef {{
 *   get: () => State, dispatch: (next: State) => void, presence: () => Presence | null,
 *   publish: (presence: Presence, outgoing: Outgoing) => Promise<void>,
 *   onSent: () => void, onEnded: () => void, rate: outbox.Rate,
 *   now: () => number, clock: () => number, random: () => number,
 *   after: (ms: number, act: () => void) => () => void,
 *   store: Pick<import("./storage.js").Store, "sentTimes" | "saveSentTimes">,
 * }} World `now` is the time of day by AWS's clock, `clock` one that never jumps; `after` answers a function that
 *   calls it off; `store` is shared with the person's other tabs
 */

export const TOO_LATE = "Too late: a message can be changed for 15 minutes.";
const TOO_LONG = `Too long: at most ${TEXT_LIMIT} characters. Shorten it, or send it in parts.`;
const NEAR = `Near the limit of ${TEXT_LIMIT} characters.`;
const OVER = `Over the limit of ${TEXT_LIMIT} characters.`;
/** As much is in the text box at most, in UTF-16 units: with a megabyte a browser stands still. */
export const BOX_LIMIT = 20_000;
const FULL_BOX = `Only the first ${BOX_LIMIT} characters fit here.`;
const FULL = `${outbox.OUTBOX_LIMIT} messages wait already. Your text is kept: send it later.`;
const SLOW_MS = 3_000;
// two minutes at the least: a fault of AWS passes by itself
const TRIES = 12;
const PASSING = ["busy", "clock", "offline"];

/** @param {State} state @param {string} text @returns {State} the text in the box is this */
export function drafted(state, text) {
  const { editing } = channelOf(state);
  const change = editing ? { editing: { ...editing, text } } : { draft: text };
  const next = withChannel(state, state.channel, change);
  if (text.length >= BOX_LIMIT) return noticed(next, FULL_BOX);
  const told = next.notice === TOO_LONG || next.notice === FULL_BOX;
  return told && !isTooLong(next) ? noticed(next, "") : next;
}

/** @param {State} state @returns {string} what is in the text box */
export function written(state) {
  const { editing, draft } = channelOf(state);
  return editing ? editing.text : draft;
}

/**
 * A message of one's own goes to the text box; what is in the box waits.
 * @param {State} state @param {string} id @param {number} awsNow @returns {State}
 */
export function editing(state, id, awsNow) {
  if (!isChangeable(id, awsNow)) return noticed(state, TOO_LATE);
  const message = channelOf(state).messages.find((one) => one.id === id && !one.deleted);
  return message ? withChannel(state, state.channel, { editing: { id, text: message.text } }) : state;
}

/** @param {State} state @returns {State} the draft is in the text box again */
export function editingEnded(state) {
  return withChannel(state, state.channel, { editing: null });
}

/**
 * @param {State} state @param {number} awsNow ms since the epoch, by AWS's clock
 * @returns {boolean} whether what is being edited cannot be changed any more
 */
export function isTooLate(state, awsNow) {
  const { editing } = channelOf(state);
  return !!editing && !isChangeable(editing.id, awsNow);
}

/**
 * Whether the text in the box may go to the outbox: also while offline, or while the sign-in is
 * renewed; it waits there.
 * @param {State} state @returns {boolean}
 */
export function canSend(state) {
  return state.person !== null && outbox.isSendable(written(state));
}

/** @param {State} state @returns {boolean} to send it tells so */
export function isTooLong(state) {
  return state.person !== null && outbox.lengthOf(written(state).trim()) > TEXT_LIMIT;
}

/**
 * @param {State} state
 * @returns {{count: string, step: string}} near and over the limit, else "": how many characters
 *   there are; and what is heard, which does not change with each of them
 */
export function counter(state) {
  const length = outbox.lengthOf(written(state).trim());
  if (length <= TEXT_LIMIT * 0.9) return { count: "", step: "" };
  return { count: `${length} / ${TEXT_LIMIT}`, step: length > TEXT_LIMIT ? OVER : NEAR };
}

/**
 * The text in the box goes to the outbox, as a message or as an edit.
 * @param {State} state @param {string} clientId @param {number} now by AWS's clock
 * @returns {State}
 */
export function sent(state, clientId, now) {
  if (isTooLong(state)) return noticed(state, TOO_LONG);
  if (!canSend(state) || isTooLate(state, now)) return state;
  const { editing, messages } = channelOf(state);
  const text = written(state);
  if (!editing) return queuedUp(state, { clientId, text }, now, { draft: "", divider: "" });
  const as = messages.find(({ id }) => id === editing.id)?.text;
  if (as === text.trim()) return editingEnded(state);
  const edit = /** @type {const} */ ({ clientId, text, action: "edit", target: editing.id });
  return queuedUp(state, edit, now, { editing: null });
}

/**
 * A message of one's own is to be deleted.
 * @param {State} state @param {string} target @param {string} clientId
 * @param {number} now by AWS's clock
 * @returns {State}
 */
export function deleted(state, target, clientId, now) {
  if (!isChangeable(target, now)) return noticed(state, TOO_LATE);
  const { editing } = channelOf(state);
  const after = { editing: editing?.id === target ? null : editing };
  return queuedUp(state, { clientId, text: "", action: "delete", target }, now, after);
}

/**
 * @param {State} state @param {Omit<Parameters<typeof outbox.queued>[1], "channel">} what
 * @param {number} now @param {Partial<Channel>} after what becomes of the open channel
 */
function queuedUp(state, what, now, after) {
  const { channel } = state;
  const queue = outbox.queued(state.outbox, { ...what, channel }, now);
  if (queue === state.outbox) return { ...state, notice: FULL };
  return { ...withChannel(state, channel, after), outbox: queue, notice: "" };
}

/** @param {World} world @returns {() => void} sends what can be sent; to be called at any time */
export function createSending(world) {
  const { get, dispatch, presence, rate, now, clock, store } = world;
  let busy = false;
  let failures = 0;
  let tries = 0;
  let reachable = true;
  let notBefore = -Infinity;
  let callOff = () => {};
  /** @type {number[]} when this tab's last messages went out: no clock that is set changes these */
  let times = [];

  /** @param {readonly Outgoing[]} queue */
  const show = (queue) => dispatch(withOutbox(get(), queue));

  function pump() {
    const { online, trouble: unreachable } = get();
    // the link is back: what waited for it goes at once
    if (!reachable && online && !unreachable) notBefore = -Infinity;
    reachable = online && !unreachable;
    const item = outbox.next(get().outbox);
    const here = presence();
    if (busy || !item || !here || get().phase !== "connected" || !online) return;
    const tooFast = Math.max(outbox.holdMs(times, clock(), rate), sharedHoldMs());
    const wait = Math.max(tooFast, notBefore - clock());
    if (wait > 0) return hold(item, wait, tooFast);
    callOff();
    busy = true;
    void attempt(item, here).finally(() => {
      busy = false;
      pump();
    });
  }

  /** @returns {number} how long the messages of all tabs hold the next one back */
  function sharedHoldMs() {
    const time = now();
    const from = time - rate.seconds * 1000;
    const all = store.sentTimes(get().person?.user ?? "");
    return outbox.holdMs(all.filter((one) => one > from && one <= time), time, rate);
  }

  /** @param {Outgoing} item @param {number} wait @param {number} tooFast */
  function hold(item, wait, tooFast) {
    callOff();
    callOff = world.after(Math.min(wait, 1_000), pump);
    const seconds = Math.ceil(tooFast / 1_000);
    const why = `Too fast: goes out in ${seconds} s`;
    if (seconds) show(outbox.waiting(get().outbox, item.clientId, why));
  }

  /** @param {Outgoing} item @param {Presence} here */
  async function attempt(item, here) {
    const { clientId } = item;
    const user = get().person?.user ?? "";
    // another tab must know of it before it is answered; it counts from then on
    const begun = now();
    store.saveSentTimes(user, [...store.sentTimes(user), begun]);
    /** @type {number[]} */
    let out = [];
    show(outbox.started(get().outbox, clientId));
    const calm = world.after(SLOW_MS, () => show(outbox.slow(get().outbox, clientId)));
    try {
      await world.publish(here, item);
      failures = tries = 0;
      times = [...times, clock()].slice(-rate.messages);
      out = [now()];
      show(outbox.accepted(get().outbox, clientId, now()));
      world.onSent();
    } catch (error) {
      show(missed(clientId, error, here.signal.aborted));
      if (!here.signal.aborted && trouble(error) === "ended") world.onEnded();
    } finally {
      calm();
      const others = store.sentTimes(user);
      others.splice(others.indexOf(begun) >>> 0, 1);
      store.saveSentTimes(user, [...others, ...out]);
    }
  }

  /**
   * What becomes of a message that did not go out.
   * @param {string} clientId @param {unknown} error @param {boolean} over the session has ended
   */
  function missed(clientId, error, over) {
    const queue = get().outbox;
    const kind = trouble(error);
    if (over || kind === "ended") return outbox.waiting(queue, clientId, "");
    if (kind === "fault") reportError(error);
    if (!PASSING.includes(kind)) return outbox.failed(queue, clientId, explain(error));
    failures += 1;
    // while nothing can be reached at all, it waits for as long as that lasts
    if (get().online && !get().trouble) tries += 1;
    if (tries >= TRIES) {
      failures = tries = 0;
      return outbox.failed(queue, clientId, explain(error));
    }
    notBefore = clock() + backoff(failures, world.random());
    return outbox.waiting(queue, clientId, "Not sent yet: it is tried again.");
  }

  return pump;
}

/** @param {number} ms @param {() => void} act @returns {() => void} calls it off */
export function after(ms, act) {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/**
 * Publish one message, or a change of one. Sent twice with the same clientId, it is shown once.
 * @param {SignedFetch} signed @param {import("../../config.js").Config} config
 * @param {Pick<Outgoing, "text" | "channel" | "clientId" | "action" | "target">} outgoing
 * @param {string} token the sender's ID token, for store_message to verify
 * @throws {import("../aws/request.js").AwsError} if SNS refuses it
 */
export async function publish(signed, config, { text, channel, clientId, action, target }, token) {
  const change = action && { action, id: target };
  const message = action === "delete" ? undefined : text;
  const body = new URLSearchParams({
    Action: "Publish",
    Version: "2010-03-31",
    TopicArn: config.topicArn,
    Message: JSON.stringify({ ...change, message, channel, client_id: clientId }),
    "MessageAttributes.entry.1.Name": "id_token",
    "MessageAttributes.entry.1.Value.DataType": "String",
    "MessageAttributes.entry.1.Value.StringValue": token,
  });
  const response = await signed("sns", config.endpoints.sns, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: body.toString(),
  });
  if (!response.ok) throw await readError(response);
  await response.text();
}

/**
 * Make client ids: unique, in the order of time, at most 64 safe characters.
 * @param {() => number} now milliseconds since the epoch
 * @param {() => string} random eight or more hex digits
 * @returns {() => string}
 */
export function clientIds(now, random) {
  let last = 0;
  return () => {
    // never the same twice and never backwards, even when the clock is set back
    last = Math.max(now(), last + 1);
    return `${last.toString(36).padStart(9, "0")}-${random()}`;
  };
}
