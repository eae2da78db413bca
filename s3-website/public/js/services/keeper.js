// Saves parts of the state in this browser, reads them back, and hands over what closed tabs left. It must not
// change the state itself.

import * as chat from "../state/chat.js";
import { whenDead } from "./tabs.js";

/**
 * @typedef {import("./storage.js").TabRecord} TabRecord
 * @typedef {import("./storage.js").Store} Store
 * @typedef {import("../state.js").State} State
 * @typedef {{store: Store, locks: LockManager | undefined, tab: () => string}} World
 *   `tab`: this tab's id, "" until it is known
 */

/** @param {World} world */
export function createKeeper({ store, locks, tab }) {
  return {
    /** @param {string} user @returns {chat.Kept} what this browser and this tab have saved for them */
    kept(user) {
      const { outbox, drafts } = store.tab(user, tab());
      return { outbox, drafts, lastRead: store.lastRead(user), visited: store.visited(user) };
    },

    /** Save what differs. @param {State} before @param {State} after */
    save(before, after) {
      if (before.settings !== after.settings) store.saveSettings(after.settings);
      if (after.person) saveOf(after.person.user, before, after);
    },

    /**
     * Hand over the records that this person's closed tabs left.
     * @param {string} user @param {(record: TabRecord) => TabRecord | null} take returns what it
     *   did not take, or null to leave the record as it is
     */
    async adopt(user, take) {
      for (const id of store.tabs(user)) {
        if (id === tab()) continue;
        await whenDead(locks, id, () => {
          const remainder = take(store.tab(user, id));
          if (!remainder) return;
          const isEmpty = !remainder.outbox.length && !Object.keys(remainder.drafts).length;
          if (isEmpty) store.removeTab(user, id);
          else store.saveTab(user, id, remainder);
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
    const draftChanged = Object.keys(changed(before, after, "draft")).length > 0;
    if (!same || draftChanged || before.outbox !== after.outbox)
      store.saveTab(user, tab(), recordOf(after));
  }
}

/** @param {State} state @returns {TabRecord} */
function recordOf(state) {
  return { outbox: state.outbox, drafts: changed(null, state, "draft") };
}

/**
 * @param {State | null} before @param {State} after @param {"draft" | "lastRead"} field
 * @returns {Record<string, string>} by channel
 */
function changed(before, after, field) {
  if (before?.channels === after.channels) return {};
  const entries = Object.entries(after.channels)
    .filter(([name, channel]) => channel[field] !== (before ? chat.channelOf(before, name)[field] : ""))
    .map(([name, channel]) => [name, channel[field]]);
  return Object.fromEntries(entries);
}
