// Wiring only: events to chat.js, its state to the view, the services to each other.

import config from "../config.js";
import { AwsClient } from "../vendor/aws4fetch.js";
import { Clock, explain, signedFetch, trouble } from "./aws.js";
import * as chat from "./chat.js";
import { assumeRole } from "./credentials.js";
import { readBetween } from "./history.js";
import { gap } from "./messages.js";
import { clientIds, publish } from "./publish.js";
import { Session } from "./session.js";
import { forget, loadGoogle, offerSignIn, renew } from "./signin.js";
import { pollDelay, readTranscript, startPolling, transcriptUrl } from "./transcript.js";
import { createView } from "./view.js";

const CHANNEL = "default";

const clock = new Clock(Date.now);
const nextClientId = clientIds(Date.now, () => crypto.randomUUID().slice(0, 8));
const nonce = crypto.randomUUID();
/** @type {Map<string, string>} what S3 called the last transcript of each channel */
const etags = new Map();
/** @type {GoogleAccountsId | undefined} */
let google;
/** @type {AbortSignal | undefined} of the presence that is being polled for */
let polling;
let state = chat.initial(CHANNEL);
let failures = 0;
let sentAt = -Infinity;
let pollNow = () => {};

const view = createView(document, {
  onDraft: (draft) => dispatch(chat.drafted(state, draft)),
  onSend: send,
  onSignOut: signOut,
});

const session = new Session(
  {
    nonce,
    now: Date.now,
    exchange: (token, signal) => assumeRole(config, token, signal, Date.now),
    sign: (credentials, signal) =>
      signedFetch(new AwsClient({ ...credentials, region: config.region }), clock, signal),
  },
  {
    signingIn: () => dispatch(chat.signingIn(state)),
    signedIn: (person, signal) => {
      dispatch(chat.signedIn(state, person));
      poll(signal);
    },
    refused: (why) => dispatch(chat.signInFailed(state, why)),
    renewalDue: () => google && renew(google),
    endsSoon: () => dispatch(chat.signInEndsSoon(state)),
    ended: () => dispatch(chat.signInEnded(state)),
  },
);

/** @param {chat.State} next */
function dispatch(next) {
  if (next === state) return;
  state = next;
  view.update(state);
}

/** @param {AbortSignal} signal a renewal keeps the signal, and so the one loop that runs */
function poll(signal) {
  if (polling === signal) return;
  polling = signal;
  const delay = () =>
    pollDelay({ failures, sinceSendMs: Date.now() - sentAt, random: Math.random() });
  pollNow = startPolling(pollOnce, delay, signal);
}

async function pollOnce() {
  const { presence } = session;
  if (!presence) return;
  try {
    await read(presence, state.channel);
    if (presence.signal.aborted) return;
    failures = 0;
    dispatch(chat.polled(state, Date.now()));
  } catch (error) {
    if (presence.signal.aborted) return;
    if (trouble(error) === "ended") return session.end();
    failures += 1;
    dispatch(chat.pollFailed(state, explain(error)));
  }
}

/**
 * Read a transcript and what is missing before it; only both together are shown and remembered.
 * @param {import("./session.js").Presence} presence @param {string} channel
 */
async function read({ signed, signal }, channel) {
  const url = transcriptUrl(config.dataPrefix, channel, document.baseURI);
  const transcript = await readTranscript(signed, url, etags.get(channel) ?? "");
  if (!transcript || signal.aborted) return;
  const missing = gap(chat.channelOf(state, channel).messages, transcript.messages);
  const before = missing ? await readBetween(signed, config, channel, missing) : [];
  if (signal.aborted) return;
  etags.set(channel, transcript.etag);
  dispatch(chat.received(state, channel, [...before, ...transcript.messages]));
}

async function send() {
  const { presence } = session;
  if (!presence || !chat.canSend(state)) return;
  dispatch(chat.sendStarted(state, nextClientId()));
  const { sending } = state;
  if (!sending) return;
  const outgoing = { message: sending.text, ...sending };
  try {
    await publish(presence.signed, config, outgoing, presence.token);
    if (presence.signal.aborted) return;
    sentAt = Date.now();
    dispatch(chat.sendDone(state, sentAt));
    pollNow();
  } catch (error) {
    if (presence.signal.aborted) return;
    dispatch(chat.sendFailed(state, explain(error)));
    if (trouble(error) === "ended") session.end();
  }
}

function signOut() {
  if (google) forget(google);
  session.leave();
  etags.clear();
  failures = 0;
  dispatch(chat.signedOut(state));
}

loadGoogle(window, view.googleScript).then(
  (loaded) => {
    google = loaded;
    dispatch(chat.signInReady(state));
    offerSignIn(loaded, {
      clientId: config.googleClientId,
      nonce,
      slot: view.signInSlot,
      dark: matchMedia("(prefers-color-scheme: dark)").matches,
      onToken: (token) => void session.enter(token),
    });
  },
  (/** @type {Error} */ error) => dispatch(chat.signInFailed(state, error.message)),
);

addEventListener("online", () => pollNow());
// a browser slows a hidden page's timers down
document.addEventListener("visibilitychange", () => document.hidden || pollNow());
view.update(state);
