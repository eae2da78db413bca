// Applies the chosen theme. A script in index.html does so before the first paint.

/** @typedef {import("../state.js").Settings["theme"]} Theme */

/**
 * Set the theme for the style sheets, and enable the matching theme-color element for the browser's
 * own bar.
 * @param {Document} page @param {Theme} theme
 */
export function applyTheme(page, theme) {
  page.documentElement.dataset.theme = theme;
  for (const meta of page.querySelectorAll("meta[data-scheme]")) {
    const scheme = meta.getAttribute("data-scheme");
    const system = `(prefers-color-scheme: ${scheme})`;
    meta.setAttribute("media", theme === "auto" ? system : theme === scheme ? "all" : "not all");
  }
}
