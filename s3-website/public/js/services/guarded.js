// Calls optional features of the browser or of Google, so that their errors do not stop the page.

/** Run `act` and report, but do not rethrow, what it throws. @param {() => void} act */
export function guarded(act) {
  try {
    act();
  } catch (error) {
    reportError(error);
  }
}
