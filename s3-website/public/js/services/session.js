// Owns one person's presence: the token, its credentials, their renewal and their end. It must not call Google or
// touch the DOM: it notifies its listener.

import { explainRefusal, readClaims, renewsAt, userId } from "../aws/credentials.js";
import { explain, lacksKey, trouble } from "../aws/request.js";
import { backoff } from "./pace.js";
import { pause } from "./polling.js";

/**
 * @typedef {import("../aws/request.js").SignedFetch} SignedFetch
 * @typedef {import("../state.js").Person} Person
 * @typedef {import("../aws/request.js").Credentials} Credentials
 * @typedef {import("../aws/credentials.js").Claims} Claims
 * @typedef {{token: string, credentials: Credentials, signed: SignedFetch, startedAt: number,
 *   renewsAt: number, endsAt: number, tokenEndsAt: number, signal: AbortSignal}} Presence
 *   `signal` aborts when the presence ends, and so does every request of it
 * @typedef {"clicked" | "silent" | "shared"} Origin how a token arrived: from Google after a click,
 *   from Google without one, or from another tab of this browser
 * @typedef {{signingIn(): void, signedIn(person: Person, signal: AbortSignal, at: number): void,
 *   delayed(error: unknown): void, refused(why: string): void, renewalDue(): void,
 *   endsSoon(): void, ended(): void}} Listener `at`: ms since the epoch, by AWS's clock;
 *   `delayed`: the sign-in failed and is retried
 * @typedef {{nonce: string, now: () => number, awsNow: () => number, random: () => number,
 *   exchange: (token: string, signal: AbortSignal) => Promise<Credentials>,
 *   sign: (credentials: Credentials, signal: AbortSignal) => SignedFetch}} Options
 *   `awsNow` is the time by AWS's clock
 */

// a presence that AWS ends sooner than this is not renewed, or renewals could loop
const SETTLED_MS = 60_000;
const REQUEST_APART_MS = 60_000;
// if AWS lacks Google's key for longer than this, the token is not Google's
const KEY_WAIT_MS = 60_000;
const SECOND_MS = 1_000;

/** A token that the page itself refuses. The message is shown to the person. */
class Refusal extends Error {}

export class Session {
  #attempt = 0;
  #controller = new AbortController();
  /** @type {Presence | null} */
  #presence = null;
  /** @type {Claims | null} of the person whose messages are on screen, until leave() */
  #claims = null;
  /** @type {Claims | null} of the token that is being exchanged */
  #entering = null;
  #signedOut = false;
  /** @type {Set<string>} ids of people who signed out in another tab */
  #signedOutUsers = new Set();
  /** the token that has been exchanged a second time */
  #retriedToken = "";
  /** the token in use or being exchanged: Google may deliver it twice */
  #token = "";
  #endWait = () => {};
  #requestedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];

  /** @param {Options} options @param {Listener} listener */
  constructor(options, listener) {
    this.options = options;
    this.listener = listener;
  }

