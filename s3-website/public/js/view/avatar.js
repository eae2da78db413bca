// Draws a person's avatar.

import { element } from "./dom.js";

const HUES = 8;
/** @type {Set<string>} pictures that failed to load and are not requested again */
const missing = new Set();

/**
 * Draw Google's picture over the initials, which remain if it fails to load.
 * @param {Document} page @param {{name: string, user: string, picture: string}} person
 * @returns {HTMLElement} hidden from screen readers: the name is next to it
 */
export function avatarNode(page, { name, user, picture }) {
  const node = element(page, "span", "avatar", initials(name));
  node.ariaHidden = "true";
  node.dataset.hue = String(hue(user || name));
  if (picture && !missing.has(picture)) node.append(pictureNode(page, picture));
  return node;
}

/** @param {Document} page @param {string} picture */
function pictureNode(page, picture) {
  const image = page.createElement("img");
  // these must be set before src
  image.referrerPolicy = "no-referrer";
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = "";
  image.width = 36;
  image.height = 36;
  image.addEventListener("error", () => {
    missing.add(picture);
    image.remove();
  });
  image.src = picture;
  return image;
}

/** @param {string} name @returns {string} of the first and the last word */
function initials(name) {
  const words = name.match(/[\p{L}\p{N}]\p{M}?[^\s]*/gu) ?? [];
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  const letters = ends.map((word) => [...(word ?? "")][0] ?? "").join("");
  return letters.toUpperCase() || "?";
}

/** @param {string} text @returns {number} the person's colour */
function hue(text) {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  return sum % HUES;
}
