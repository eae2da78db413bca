// Decides in which order channels are listed and probed. All functions are pure.

/**
 * Return the channels to list, each once: visited ones, then the others, both sorted.
 * @param {readonly string[]} names @param {readonly string[]} more
 * @param {readonly string[]} [visited]
 * @returns {readonly string[]} the same array when no name is new, so that no row moves
 */
export function listed(names, more, visited = []) {
  const known = new Set(names);
  if (more.every((name) => known.has(name))) return names;
  const first = new Set(visited);
  return [...new Set([...names, ...more])].sort(
    (a, b) => Number(first.has(b)) - Number(first.has(a)) || (a < b ? -1 : 1),
  );
}

/**
 * Return the next channel to probe for unread messages: all in turn, except the open one.
 * @param {readonly string[]} names @param {string} open
 * @param {string} last the channel that was probed last; "" at first
 * @returns {string} "" when there is no other channel
 */
export function nextProbe(names, open, last) {
  const others = names.filter((name) => name !== open).sort();
  return others.find((name) => name > last) ?? others[0] ?? "";
}
