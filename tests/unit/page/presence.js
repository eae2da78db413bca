// Sets up each test of a file that imports it: a presence to end, mocked timers, and a list of reported errors.

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
