// The DOM operations that all parts of the view share. It must not keep state.

/** @param {Document} page @param {string} name @param {string} className @param {string} [text] */
export function element(page, name, className, text = "") {
  const node = page.createElement(name);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

/** Set the text if it differs: a live region announces it. @param {Element} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Document} page @returns {import("../parts.js").Parts} the elements of index.html, by id */
export function partsOf(page) {
  const all = [...page.querySelectorAll("[id]")].map((node) => [node.id, node]);
  return /** @type {any} */ (Object.fromEntries(all));
}

/** Set `hidden` if it differs. @param {HTMLElement} node @param {boolean} hidden */
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
