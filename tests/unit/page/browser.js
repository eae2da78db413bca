// In-memory stand-ins for a browser's storage and Web Locks.

import assert from "node:assert/strict";
import { createStorage } from "../../../s3-website/public/js/services/storage.js";

/** A Storage over a map that the test can inspect. */
export function area(entries = new Map()) {
  return {
    entries,
    get length() {
      return entries.size;
    },
    key: (at) => [...entries.keys()][at] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  };
}

/** The page's data in a Storage. */
export const store = (memory = area()) => createStorage(() => memory, "bucket");

/** Web Locks of one browser. Each call of the result opens a tab; close() closes it. */
export function browser() {
  const held = new Set();
  return () => {
    const mine = new Set();
    return {
      locks: {
        async request(name, options, act) {
          assert.deepEqual(options, { ifAvailable: true });
          if (held.has(name)) return act(null);
          held.add(name);
          mine.add(name);
          const answer = await act({ name });
          held.delete(name);
          return answer;
        },
      },
      close: () => mine.forEach((name) => held.delete(name)),
    };
  };
}
