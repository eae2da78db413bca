// Owns what happens to an error of a browser's or Google's own means, which the page can do without.

/** What a browser or Google throws is reported, and stops nothing of the page. @param {() => void} act */
export function guarded(act) {
  try {
    act();
  } catch (error) {
    reportError(error);
  }
}
