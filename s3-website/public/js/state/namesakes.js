// Owns the mark that tells apart two people of a channel who have one name. Pure.

/** @typedef {import("./lines.js").Line} Line */

/** @type {WeakMap<Line, Line>} by the line without its mark: one that did not change stays the same */
const markedLines = new WeakMap();

/**
 * Two people may have one name, or take one: where they are in one channel, each is marked by a part
 * of their id.
 * @param {readonly Line[]} list @returns {readonly Line[]} the same where nobody is marked
 */
export function disambiguated(list) {
  /** @type {Map<string, string>} by name: who has it, "" where several have */
  const people = new Map();
  /** @type {Map<string, string>} by name: making one is slow, and a few people write all lines */
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
 * What of a name tells two apart: its letters and digits. Marks, blanks and what is not drawn can make
 * a name that looks like another.
 * @param {string} name @returns {string} the name itself where it has none
 */
function skeleton(name) {
  const plain = name.normalize("NFKC").toLowerCase();
  return plain.replace(/[^\p{L}\p{N}]|\p{DI}/gu, "") || plain;
}
