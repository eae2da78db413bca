// Owns one person's presence: the token, the credentials it gave, their renewal and their end.
// It must not talk to Google or the DOM: it tells, and main.js acts.

import { explain } from "./aws.js";
import { explainRefusal, readClaims, renewsAt, userId } from "./credentials.js";

/**
 * @typedef {import("./aws.js").Credentials} Credentials
 * @typedef {import("./aws.js").SignedFetch} SignedFetch
 * @typedef {import("./chat.js").Person} Person
 * @typedef {{token: string, signed: SignedFetch, startedAt: number, endsAt: number,
 *   signal: AbortSignal}} Presence
 *   `signal` ends with the presence, and with it every request of it
 * @typedef {{signingIn(): void, signedIn(person: Person, signal: AbortSignal): void,
 *   refused(why: string): void, renewalDue(): void, endsSoon(): void, ended(): void}} Listener
 * @typedef {{nonce: string, now: () => number,
 *   exchange: (token: string, signal: AbortSignal) => Promise<Credentials>,
 *   sign: (credentials: Credentials, signal: AbortSignal) => SignedFetch}} Options
 */

// a presence that AWS ends sooner than this would only end again: no renewal in a circle
const SETTLED_MS = 60_000;

/** A token that the page itself turns down; the message is for the person. */
class Refusal extends Error {}

export class Session {
  #attempt = 0;
  #controller = new AbortController();
  /** @type {Presence | null} */
  #presence = null;
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];

  /** @param {Options} options @param {Listener} tell */
  constructor(options, tell) {
    this.options = options;
    this.tell = tell;
  }

  /** @returns {Presence | null} null when nobody is signed in, or no longer */
  get presence() {
    // a timer does not run while a computer sleeps, so the end is looked at here too
    if (this.#presence && this.options.now() >= this.#presence.endsAt) this.end();
    return this.#presence;
  }

  /**
   * Sign in, or renew a presence that still runs. The last token wins: what comes back for an
   * earlier one, or after a sign-out, is dropped.
   * @param {string} token
   */
  async enter(token) {
    const attempt = ++this.#attempt;
    this.tell.signingIn();
    try {
      const entered = await this.#exchange(token);
      if (attempt === this.#attempt) this.#adopt(token, entered);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.tell.refused(reason(error));
    }
  }

  /** The token or the credentials have ended, or AWS says so. */
  end() {
    if (!this.#presence) return;
    const settled = this.options.now() - this.#presence.startedAt >= SETTLED_MS;
    this.#stop();
    this.tell.ended();
    if (settled) this.tell.renewalDue();
  }

  /** Sign out: nothing is kept, nothing that is under way comes back. */
  leave() {
    this.#attempt += 1;
    this.#stop();
  }

  /** @param {string} token */
  async #exchange(token) {
    const { exchange, nonce, now } = this.options;
    const claims = readClaims(token);
    // a token without one is as good as STS finds it: the nonce only keeps another page's out
    if (claims.nonce && claims.nonce !== nonce) throw new Refusal("That sign-in was not made for this page.");
    if (claims.lifetimeMs <= 0) throw new Refusal("That sign-in has ended already.");
    const tokenEndsAt = now() + claims.lifetimeMs;
    const credentials = await exchange(token, this.#controller.signal);
    const person = { name: claims.name, user: await userId(claims) };
    return { person, credentials, endsAt: Math.min(tokenEndsAt, credentials.endsAt) };
  }

  /**
   * @param {string} token
   * @param {{person: Person, credentials: Credentials, endsAt: number}} entered
   */
  #adopt(token, { person, credentials, endsAt }) {
    const { signal } = this.#controller;
    const signed = this.options.sign(credentials, signal);
    this.#presence = { token, signed, startedAt: this.options.now(), endsAt, signal };
    this.#schedule(endsAt);
    this.tell.signedIn(person, signal);
  }

  /** @param {number} endsAt */
  #schedule(endsAt) {
    const now = this.options.now();
    const renewal = renewsAt(now, endsAt);
    // a silent renewal takes a moment; only when it fails is the person told
    const soon = renewal + (endsAt - renewal) / 5;
    this.#clearTimers();
    this.#timers = [
      setTimeout(() => this.tell.renewalDue(), renewal - now),
      setTimeout(() => this.tell.endsSoon(), soon - now),
      setTimeout(() => this.end(), endsAt - now),
    ];
  }

  #stop() {
    this.#clearTimers();
    this.#presence = null;
    this.#controller.abort();
    this.#controller = new AbortController();
  }

  #clearTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }
}

/** @param {unknown} error @returns {string} */
function reason(error) {
  if (error instanceof Refusal) return `${error.message} Sign in again.`;
  return explainRefusal(error) || explain(error);
}
