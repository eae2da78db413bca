// Owns what a person is told besides the messages: the one line that says what is happening; whether
// somebody looks, and how who does not is told: the number in the title, a notification of a mention,
// a sound. It asks for permission only when it is told to.

import { countText, hasMoreUnread, news } from "../state/channel.js";
import { channelOf } from "../state/chat.js";
import { mentions } from "../state/lines.js";

/**
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state.js").Message} Message
 * @typedef {ReturnType<typeof createNotifier>} Notifier
 * @typedef {{text: string, tone: "calm" | "good" | "busy" | "bad"}} Status
 * @typedef {{notifier: Pick<Notifier, "title" | "mention" | "chime" | "dismiss" | "dismissAll">,
 *   hidden: () => boolean, seen: () => boolean, onNews: () => void}} World
 *   `seen`: the reader looks at the end of the open channel; `onNews`: something came there
 */

const ENDED = "Your sign-in has ended. Sign in again.";
const ENDS_SOON = "Your sign-in ends soon. Sign in again to stay.";
export const NOT_ALLOWED =
  "This browser does not allow notifications. Allow them in its settings for this site.";
const BODY_LIMIT = 140;
const STIRRED_FOR_MS = 600_000;
const CHIME_APART_MS = 1_000;
const CHIME_GAIN = 0.06;
/** Two soft notes: start in seconds, frequency in hertz. */
const NOTES = /** @type {const} */ ([
  [0, 659.3],
  [0.12, 880],
]);
const NOTE_S = 0.22;

/** @param {State} state @returns {Status} what a message itself shows is not said again */
export function status(state) {
  switch (state.phase) {
    case "loading":
      return { text: "Loading…", tone: "busy" };
    case "signing_in":
      return offline(state) ?? { text: "Signing in…", tone: "busy" };
    case "signed_out":
      return state.notice ? bad(state.notice) : { text: "Sign in to chat", tone: "calm" };
    case "ended":
      return bad(state.notice || `${ENDED}${waiting(state) || " Your text is kept."}`);
    default:
      return connected(state);
  }
}

/**
 * @param {Pick<State, "channels">} state
 * @returns {{unread: number, more: boolean, mentioned: boolean}} of all channels
 */
export function unreadOf({ channels }) {
  const all = Object.values(channels);
  const unread = all.reduce((sum, channel) => sum + channel.unread, 0);
  const mentioned = all.some((channel) => channel.mentioned);
  return { unread, more: all.some(hasMoreUnread), mentioned };
}

/** @param {State} state @returns {Status} */
function connected(state) {
  if (state.notice) return bad(state.notice);
  const why = offline(state);
  if (why) return why;
  if (state.endsSoon) return bad(ENDS_SOON);
  const lost = failures(state);
  if (lost) return bad(lost);
  if (state.outbox.some((one) => one.state === "sending" && one.why)) {
    return { text: "Sending…", tone: "busy" };
  }
  return { text: `Connected as ${state.person?.name ?? ""}`, tone: "good" };
}

/** @param {State} state @returns {Status | null} what is wrong with the link, and passes by itself */
function offline(state) {
  const why = state.online ? state.trouble : "Offline.";
  return why ? bad(`${why}${waiting(state)}`) : null;
}

/** @param {State} state @returns {string} what failed in a channel that is not open */
function failures({ outbox, channel }) {
  const one = outbox.find(({ state, channel: other }) => state === "failed" && other !== channel);
  return one ? `A message was not sent: see #${one.channel}.` : "";
}

/** @param {State} state */
function waiting({ outbox }) {
  const count = outbox.filter(({ state }) => state === "queued" || state === "sending").length;
  if (!count) return "";
  return count === 1 ? " 1 message waits." : ` ${count} messages wait.`;
}

/** @param {string} text @returns {Status} */
function bad(text) {
  return { text, tone: "bad" };
}

/**
 * @param {World} world
 * @returns {(before: State, after: State) => void} tells what has come between the two
 */
export function createTelling({ notifier, hidden, seen, onNews }) {
  return (before, after) => {
    if (before.person && before.person.user !== after.person?.user) notifier.dismissAll();
    if (before.channels === after.channels) return;
    const { unread, more, mentioned } = unreadOf(after);
    notifier.title(countText(unread, more), mentioned);
    for (const [name, channel] of Object.entries(after.channels)) {
      if (channelOf(before, name).unread && !channel.unread) notifier.dismiss(name);
      const fresh = news(channelOf(before, name), channel, after.person);
      if (!fresh.length) continue;
      if (name === after.channel) onNews();
      const named = fresh.filter(({ text }) => mentions(text, after.person?.name ?? ""));
      const missed = name === after.channel ? !seen() : hidden() || named.length > 0;
      if (after.settings.sound && missed) notifier.chime();
      const last = named.at(-1);
      if (after.settings.notifications && last) notifier.mention(last, name);
    }
  };
}

