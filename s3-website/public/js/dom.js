// Owns the few things that every part of the view does to the DOM. It must not know the state.

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

/**
 * @template {Element} T
 * @param {Document} page @param {string} id @param {new () => T} type @returns {T}
 */
export function byId(page, id, type) {
  const node = page.getElementById(id);
  if (!(node instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
  return node;
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
