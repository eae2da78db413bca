// Shows alerts to a person who is not looking at the page: the count in the title, notifications of mentions,
// a sound. It must not decide when: alerts.js does.

/**
 * @typedef {import("../state.js").Message} Message
 * @typedef {ReturnType<typeof createNotifier>} Notifier
 */

export const NOT_ALLOWED =
  "This browser does not allow notifications. Allow them in its settings for this site.";
const BODY_LIMIT = 140;
const CHIME_APART_MS = 1_000;
const CHIME_GAIN = 0.06;
/** Two soft tones: start in seconds, frequency in hertz. */
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
  /** @type {Map<string, Notification>} the last of each channel, kept to be closed */
  const shown = new Map();

  return {
    /** @param {string} unread count in all channels, "" for none @param {boolean} mentioned */
    title(unread, mentioned) {
      const title = unread ? `(${unread}${mentioned ? "!" : ""}) ${pageTitle}` : pageTitle;
      if (page.document.title !== title) page.document.title = title;
    },

    /**
     * Ask the person to allow notifications; call it only in response to their action.
     * @returns {Promise<boolean>} false when the browser has none or the person refuses
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
          // a newer notification replaces an older one, also another tab's
          tag: `lambda-chat:${channel}`,
        });
        shown.set(channel, notification);
        notification.onclick = () => {
          notification.close();
          page.focus();
          onOpen(channel);
        };
      } catch {
        // some mobile browsers have the constructor but throw; the title still shows the mention
      }
    },

    /** Close a channel's notification. @param {string} channel */
    dismiss: (channel) => shown.get(channel)?.close(),

    /** Close all notifications: they show names and texts. */
    dismissAll: () => shown.forEach((notification) => notification.close()),

    /** Prepare audio during user input; browsers, above all Safari, block it otherwise. */
    allowSound() {
      if (audio?.state === "running") return;
      try {
        audio ??= new page.AudioContext();
        audio.resume().catch(() => {});
      } catch {
        // audio is missing, or too many contexts are in use
      }
    },

    /** Play a short, quiet sound, at most once a second and only after allowSound(). */
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
