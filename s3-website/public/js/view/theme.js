// Owns the colours that a person chose. index.html sets the first ones, before anything is painted.

/** @typedef {import("../state.js").Settings["theme"]} Theme */

/**
 * The style sheets do the rest; a browser's own bar is coloured by the page's two meta elements.
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
