// Owns what a channel may be called, which channels are listed, and which is looked at next. All functions
// are pure.

/** @typedef {import("../state.js").Channel} Channel */

export const DEFAULT_CHANNEL = "default";
const NAME_LENGTH = 64;
const CHANNEL_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
// these objects of the data folder are no transcripts
const RESERVED = ["channels", "stats"];

/**
 * The name that is meant by what somebody typed: "My Channel" is my-channel. Where more has to be
 * changed ("Café!") it is a proposal.
 * @param {string} typed
 * @returns {{name: string, why: string}} `why` it is not taken, or ""; then `name` is a proposal, or ""
 */
export function channelName(typed) {
  const name = typed.trim().toLowerCase().replace(/^#+/, "").trim().replace(/[\s_]+/g, "-");
  const plain = name.replaceAll("ß", "ss").normalize("NFKD").replace(/\p{M}/gu, "");
  const parts = plain.replace(/[^a-z0-9]+/g, " ").slice(0, NAME_LENGTH).trim();
  const proposal = parts.replaceAll(" ", "-");
  if (isChannelName(name)) return { name, why: "" };
  if (!isChannelName(proposal)) return { name: "", why: whyNot(name) };
  return { name: proposal, why: `${whyNot(name)} How about “${proposal}”?` };
}

/** @param {string} name */
function whyNot(name) {
  if (!name) return "Type a name.";
  if (/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    return name.length > NAME_LENGTH
      ? `At most ${NAME_LENGTH} characters.`
      : `“${name}” is kept for the chat itself. Choose another name.`;
  }
  return "Use lower-case letters, digits and dashes. Start with a letter or a digit.";
}

/**
 * The channel that an address names.
 * @param {string} hash as location.hash
 * @returns {{name: string, why: string}} no name and no `why` when it names none
 */
export function channelInHash(hash) {
  const written = hash.replace(/^#/, "");
  if (!written) return { name: "", why: "" };
  if (isChannelName(written)) return { name: written, why: "" };
  return { name: "", why: "There is no such channel: the address is wrong." };
}

/**
 * The channels to list: every name once, those that the person visits first, each part sorted.
 * @param {readonly string[]} names @param {readonly string[]} more
 * @param {readonly string[]} [visited]
 * @returns {readonly string[]} the same list when it has them all: no row moves for another reason
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
 * The channel to look at next for unread messages: one after the other, never the open one.
 * @param {readonly string[]} names @param {string} open
 * @param {string} last the one that was looked at last; "" at first
 * @returns {string} "" when there is no other
 */
export function nextProbe(names, open, last) {
  const others = names.filter((name) => name !== open).sort();
  return others.find((name) => name > last) ?? others[0] ?? "";
}

/** @param {unknown} name @returns {name is string} as store_message takes it */
export function isChannelName(name) {
  return typeof name === "string" && CHANNEL_NAME.test(name) && !RESERVED.includes(name);
}
