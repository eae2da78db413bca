// One presence for each test of what lasts as long as one: its end, timers that the test moves, and the errors
// that the page reports. Importing it sets it up.

import { afterEach, beforeEach, mock } from "node:test";

/** @type {AbortController} ends the presence */
export let end;
/** what `reportError` got */
export let reported;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  end = new AbortController();
  reported = [];
  globalThis.reportError = (error) => void reported.push(error);
});

afterEach(() => {
  end.abort();
  mock.timers.reset();
  delete globalThis.reportError;
});

/** Let pending promises settle. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
