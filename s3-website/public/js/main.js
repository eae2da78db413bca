// Connects events, services, the state and the view. It must not decide anything: state/ does.

import { AwsClient } from "aws4fetch";
import { assumeRole } from "./aws/credentials.js";
import { clientIds, publish } from "./aws/publish.js";
import { Clock, explain, isOffline, signedFetch } from "./aws/request.js";
import { createSource } from "./aws/source.js";
import { createAlerts } from "./services/alerts.js";
import { createAttention } from "./services/attention.js";
import * as google from "./services/google.js";
import { createKeeper } from "./services/keeper.js";
import { createNotifier, NOT_ALLOWED } from "./services/notifier.js";
import { IDLE_AFTER_MS } from "./services/pace.js";
import { startPolling } from "./services/polling.js";
import { startPushing } from "./services/pushing.js";
import { createReading } from "./services/reading.js";
import { after, createSending } from "./services/sending.js";
import { Session } from "./services/session.js";
import { createStorage } from "./services/storage.js";
import { claimTab, joinTabs, locksOf } from "./services/tabs.js";
import { channelInHash, DEFAULT_CHANNEL } from "./state/channel_names.js";
import * as chat from "./state/chat.js";
import * as draft from "./state/draft.js";
import { discarded, OUTBOX_LIMIT, retried } from "./state/outbox.js";
import { createView } from "./view/page.js";

/** @typedef {chat.State} State */

const ADOPT_EVERY_MS = 30_000;
// while the browser reports being offline, input after a short pause makes the page try anyway
const OFFLINE_IDLE_MS = 2_000;

/** @type {import("./config.js").Config} this deployment's values */
const config = JSON.parse(document.querySelector("meta[name=config]")?.getAttribute("content") ?? "");
const now = Date.now;
const clock = () => performance.now();
const { random } = Math;
const awsClock = new Clock(now);
const awsNow = () => awsClock.time();
const newId = () => crypto.randomUUID();
const nextClientId = clientIds(awsNow, () => newId().slice(0, 8));
const nonce = newId();

/** @param {import("./aws/request.js").Credentials} credentials */
const signerOf = (credentials) => new AwsClient({ ...credentials, region: config.region });

let tab = "";
/** @type {GoogleAccountsId | undefined} */
let accounts;
/** @type {AbortSignal | undefined} of the presence that the polling loop serves */
let polling;
/** Takes the loop's next step, which may find nothing due. */
let wake = () => {};
/** @type {ReturnType<typeof startPushing> | undefined} */
let pushing;
let sentAt = -Infinity;
let atEnd = true;

const storage = createStorage(() => localStorage, config.bucket);
const locks = locksOf(navigator);
const keeper = createKeeper({ store: storage, locks, tab: () => tab });
const tabReady = claimTab(locks, () => sessionStorage, newId).then((id) => (tab = id));
const address = channelInHash(location.hash);
const start = address.name || (address.why ? "" : storage.channel()) || DEFAULT_CHANNEL;
/** @type {State} */
let state = chat.withNotice(chat.initial(start, storage.settings()), address.why);

const notifier = createNotifier(window, { onOpen: open });
const attention = createAttention(document, clock, {
  onReturn,
  onInput(idleMs) {
    if (state.settings.sound) notifier.allowSound();
    if (idleMs > (state.online ? IDLE_AFTER_MS : OFFLINE_IDLE_MS)) pollNow();
  },
});
const raiseAlerts = createAlerts({
  notifier,
  hidden: () => document.hidden,
  seen: isSeen,
  onNews: () => attention.keepActive(),
});
const view = createView(document, {
  onDraft: (text) => dispatch(draft.drafted(state, text)),
  onSend: send,
  onSignOut: signOut,
  onRetry: (id) => dispatch(chat.withOutbox(state, retried(state.outbox, id, awsNow()))),
  onDiscard: (id) => dispatch(chat.withOutbox(state, discarded(state.outbox, id))),
  onEdit: (id) => dispatch(draft.editing(state, id, awsNow())),
  onCancelEdit: () => dispatch(draft.editingEnded(state)),
  onDelete: (id) => dispatch(draft.deleted(state, id, nextClientId(), awsNow())),
  onChannel: open,
  onPanel(panel) {
    dispatch(chat.withPanel(state, panel));
    if (panel !== "activity") return;
    reading.statsDueNow();
    wake();
  },
  onReachTop: () => void reading.reachBack(),
  onAtEnd(reached) {
    atEnd = reached;
    markSeen();
  },
  onTheme(theme) {
    dispatch(chat.withSettings(state, { theme }));
    if (accounts) google.showButton(accounts, view.signInSlot, view.isDark());
  },
  onNotifications: (wanted) => void notify(wanted),
  onSound(sound) {
    if (sound) notifier.allowSound();
    dispatch(chat.withSettings(state, { sound }));
  },
}, awsNow);

