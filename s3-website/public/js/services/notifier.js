// Owns the means of telling a person who looks elsewhere: the number in the title, a notification of a
// mention, a sound. It asks for permission only when it is told to.

/**
 * @typedef {import("../state.js").Message} Message
 * @typedef {ReturnType<typeof createNotifier>} Notifier
 */

export const NOT_ALLOWED =
  "This browser does not allow notifications. Allow them in its settings for this site.";
const BODY_LIMIT = 140;
const CHIME_APART_MS = 1_000;
const CHIME_GAIN = 0.06;
/** Two soft notes: start in seconds, frequency in hertz. */
const NOTES = /** @type {const} */ ([
  [0, 659.3],
  [0.12, 880],
]);
const NOTE_S = 0.22;

/**
 * @param {Window & typeof globalThis} page
 * @param {{onOpen(channel: string): void}} handlers `onOpen`: a notification was clicked
 */
export function createNotifier(page, { onOpen }) {
  const pageTitle = page.document.title;
  /** @type {AudioContext | undefined} */
  let audio;
  let chimedAt = -Infinity;
  /** @type {Map<string, Notification>} the last of each channel: they hold names and texts */
  const shown = new Map();

  return {
    /** @param {string} unread how many in all channels, "" for none @param {boolean} mentioned */
    title(unread, mentioned) {
      const title = unread ? `(${unread}${mentioned ? "!" : ""}) ${pageTitle}` : pageTitle;
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
        const notification = new page.Notification(`${message.name} in ${channel}`, {
          body: shortened(message.text),
          // a newer one takes the place of an older one, of this tab or of another
          tag: `lambda-chat:${channel}`,
        });
        shown.set(channel, notification);
        notification.onclick = () => {
          notification.close();
          page.focus();
          onOpen(channel);
        };
      } catch {
        // some mobile browsers have the constructor and refuse to use it: the title has the mark
      }
    },

    /** What told of a channel is read. @param {string} channel */
    dismiss: (channel) => shown.get(channel)?.close(),

    /** Nothing of the person stays. */
    dismissAll: () => shown.forEach((notification) => notification.close()),

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
function shortened(text) {
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
