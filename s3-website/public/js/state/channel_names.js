// Decides which channel names are valid, and what typed text and an address mean. All functions are
// pure.

export const DEFAULT_CHANNEL = "default";
const NAME_LENGTH = 64;
const CHANNEL_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
// names of objects in the data folder that are not transcripts
const RESERVED = ["channels", "stats"];

/**
 * Turn typed text into a channel name: "My Channel" becomes my-channel. If more has to change
 * ("Café!"), the name is only a suggestion.
 * @param {string} typed
 * @returns {{name: string, why: string}} `why` it is refused, or ""; if refused, `name` is a
 *   suggestion or ""
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
      : `“${name}” is reserved. Choose another name.`;
  }
  return "Use lower-case letters, digits and dashes. Start with a letter or a digit.";
}

/**
 * Read the channel from the URL's hash.
 * @param {string} hash as location.hash
 * @returns {{name: string, why: string}} `why` the name is invalid; both "" without a name
 */
export function channelInHash(hash) {
  const written = hash.replace(/^#/, "");
  if (!written) return { name: "", why: "" };
  if (isChannelName(written)) return { name: written, why: "" };
  return { name: "", why: "There is no such channel: the address is wrong." };
}

/** @param {unknown} name @returns {name is string} whether store_message accepts it */
export function isChannelName(name) {
  return typeof name === "string" && CHANNEL_NAME.test(name) && !RESERVED.includes(name);
}