const session = new Session(
  {
    nonce,
    now,
    awsNow,
    random,
    exchange: (token, signal) => assumeRole(config, token, signal, now),
    sign: (credentials, signal) =>
      signedFetch(signerOf(credentials), awsClock, signal),
  },
  {
    signingIn: () => dispatch(chat.signingIn(state)),
    delayed: (error) => dispatch(chat.pollFailed(state, explain(error), !isOffline(error))),
    signedIn: enter,
    refused: (why) => dispatch(chat.signInFailed(state, why)),
    renewalDue: () => accounts && google.renew(accounts),
    endsSoon: () => dispatch(chat.signInEndsSoon(state)),
    ended: () => dispatch(chat.signInEnded(state)),
  },
);

const shared = {
  get: () => state,
  dispatch,
  presence: () => session.presence,
  onEnded: () => session.end(),
  now: awsNow,
  clock,
  random,
};
const sendAll = createSending({
  ...shared,
  rate: config.rateLimit,
  store: storage,
  publish: ({ signed, token }, outgoing) => publish(signed, config, outgoing, token),
  onSent() {
    sentAt = clock();
    reading.expect();
    wake();
  },
  after,
});
let reading = newReading();

function newReading() {
  return createReading({
    ...shared,
    source: createSource(config, document.baseURI, awsNow),
    pace: () => ({ sinceSendMs: clock() - sentAt, ...attention.times() }),
    seen: isSeen,
    onLine: () => navigator.onLine,
  });
}

/** @param {State} next */
function dispatch(next) {
  if (next === state) return;
  const before = state;
  state = next;
  keeper.save(before, state);
  view.update(state);
  raiseAlerts(before, state);
  const open = chat.channelOf(state);
  const shown = before.channel === state.channel && chat.channelOf(before).loaded === open.loaded;
  // later: the view first has to report where in the channel the reader is
  if (!shown) setTimeout(markSeen);
  sendAll();
}

/** Read the open channel now. */
function pollNow() {
  reading.dueNow();
  wake();
}

function onReturn() {
  session.wake();
  markSeen();
  pollNow();
}

function isSeen() {
  return atEnd && !document.hidden;
}

function markSeen() {
  if (isSeen()) dispatch(chat.endSeen(state));
}

/** @type {import("./services/session.js").Listener["signedIn"]} */
function enter(person, signal, at) {
  const same = state.person?.user === person.user;
  const kept = same ? undefined : keeper.kept(person.user);
  dispatch(chat.signedIn(state, person, kept, at));
  if (!same) adopt(true);
  // a renewal keeps the signal, so the running loop continues
  if (polling === signal) return;
  polling = signal;
  reading = newReading();
  wake = startPolling(reading.step, reading.delay, signal);
  if (config.push) listen(config.push, signal);
}

/**
 * Receive pushes until the presence ends.
 * @param {NonNullable<typeof config.push>} broker @param {AbortSignal} signal
 */
function listen(broker, signal) {
  dispatch(chat.withPush(state, false));
  pushing = startPushing(
    {
      config: broker,
      signer: () => session.presence && signerOf(session.presence.credentials),
      stamp: () => awsClock.stamp(),
      channel: () => state.channel,
      page: window,
      clock,
      random,
      newId,
    },
    {
      onLive(live) {
        dispatch(chat.withPush(state, live));
        // live: read what came before; off: start polling
        pollNow();
      },
      onPush(push) {
        reading.pushed(push);
        wake();
      },
    },
    signal,
  );
}

