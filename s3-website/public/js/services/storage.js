// Owns the page's data in localStorage. It validates what it reads and never throws.

import { record } from "../aws/records.js";
import { isChannelName } from "../state/channel_names.js";
import * as chat from "../state/chat.js";
import { isSendable, OUTBOX_LIMIT } from "../state/outbox.js";

/**
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("../state.js").Settings} Settings
 * @typedef {{outbox: readonly Outgoing[], drafts: Readonly<Record<string, string>>}} TabRecord
 * @typedef {Readonly<Record<string, string>>} Texts by channel
 * @typedef {ReturnType<typeof createStorage>} Store
 */

// index.html reads it too
const SETTINGS = "lambda-chat/settings";
const CHANNELS = 1_000;
const VISITED = 100;
const TIMES = 100;
const DRAFT_LENGTH = 20_000;
const ID_LENGTH = 200;

/**
 * @param {() => Storage} area `() => localStorage`, whose mere access may throw
 * @param {string} bucket separates the chats of one origin
 */
export function createStorage(area, bucket) {
  const root = `lambda-chat/${bucket}`;
  const tabs = (/** @type {string} */ user) => `${root}/${user}/tab/`;
  const { read, write, remove, keys } = safely(area);

  return {
    settings: () => settingsOf(read(SETTINGS)),
    /** @param {Settings} settings */
    saveSettings: (settings) => write(SETTINGS, settings),

    /** @returns {string} the last open channel, or "" */
    channel: () => channelOf(read(`${root}/channel`)),
    /** @param {string} name */
    saveChannel: (name) => write(`${root}/channel`, name),

    /** @param {string} user @returns {Texts} ids by channel */
    lastRead: (user) => textsOf(read(`${root}/${user}/read`), isId),
    /** Merge with the saved ids; the later id wins. @param {string} user @param {Texts} lastRead */
    saveLastRead(user, lastRead) {
      const key = `${root}/${user}/read`;
      const merged = { ...textsOf(read(key), isId) };
      for (const [name, id] of Object.entries(lastRead)) {
        if (!Object.hasOwn(merged, name) || id > (merged[name] ?? "")) merged[name] = id;
      }
      const latest = Object.entries(merged).sort(([, a], [, b]) => (a < b ? 1 : -1));
      write(key, Object.fromEntries(latest.slice(0, CHANNELS)));
    },

    /** @param {string} user @returns {string[]} most recent first */
    visited: (user) => namesOf(read(`${root}/${user}/visited`)),
    /** @param {string} user @param {string} name */
    saveVisited(user, name) {
      const key = `${root}/${user}/visited`;
      write(key, [...new Set([name, ...namesOf(read(key))])].slice(0, VISITED));
    },

    /** @param {string} user @returns {number[]} when their last messages were sent, from any tab */
    sentTimes: (user) => timesOf(read(`${root}/${user}/sent`)),
    /** @param {string} user @param {readonly number[]} times ms since the epoch */
    saveSentTimes: (user, times) => write(`${root}/${user}/sent`, times.slice(-TIMES)),

    /** @param {string} user @returns {string[]} ids of the tabs that have a record */
    tabs: (user) => keys(tabs(user)).map((key) => key.slice(tabs(user).length)),
    /** @param {string} user @param {string} tab */
    tab: (user, tab) => tabOf(read(tabs(user) + tab)),
    /** @param {string} user @param {string} tab @param {TabRecord} record */
    saveTab: (user, tab, record) => write(tabs(user) + tab, cut(record)),
    /** @param {string} user @param {string} tab */
    removeTab: (user, tab) => remove(tabs(user) + tab),
    /** Remove the person's texts and notify the other tabs. @param {string} user */
    signOut(user) {
      for (const key of keys(tabs(user))) remove(key);
      write(`${root}/${user}/out`, true);
      remove(`${root}/${user}/out`);
    },

    /**
     * Return what another tab has changed.
     * @param {StorageEvent} event @param {string} user
     * @returns {"settings" | "lastRead" | ""}
     */
    changeIn({ key, newValue }, user) {
      if (key === SETTINGS) return "settings";
      return user && newValue !== null && key === `${root}/${user}/read` ? "lastRead" : "";
    },

    /** @param {StorageEvent} event @returns {string} the user who signed out elsewhere, or "" */
    signedOutUser({ key, newValue }) {
      const [user = ""] = key?.replace(`${root}/`, "").split("/") ?? [];
      return newValue && key === `${root}/${user}/out` ? user : "";
    },
  };
}

