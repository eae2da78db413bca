// Owns what tabs of one browser know of each other: tokens, and which of them live. Each holds a lock as
// long as it lives; its id outlives a reload; a tab that was duplicated has a copy of the id, but not the
// lock. What of this a browser lacks or refuses must not stop the page: then a tab works alone.
// Source: MDN, "Web Locks API", "Broadcast Channel API".

import { guarded } from "./guarded.js";

/** @typedef {import("./google.js").OnToken} OnToken */

const TAB_ID = /^[a-z0-9-]{1,64}$/;
// they answer at once; a sign-in does not wait for those that do not
const LOCK_WAIT_MS = 1_000;

/**
 * Hand each new token to the other tabs. With FedCM, a browser gives a token without a click once
 * in ten minutes: tabs that renew one after the other would each show a prompt.
 * @param {OnToken} onToken @returns {(token: string) => void} tells the other tabs
 */
export function joinTabs(onToken) {
  try {
    const tabs = new BroadcastChannel("lambda-chat-token");
    tabs.onmessage = ({ data }) => typeof data === "string" && onToken(data, "shared");
    // where it fails, the other tabs renew by themselves
    return (token) => guarded(() => tabs.postMessage(token));
  } catch {
    // missing, or refused with the cookies: this tab works alone
    return () => {};
  }
}

/** @param {Navigator} browser @returns {LockManager | undefined} none where they are refused */
export function locksOf(browser) {
  try {
    return browser.locks;
  } catch {
    return undefined;
  }
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
  // nobody else knows it: it is this tab's even where locks do not answer
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
  let answered = false;
  try {
    await locks?.request(lockOf(id), { ifAvailable: true }, (lock) => {
      answered = true;
      if (lock) act();
    });
  } catch (error) {
    if (answered) throw error;
  }
  if (!answered) act();
}

/**
 * @param {LockManager | undefined} locks @param {string} id
 * @returns {Promise<boolean>} whether this tab has it now; false where locks do not answer
 */
function hold(locks, id) {
  return new Promise((resolve) => {
    if (!locks) return resolve(true);
    let isSettled = false;
    const settle = (/** @type {boolean} */ held) => {
      isSettled = true;
      clearTimeout(timer);
      resolve(held);
    };
    const timer = setTimeout(settle, LOCK_WAIT_MS, false);
    // async: what it throws at once is a rejection, too
    const ask = async () =>
      locks.request(lockOf(id), { ifAvailable: true }, (lock) => {
        // for ever, but for one that nobody waits for any more
        const whileAlive = lock && !isSettled ? new Promise(() => {}) : undefined;
        settle(lock !== null);
        return whileAlive;
      });
    ask().catch(() => settle(true));
  });
}

/** @param {string} id */
function lockOf(id) {
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
