// Owns the few things that every part of the view does to the DOM. It must keep nothing.

/** @param {Document} page @param {string} name @param {string} className @param {string} [text] */
export function element(page, name, className, text = "") {
  const node = page.createElement(name);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

/** @param {Element} node @param {string} text written only when new: a live region speaks */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Document} page @returns {import("../parts.js").Parts} what index.html has, by its ids */
export function partsOf(page) {
  const all = [...page.querySelectorAll("[id]")].map((node) => [node.id, node]);
  return /** @type {any} */ (Object.fromEntries(all));
}

/** @param {HTMLElement} node @param {boolean} hidden written only when new */
export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/**
 * @param {Document} page @param {string} className @param {string} label @param {() => void} act
 */
export function button(page, className, label, act) {
  const node = page.createElement("button");
  node.type = "button";
  node.className = className;
  node.textContent = label;
  node.addEventListener("click", act);
  return node;
}