/** @param {() => Storage} area */
function safely(area) {
  return {
    /** @param {string} key @returns {unknown} */
    read(key) {
      try {
        return JSON.parse(area().getItem(key) ?? "null");
      } catch {
        return null;
      }
    },
    /** @param {string} key @param {unknown} value */
    write(key, value) {
      try {
        area().setItem(key, JSON.stringify(value));
      } catch {
        // storage is full or disabled: the page works without it
      }
    },
    /** @param {string} key */
    remove(key) {
      try {
        area().removeItem(key);
      } catch {
        // as above
      }
    },
    /** @param {string} prefix @returns {string[]} */
    keys(prefix) {
      try {
        const store = area();
        const names = Array.from({ length: store.length }, (_, at) => store.key(at) ?? "");
        return names.filter((key) => key.startsWith(prefix));
      } catch {
        return [];
      }
    },
  };
}

/** @param {unknown} value @returns {Settings} */
function settingsOf(value) {
  const { theme, notifications, sound } = record(value);
  return {
    theme: theme === "light" || theme === "dark" ? theme : chat.DEFAULT_SETTINGS.theme,
    notifications: notifications === true,
    sound: sound === true,
  };
}

/** @param {unknown} value @returns {TabRecord} */
function tabOf(value) {
  const { outbox, drafts } = record(value);
  const items = Array.isArray(outbox) ? outbox.filter(isOutgoing).slice(0, OUTBOX_LIMIT) : [];
  const byId = new Map(items.map((item) => [item.clientId, plain(item)]));
  return { outbox: [...byId.values()], drafts: textsOf(drafts, (text) => text !== "") };
}

/** @param {TabRecord} tab @returns {TabRecord} with drafts cut to leave room for others */
function cut({ outbox, drafts }) {
  const entries = Object.entries(drafts).filter(([, text]) => text);
  const short = entries.map(([name, text]) => [name, text.slice(0, DRAFT_LENGTH)]);
  return { outbox, drafts: Object.fromEntries(short) };
}

/** @param {unknown} value @returns {value is Outgoing} */
function isOutgoing(value) {
  const { clientId, channel, text, action, target, state, why, at } = record(value);
  return (
    typeof clientId === "string" &&
    /^[a-z0-9-]{1,64}$/.test(clientId) &&
    isChannelName(channel) &&
    typeof text === "string" &&
    (action === undefined || ((action === "edit" || action === "delete") && isId(target))) &&
    (isSendable(text) || (action === "delete" && !text)) &&
    ["queued", "sending", "sent", "failed"].includes(String(state)) &&
    typeof why === "string" &&
    Number.isFinite(at)
  );
}

/** @param {Outgoing} outgoing @returns {Outgoing} with its known fields only */
function plain({ clientId, channel, text, action, target, state, why, at }) {
  return { clientId, channel, text, ...(action && { action, target }), state, why, at };
}

/** @param {unknown} value @param {(text: string) => boolean} fits @returns {Texts} */
function textsOf(value, fits) {
  /** @type {[string, string][]} */
  const entries = [];
  for (const [name, text] of Object.entries(record(value))) {
    if (isChannelName(name) && typeof text === "string" && fits(text)) entries.push([name, text]);
  }
  return Object.fromEntries(entries.slice(0, CHANNELS));
}

/** @param {unknown} id */
function isId(id) {
  return typeof id === "string" && id.length <= ID_LENGTH && /^\d{4}-\d\d-\d\dT/.test(id);
}

/** @param {unknown} value @returns {string[]} */
function namesOf(value) {
  return Array.isArray(value) ? value.filter(isChannelName).slice(0, VISITED) : [];
}

/** @param {unknown} value @returns {number[]} oldest first */
function timesOf(value) {
  const times = Array.isArray(value) ? value.filter(Number.isFinite) : [];
  return times.slice(-TIMES).sort((a, b) => a - b);
}

/** @param {unknown} value */
function channelOf(value) {
  return isChannelName(value) ? value : "";
}
