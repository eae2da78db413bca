// Keeps one presence connected to the push broker: when to connect, to wait and to close. It must not know what a
// push changes.

import { readPush } from "../aws/pushes.js";
import { backoff } from "./pace.js";
import { startPolling } from "./polling.js";

/**
 * @typedef {import("../aws/broker.js").Signer} Signer
 * @typedef {import("../aws/broker.js").Subscription} Subscription
 * @typedef {import("../aws/pushes.js").Push} Push
 * @typedef {NonNullable<import("../config.js").Config["push"]>} Config
 * @typedef {{config: Config, signer: () => Signer | null, stamp: () => string, clock: () => number,
 *   random: () => number, newId: () => string, channel: () => string,
 *   page: Pick<Window, "addEventListener">,
 *   open?: (url: string) => WebSocket}} Options
 *   `signer`: signs with the credentials of this moment; `stamp`: the time for a signature, by AWS's
 *   clock; `clock`: monotonic milliseconds; `page`: the window
 * @typedef {{onLive(live: boolean): void, onPush(push: Push): void}} Listener
 *   `onLive`: whether pushes arrive, which they do not at first; again with true whenever they come
 *   from another channel
 */

/** After a shorter time on line the next waits still grow: a broker in trouble is not flooded. */
const SETTLED_MS = 60_000;
// the browser ends or freezes the page, perhaps only for a while
const SUSPENDING = ["pagehide", "freeze"];
const RESUMING = ["pageshow", "resume", "online"];
// the network may be another one, or timers may have slept
const WAKING = ["offline", "visibilitychange"];

/**
 * Stay connected until the signal aborts. After a loss or a refusal it connects again, for ever: the
 * waits grow with each failure and vary, and each connection is signed with the credentials of its
 * moment.
 * @param {Options} options @param {Listener} listener
 * @param {AbortSignal} signal of the presence
 * @returns {{follow(): void}} `follow`: listen to the channel that is open now
 */
export function startPushing(options, { onLive, onPush }, signal) {
  const { config, signer, stamp, clock, random, newId, page, channel } = options;
  let failures = 0;
  let suspended = false;
  let waiting = false;
  /** @type {Subscription | undefined} */
  let subscription;

  /** @param {() => void} onAccepted the broker has accepted a subscription */
  async function connect(onAccepted) {
    if (suspended) return;
    // loaded here: a file that does not arrive is a failure like that of a connection
    const broker = await import("../aws/broker.js");
    const current = signer();
    const url = current && (await broker.presign(current, config.url, stamp()));
    if (!url || suspended) return;
    const socket = (options.open ?? broker.openSocket)(url);
    const clientId = `${config.clients}${newId()}`;
    const names = { topics: config.topics, channel: channel(), clientId };
    subscription = new broker.Subscription(socket, names, { onLive: onAccepted, onMessage });
    await subscription.over;
  }

  /** @param {string} name @param {Uint8Array} payload */
  function onMessage(name, payload) {
    const push = readPush(name, payload);
    if (push) onPush(push);
  }

  async function step() {
    let liveAt = Infinity;
    waiting = false;
    try {
      await connect(() => {
        liveAt = Math.min(liveAt, clock());
        onLive(true);
      });
    } finally {
      waiting = true;
      failures = clock() - liveAt >= SETTLED_MS ? 0 : failures + 1;
      if (liveAt < Infinity) onLive(false);
    }
  }

  const delay = () => (suspended ? Infinity : backoff(failures, random()));
  const retry = startPolling(step, delay, signal);
  const wake = () => (waiting ? retry() : subscription?.check());

  function suspend() {
    suspended = true;
    subscription?.end();
  }

  function resume() {
    suspended = false;
    failures = 0;
    wake();
  }

  /** @param {string[]} events @param {() => void} act */
  function on(events, act) {
    // events of the document reach the window only while they are captured
    for (const event of events) page.addEventListener(event, act, { capture: true, signal });
  }

  on(SUSPENDING, suspend);
  on(RESUMING, resume);
  on(WAKING, wake);
  signal.addEventListener("abort", suspend, { once: true });
  return { follow: () => subscription?.follow(channel()) };
}
