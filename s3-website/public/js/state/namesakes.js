// Marks people of one channel whose names look the same. Pure.

/** @typedef {import("./lines.js").Line} Line */

/** @type {WeakMap<Line, Line>} by unmarked line, so that an unchanged line stays the same object */
const markedLines = new WeakMap();

/**
 * Mark each sender who shares a name with another sender, by chance or on purpose, with part of
 * their id.
 * @param {readonly Line[]} list @returns {readonly Line[]} the same array when nobody is marked
 */
export function disambiguated(list) {
  /** @type {Map<string, string>} the user of each name; "" if several share it */
  const people = new Map();
  /** @type {Map<string, string>} a cache by name: computing a skeleton is slow */
  const skeletons = new Map();
  const keyOf = (/** @type {Line} */ line) => {
    if (line.kind !== "message" || line.message.kind !== "user") return "";
    const { name } = line.message;
    const key = skeletons.get(name) ?? skeleton(name);
    skeletons.set(name, key);
    return key;
  };
  for (const line of list) {
    const key = keyOf(line);
    if (!key || line.kind !== "message") continue;
    const { user } = line.message;
    people.set(key, (people.get(key) ?? user) === user ? user : "");
  }
  if (![...people.values()].includes("")) return list;
  return list.map((line) => {
    if (line.kind !== "message" || people.get(keyOf(line)) !== "") return line;
    const marked = markedLines.get(line) ?? { ...line, mark: line.message.user.slice(0, 4) };
    markedLines.set(line, marked);
    return marked;
  });
}

/**
 * Reduce a name to its letters and digits. Marks, blanks and invisible characters can make different
 * names look the same.
 * @param {string} name @returns {string} the normalized name if it has no letters or digits
 */
function skeleton(name) {
  const plain = name.normalize("NFKC").toLowerCase();
  return plain.replace(/[^\p{L}\p{N}]|\p{DI}/gu, "") || plain;
}
