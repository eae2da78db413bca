// Connects the tabs of one browser: shares tokens and detects closed tabs. A tab holds a lock on its id while it is
// open, and keeps the id over a reload; a duplicated tab gets the id but not the lock. Where a browser lacks these
// features, each tab works alone.
// Source: MDN, "Web Locks API", "Broadcast Channel API".

import { guarded } from "./guarded.js";

/** @typedef {import("./google.js").OnToken} OnToken */

const TAB_ID = /^[a-z0-9-]{1,64}$/;
// locks normally answer at once; sign-in must not wait for a browser that does not
const LOCK_WAIT_MS = 1_000;

/**
 * Share each new token with the other tabs. FedCM gives a token without a click only once in ten
 * minutes, so tabs that renew on their own would each show a prompt.
 * @param {OnToken} onToken @returns {(token: string) => void} sends a token to the other tabs
 */
export function joinTabs(onToken) {
  try {
    const tabs = new BroadcastChannel("lambda-chat-token");
    tabs.onmessage = ({ data }) => typeof data === "string" && onToken(data, "shared");
    // if this fails, the other tabs renew by themselves
    return (token) => guarded(() => tabs.postMessage(token));
  } catch {
    // missing, or blocked along with cookies: this tab works alone
    return () => {};
  }
}

/** @param {Navigator} browser @returns {LockManager | undefined} undefined where blocked */
export function locksOf(browser) {
  try {
    return browser.locks;
  } catch {
    return undefined;
  }
}

/**
 * Claim an id for this tab until it closes.
 * @param {LockManager | undefined} locks @param {() => Storage} area `() => sessionStorage`
 * @param {() => string} newId
 * @returns {Promise<string>}
 */
export async function claimTab(locks, area, newId) {
  const kept = read(area);
  if (kept && (await hold(locks, kept))) return kept;
  const id = newId();
  // a new id is unique even if the lock does not answer
  await hold(locks, id);
  write(area, id);
  return id;
}

/**
 * Call `act` if the tab with this id is closed, and in no other tab at the same time. Without locks
 * every tab counts as closed; a message that two tabs then send is still shown once.
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
 * @returns {Promise<boolean>} whether this tab holds it; false if the lock does not answer
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
    // async, so that an immediate exception becomes a rejection too
    const ask = async () =>
      locks.request(lockOf(id), { ifAvailable: true }, (lock) => {
        // hold it for ever, unless it came too late
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
    // storage is disabled: the id ends with the page, and another tab takes over its record
  }
}