/** Take over the outbox and drafts of closed tabs. @param {boolean} withDrafts only at start */
function adopt(withDrafts) {
  const user = state.person?.user;
  if (!user || !tab) return;
  void keeper.adopt(user, ({ outbox, drafts }) => {
    if (state.person?.user !== user) return null;
    const fits = outbox.slice(0, OUTBOX_LIMIT - state.outbox.length);
    dispatch(chat.adopted(state, { outbox: fits, drafts: withDrafts ? drafts : {} }));
    const remaining = Object.entries(drafts).filter(
      ([name, text]) => !withDrafts || chat.channelOf(state, name).draft !== text,
    );
    return { outbox: outbox.slice(fits.length), drafts: Object.fromEntries(remaining) };
  });
}

function send() {
  const { outbox } = state;
  dispatch(draft.sent(state, nextClientId(), awsNow()));
  if (state.outbox !== outbox && !state.outbox.at(-1)?.action) view.scrollToEnd();
}

function signOut() {
  const user = state.person?.user;
  leave();
  // after the state has changed, which saves once more
  if (user) storage.signOut(user);
  if (accounts) google.forget(accounts);
}

/** Leave without notifying other tabs: a tab that slept would notify them too late. */
function leave() {
  session.leave();
  reading = newReading();
  dispatch(chat.signedOut(state));
}

/** @param {string} user who signed out in another tab, or "" */
async function followOut(user) {
  if (!user || !(await session.signedOutElsewhere(user))) return;
  leave();
  // this tab may have saved again after the other one removed everything
  storage.removeTab(user, tab);
}

/** @param {string} name */
function open(name) {
  if (location.hash !== `#${name}`) history.pushState(null, "", `#${name}`);
  dispatch(chat.opened(state, name));
  pushing?.follow();
  pollNow();
}

/** @param {boolean} wanted */
async function notify(wanted) {
  const notifications = wanted && (await notifier.permission());
  const notice = wanted && !notifications ? NOT_ALLOWED : "";
  dispatch(chat.withNotice(chat.withSettings(state, { notifications }), notice));
}

const share = joinTabs((token, origin) => void session.enter(token, origin));

google.loadGoogle(window, view.googleScript)
  .then(async (loaded) => {
    await tabReady;
    accounts = loaded;
    dispatch(chat.signInReady(state));
    google.offerSignIn(loaded, {
      clientId: config.googleClientId,
      nonce,
      slot: view.signInSlot,
      dark: view.isDark(),
      onToken(token, origin) {
        void session.enter(token, origin);
        share(token);
      },
    });
  })
  .catch((/** @type {Error} */ error) => {
    if (error.message !== google.NOT_LOADED) reportError(error);
    dispatch(chat.signInFailed(state, google.NOT_LOADED));
  });

addEventListener("hashchange", () => {
  const { name, why } = channelInHash(location.hash);
  // replace the entry, so that "back" does not return to the invalid address
  if (!name) history.replaceState(null, "", `#${DEFAULT_CHANNEL}`);
  open(name || DEFAULT_CHANNEL);
  if (why) dispatch(chat.withNotice(state, why));
});
addEventListener("online", () => {
  reading.retry();
  dispatch(chat.cameOnline(state));
  onReturn();
});
// after this, nothing could close them
addEventListener("pagehide", () => notifier.dismissAll());
// restored from the back/forward cache, where no timer ran
addEventListener("pageshow", ({ persisted }) => persisted && onReturn());
// a request shows whether that is true
addEventListener("offline", () => pollNow());
addEventListener("storage", (event) => {
  const user = state.person?.user ?? "";
  const change = storage.changeIn(event, user);
  if (change === "settings") dispatch(chat.withSettings(state, storage.settings()));
  if (change === "lastRead") dispatch(chat.readElsewhere(state, storage.lastRead(user)));
  void followOut(storage.signedOutUser(event));
});
setInterval(() => {
  adopt(false);
  // for what changes with time alone: day labels, which messages can still be changed
  view.update(state);
}, ADOPT_EVERY_MS);
history.replaceState(null, "", `#${start}`);
view.update(state);
