// Owns what of the state outlives the page: it writes what changed, reads it back at a sign-in, and
// takes over what tabs that have ended left behind. It must not change the state: it tells.
// Each tab holds a lock as long as it lives. Its id outlives a reload; a tab that was duplicated has
// a copy of the id, but not the lock.
// Source: MDN, "Web Locks API"; HTML, "sessionStorage" of a new top-level browsing context.

import { channelOf } from "./chat.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./chat.js").Kept} Kept
 * @typedef {import("./storage.js").TabRecord} TabRecord
 * @typedef {{store: import("./storage.js").Store, locks: LockManager | undefined,
 *   tab: () => string}} World `tab`: this tab's id, "" while it is not known
 */

const TAB_ID = /^[a-z0-9-]{1,64}$/;

/** @param {World} world */
export function createKeeper({ store, locks, tab }) {
  return {
    /** @param {string} user @returns {Kept} what this browser, and this tab of it, knows of them */
    kept(user) {
      const { outbox, drafts } = store.tab(user, tab());
      return { outbox, drafts, lastRead: store.lastRead(user), visited: store.visited(user) };
    },

    /** Write what differs. @param {State} before @param {State} after */
    save(before, after) {
      if (before.settings !== after.settings) store.saveSettings(after.settings);
      if (after.person) saveOf(after.person.user, before, after);
    },

    /**
     * Take over what dead tabs of this person left.
     * @param {string} user @param {(left: TabRecord) => TabRecord | null} take answers what it
     *   does not take; null when it is too late to take anything
     */
    async adopt(user, take) {
      for (const id of store.tabs(user).filter((one) => one !== tab())) {
        await whenDead(locks, id, () => {
          const rest = take(store.tab(user, id));
          if (!rest) return;
          if (Object.keys(rest.drafts).length) store.saveTab(user, id, rest);
          else store.removeTab(user, id);
        });
      }
    },
  };

  /** @param {string} user @param {State} before @param {State} after */
  function saveOf(user, before, after) {
    const same = before.person?.user === user;
    if (!same || before.channel !== after.channel) {
      store.saveChannel(after.channel);
      store.saveVisited(user, after.channel);
    }
    const read = changed(same ? before : null, after, "lastRead");
    if (Object.keys(read).length) store.saveLastRead(user, read);
    const written = Object.keys(changed(before, after, "draft")).length > 0;
    if (!same || written || before.outbox !== after.outbox) store.saveTab(user, tab(), left(after));
  }
}

/** @param {State} state @returns {TabRecord} */
function left(state) {
  return { outbox: state.outbox, drafts: changed(null, state, "draft") };
}

/**
 * @param {State | null} before @param {State} after @param {"draft" | "lastRead"} field
 * @returns {Record<string, string>} by channel
 */
function changed(before, after, field) {
  if (before?.channels === after.channels) return {};
  const entries = Object.entries(after.channels)
    .filter(([name, channel]) => channel[field] !== (before ? channelOf(before, name)[field] : ""))
    .map(([name, channel]) => [name, channel[field]]);
  return Object.fromEntries(entries);
}

/**
 * Take an id for this tab, for as long as it lives.
 * @param {LockManager | undefined} locks @param {() => Storage} area `() => sessionStorage`
 * @param {() => string} newId
 * @returns {Promise<string>}
 */
export async function claimTab(locks, area, newId) {
  const kept = read(area);
  if (kept && (await hold(locks, kept))) return kept;
  const id = newId();
  await hold(locks, id);
  write(area, id);
  return id;
}

/**
 * Do something with what a dead tab left; no other tab does so at the same time. Where there are no
 * locks, every tab counts as dead: what two of them send is shown once all the same.
 * @param {LockManager | undefined} locks @param {string} id @param {() => void} act
 */
export async function whenDead(locks, id, act) {
  if (!locks) return act();
  await locks.request(nameOf(id), { ifAvailable: true }, (lock) => {
    if (lock) act();
  });
}

/**
 * @param {LockManager | undefined} locks @param {string} id
 * @returns {Promise<boolean>} whether this tab has it now
 */
function hold(locks, id) {
  return new Promise((resolve) => {
    if (!locks) return resolve(true);
    const forEver = new Promise(() => {});
    locks
      .request(nameOf(id), { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? forEver : undefined;
      })
      .catch(() => resolve(true));
  });
}

/** @param {string} id */
function nameOf(id) {
  return `lambda-chat/tab/${id}`;
}

/** @param {() => Storage} area @returns {string} */
function read(area) {
  try {
    const id = area().getItem("lambda-chat/tab") ?? "";
    return TAB_ID.test(id) ? id : "";
  } catch {
    return "";
  }
}

/** @param {() => Storage} area @param {string} id */
function write(area, id) {
  try {
    area().setItem("lambda-chat/tab", id);
  } catch {
    // switched off: the id ends with the page, and another one takes over what it leaves
  }
}