/**
 * @param {Window & typeof globalThis} page
 * @param {{onOpen(channel: string): void}} handlers `onOpen`: a notification was clicked
 */
export function createNotifier(page, { onOpen }) {
  const name = page.document.title;
  /** @type {AudioContext | undefined} */
  let audio;
  let chimedAt = -Infinity;
  /** @type {Map<string, Notification>} the last of each channel: they hold names and texts */
  const notes = new Map();

  return {
    /** @param {string} unread how many in all channels, "" for none @param {boolean} mentioned */
    title(unread, mentioned) {
      const title = unread ? `(${unread}${mentioned ? "!" : ""}) ${name}` : name;
      if (page.document.title !== title) page.document.title = title;
    },

    /**
     * Ask whether notifications may be shown; only on the person's own action.
     * @returns {Promise<boolean>} false when the browser has none, or the person refuses
     */
    async permission() {
      if (!("Notification" in page)) return false;
      if (page.Notification.permission !== "default") return allowed(page);
      return (await page.Notification.requestPermission()) === "granted";
    },

    /** @param {Message} message that names the person @param {string} channel */
    mention(message, channel) {
      if (!page.document.hidden || !allowed(page)) return;
      try {
        const note = new page.Notification(`${message.name} in ${channel}`, {
          body: cut(message.text),
          // a newer one takes the place of an older one, of this tab or of another
          tag: `lambda-chat:${channel}`,
        });
        notes.set(channel, note);
        note.onclick = () => {
          note.close();
          page.focus();
          onOpen(channel);
        };
      } catch {
        // some mobile browsers have the constructor and refuse to use it: the title has the mark
      }
    },

    /** What told of a channel is read. @param {string} channel */
    dismiss: (channel) => notes.get(channel)?.close(),

    /** Nothing of the person stays. */
    dismissAll: () => notes.forEach((note) => note.close()),

    /** While the person does something: later a browser, Safari above all, allows no sound. */
    allowSound() {
      if (audio?.state === "running") return;
      try {
        audio ??= new page.AudioContext();
        audio.resume().catch(() => {});
      } catch {
        // none, or too many in use
      }
    },

    /** A short, quiet sound, once a second at most; none before it is allowed. */
    chime() {
      const now = page.performance.now();
      if (audio?.state !== "running" || now - chimedAt < CHIME_APART_MS) return;
      chimedAt = now;
      play(audio);
    },
  };
}

/** @param {Window & typeof globalThis} page */
function allowed(page) {
  return "Notification" in page && page.Notification.permission === "granted";
}

/** @param {string} text @returns {string} one line of at most 140 characters */
function cut(text) {
  const line = [...text.slice(0, 4 * BODY_LIMIT).replace(/\s+/g, " ").trim()];
  return line.length > BODY_LIMIT ? `${line.slice(0, BODY_LIMIT - 1).join("")}…` : line.join("");
}

/** @param {AudioContext} audio */
function play(audio) {
  for (const [startS, hertz] of NOTES) {
    const start = audio.currentTime + startS;
    const gain = audio.createGain();
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(CHIME_GAIN, start + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + NOTE_S);
    const tone = audio.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + NOTE_S);
  }
}

/**
 * @param {Document} page
 * @param {() => number} clock milliseconds, of a clock that never jumps
 * @param {{onReturn(): void, onInput(idleMs: number): void}} handlers `onReturn`: the page is
 *   visible again; `onInput`: the person does something
 */
export function createAttention(page, clock, { onReturn, onInput }) {
  let activeAt = clock();
  let inputAt = activeAt;
  let hiddenAt = activeAt;

  const here = () => (activeAt = inputAt = clock());
  page.addEventListener("visibilitychange", () => {
    if (page.hidden) {
      hiddenAt = clock();
    } else {
      here();
      onReturn();
    }
  });
  const active = () => {
    const idleMs = clock() - activeAt;
    here();
    onInput(idleMs);
  };
  // a finger is believed when it goes up
  for (const event of ["keydown", "pointerdown", "pointerup", "wheel", "touchmove"]) {
    page.addEventListener(event, active, { passive: true, capture: true });
  }

  return {
    /** Something came that keeps a reader there; but one who does nothing for long is not there. */
    stir() {
      if (clock() - inputAt < STIRRED_FOR_MS) activeAt = clock();
    },
    /** @returns {{sinceActiveMs: number, hiddenMs: number}} `hiddenMs` is 0 for a visible page */
    times: () => ({
      sinceActiveMs: clock() - activeAt,
      hiddenMs: page.hidden ? Math.max(1, clock() - hiddenAt) : 0,
    }),
  };
}