  /** @returns {Presence | null} null when nobody is signed in */
  get presence() {
    // timers do not run while a computer sleeps, so check the end here too
    if (this.#presence && this.options.now() >= this.#presence.endsAt) this.end();
    return this.#presence;
  }

  /**
   * Sign in, or renew a running presence. The last token wins: an answer for an earlier token, or
   * after a sign-out, is ignored.
   * @param {string} token @param {Origin} origin
   */
  async enter(token, origin = "clicked") {
    if (token === this.#token) return;
    let attempt = this.#attempt;
    try {
      const claims = readClaims(token);
      if (!this.#isWelcome(claims, origin)) return;
      attempt = this.#begin(token, claims);
      if (origin !== "shared") this.#check(claims);
      const tokenEndsAt = this.options.now() + this.#remainingMs(claims, origin);
      if (this.#signedOutUsers.size) await this.#checkSignedOut(claims, origin);
      if (attempt === this.#attempt) await this.#adopt(token, claims, attempt, tokenEndsAt);
    } catch (error) {
      this.#failed(error, attempt);
    }
  }

  /**
   * Catch up on overdue timers when the page is visible again, perhaps after a sleep. If the presence
   * has ended, request a renewal again, since Google may not have been able to show its prompt.
   */
  wake() {
    const { presence } = this;
    this.#endWait();
    const due = presence ? this.options.now() >= presence.renewsAt : this.#claims !== null;
    if (due) this.#requestRenewal();
  }

  /**
   * End the presence, because it expired or because AWS reports that it did. In the second case a
   * token that is still valid is exchanged once more.
   */
  end() {
    const presence = this.#presence;
    if (!presence) return;
    const now = this.options.now();
    const settled = now - presence.startedAt >= SETTLED_MS;
    const renewing = this.#isRenewing();
    if (!renewing) this.#token = "";
    this.#stop();
    this.listener.ended();
    if (renewing) this.listener.signingIn();
    else if (now < presence.endsAt && this.#retriedToken !== presence.token) {
      void this.#retry(presence, settled);
    } else if (settled) this.#requestRenewal();
  }

  /** @param {Presence} presence that AWS ended @param {boolean} settled */
  async #retry({ token, tokenEndsAt }, settled) {
    const claims = this.#claims;
    if (!claims) return;
    this.#retriedToken = token;
    const attempt = this.#begin(token, claims);
    try {
      await this.#adopt(token, claims, attempt, tokenEndsAt);
    } catch (error) {
      this.#failed(error, attempt);
      if (attempt === this.#attempt && settled) this.#requestRenewal();
    }
  }

  /** @param {string} token @param {Claims} claims @returns {number} the attempt */
  #begin(token, claims) {
    this.#token = token;
    this.#entering = claims;
    this.#attempt += 1;
    this.#endWait();
    this.listener.signingIn();
    return this.#attempt;
  }

  /** @param {unknown} error @param {number} attempt */
  #failed(error, attempt) {
    if (attempt !== this.#attempt) return;
    this.#token = this.#presence?.token ?? "";
    this.#entering = null;
    this.listener.refused(reason(error));
  }

  /**
   * Record that a person signed out in another tab.
   * @param {string} user their id
   * @returns {Promise<boolean>} whether they are signed in, or signing in, here
   */
  async signedOutElsewhere(user) {
    this.#signedOutUsers.add(user);
    const here = [this.#claims, this.#entering].filter((claims) => claims !== null);
    return (await Promise.all(here.map(userId))).includes(user);
  }

  /** Sign out. Nothing is kept, and answers to pending requests are ignored. */
  leave() {
    this.#attempt += 1;
    this.#signedOut = true;
    this.#claims = null;
    this.#entering = null;
    this.#token = "";
    this.#endWait();
    this.#stop();
  }

  /**
   * Decide whether to accept a token. Only a click can undo a sign-out or change the person. Another
   * tab's token can extend a presence, but never sign in.
   * @param {Claims} claims @param {Origin} origin
   */
  #isWelcome(claims, origin) {
    if (origin === "clicked") return true;
    const same = this.#claims?.subject === claims.subject;
    if (origin !== "shared") return !this.#signedOut && (same || !this.#claims);
    const later = claims.issuedAt > (this.#claims?.issuedAt ?? 0);
    return same && later && this.#remainingMs(claims, origin) > 0;
  }

  /**
   * A token from Google is new, so its whole lifetime remains, whatever this machine's clock shows. A
   * token from another tab may have waited for this tab to wake up; by then AWS's clock is known.
   * @param {Claims} claims @param {Origin} origin
   */
  #remainingMs({ lifetimeMs, expiresAt }, origin) {
    const left = origin === "shared" ? expiresAt - this.options.awsNow() : Infinity;
    return Math.min(lifetimeMs, left);
  }

  /** @param {Claims} claims @throws {Refusal} */
  #check({ nonce, lifetimeMs }) {
    // the nonce only keeps out another page's token; STS judges a token without one
    if (nonce && nonce !== this.options.nonce) {
      throw new Refusal("That sign-in was not made for this page.");
    }
    if (lifetimeMs <= 0) throw new Refusal("That sign-in has expired.");
  }

  /** @param {Claims} claims @param {Origin} origin @throws {Refusal} */
  async #checkSignedOut(claims, origin) {
    const user = await userId(claims);
    if (origin === "clicked") this.#signedOutUsers.delete(user);
    if (this.#signedOutUsers.has(user)) throw new Refusal("You signed out in another tab.");
  }

  /** @param {string} token @param {Claims} claims @param {number} attempt @param {number} tokenEndsAt */
  async #adopt(token, claims, attempt, tokenEndsAt) {
    const { now, sign } = this.options;
    const credentials = await this.#exchange(token, attempt, tokenEndsAt);
    const person = { name: claims.name, user: await userId(claims), picture: claims.picture };
    if (attempt !== this.#attempt) return;
    // answers to the previous person's requests must not count as this one's
    if (this.#claims && this.#claims.subject !== claims.subject) this.#stop();
    const [startedAt, endsAt] = [now(), Math.min(tokenEndsAt, credentials.endsAt)];
    const { signal } = this.#controller;
    const times = { startedAt, renewsAt: renewsAt(startedAt, endsAt), endsAt, tokenEndsAt };
    const signed = sign(credentials, signal);
    this.#presence = { token, credentials, signed, ...times, signal };
    this.#token = token;
    this.#claims = claims;
    this.#entering = null;
    this.#signedOut = false;
    this.#schedule(times);
    this.listener.signedIn(person, signal, this.#signedInAt(claims));
  }

  /**
   * Return when the person signed in. Nothing may have corrected this machine's clock yet, so it counts
   * only within the second that the token names.
   * @param {Claims} claims
   */
  #signedInAt({ issuedAt }) {
    return Math.min(Math.max(this.options.awsNow(), issuedAt), issuedAt + SECOND_MS);
  }

  /**
   * Exchange a token, and retry until it expires if the network fails or AWS is busy: Google gives a
   * new token without a click only now and then. A missing key is retried only briefly.
   * @param {string} token @param {number} attempt @param {number} tokenEndsAt
   */
  async #exchange(token, attempt, tokenEndsAt) {
    const { exchange, now, random } = this.options;
    let keyBy = Infinity;
    for (let failures = 1; ; failures++) {
      try {
        return await exchange(token, this.#controller.signal);
      } catch (error) {
        const waitMs = backoff(failures, random());
        const passes = ["busy", "offline"].includes(trouble(error));
        keyBy = lacksKey(error) ? Math.min(keyBy, now() + KEY_WAIT_MS) : Infinity;
        const isLast = !passes || now() + waitMs >= Math.min(tokenEndsAt, keyBy);
        if (isLast || attempt !== this.#attempt) throw error;
        // the polls of a running presence show by themselves whether it works
        if (!this.presence) this.listener.delayed(error);
        await this.#wait(waitMs);
        if (attempt !== this.#attempt) throw error;
      }
    }
  }

  /** Wait, at most until `#endWait` is called. @param {number} ms @returns {Promise<void>} */
  #wait(ms) {
    const { over, end } = pause(ms);
    this.#endWait = end;
    return over;
  }

  #isRenewing() {
    return this.#token !== (this.#presence?.token ?? "");
  }

  /** @param {{startedAt: number, renewsAt: number, endsAt: number}} times */
  #schedule({ startedAt, renewsAt, endsAt }) {
    // a silent renewal takes a moment; warn the person only if it fails
    const soon = renewsAt + (endsAt - renewsAt) / 5;
    this.#clearTimers();
    this.#timers = [
      setTimeout(() => this.#requestRenewal(), renewsAt - startedAt),
      setTimeout(() => this.#isRenewing() || this.listener.endsSoon(), soon - startedAt),
      setTimeout(() => this.end(), endsAt - startedAt),
    ];
  }

  /** Request a renewal, but not twice in a minute: a closed prompt must not reappear at once. */
  #requestRenewal() {
    const now = this.options.now();
    if (this.#isRenewing() || Math.abs(now - this.#requestedAt) < REQUEST_APART_MS) return;
    this.#requestedAt = now;
    this.listener.renewalDue();
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
  if (trouble(error) === "fault") reportError(error);
  return explainRefusal(error) || explain(error);
}
