// Owns which tab this is, and whether another one still lives: each tab holds a lock as long as it
// does. Its id outlives a reload. A tab that was duplicated has a copy of the id, but not the lock.
// Source: MDN, "Web Locks API"; HTML, "sessionStorage" of a new top-level browsing context.

const ID = /^[a-z0-9-]{1,64}$/;

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
    return ID.test(id) ? id : "";
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
