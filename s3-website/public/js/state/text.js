// Splits a text into plain text, links, code and mentions, in linear time. Pure. It must not make HTML: the
// tokens' texts, joined, are the original text.

/**
 * @typedef {{kind: "text" | "link" | "code" | "block" | "fence" | "mention", text: string,
 *   href?: string}} Token `fence`: the hidden marks around code
 */

export const NOBODY = /** @type {readonly string[]} */ ([]);
const FENCE = "(?<open>\\n?```(?:[\\w+#.-]{0,20}\\n)?)(?<block>[^]+?)(?<close>\\n?```\\n?)";
const CODE = "`(?<code>[^`\\n]+)`";
// a link ends before a mark that changes the text's direction
const TURNS = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";
const LINK = `(?<link>\\bhttps?:\\/\\/[^\\s<>"\`\\p{Cc}${TURNS}]+)`;
const WORD = "\\p{L}\\p{N}\\p{M}_";
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;
const PUNCTUATION = ".,:;!?'*…‥。、，．：；！？」』）】》〉”’»";
const OPENING = "([{";
const CLOSING = ")]}";
const JUMBO_LENGTH = 32;
const JOINED = "[\\p{Emoji_Modifier}\\u200d\\ufe0f\\u{e0020}-\\u{e007f}]*";
const FLAG_OR_SPACE = "\\p{Regional_Indicator}{2}|\\s";
const EMOJI = new RegExp(`^(?:\\p{Extended_Pictographic}${JOINED}|${FLAG_OR_SPACE})+$`, "u");

/** caches of the last result: a page marks one person's mentions */
let lastNames = { name: "", names: NOBODY };
let matcher = { names: NOBODY, pattern: patternFor(NOBODY) };

/**
 * Return what can follow an @ to mention a person: the name or its first word, longest first.
 * @param {string} name
 * @returns {readonly string[]} none for a name without letters; the same array for the same name
 */
export function mentionNames(name) {
  if (name !== lastNames.name) lastNames = { name, names: namesIn(name) };
  return lastNames.names;
}

/** @param {string} name @returns {readonly string[]} in both composed and decomposed form */
function namesIn(name) {
  const words = name.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const names = [words.join(" "), words[0] ?? ""].filter(Boolean);
  return [...new Set(names.flatMap((text) => [text.normalize("NFC"), text.normalize("NFD")]))];
}

/**
 * @param {string} text @param {readonly string[]} [names] whose mentions count, longest first
 * @returns {Token[]}
 */
export function tokens(text, names = NOBODY) {
  if (names !== matcher.names) matcher = { names, pattern: patternFor(names) };
  /** @type {Token[]} */
  const list = [];
  let from = 0;
  for (const match of text.matchAll(matcher.pattern)) {
    const parts = tokensOf(match[0], match.groups ?? {});
    if (!parts.length) continue;
    if (match.index > from) list.push({ kind: "text", text: text.slice(from, match.index) });
    list.push(...parts);
    from = match.index + parts.reduce((sum, token) => sum + token.text.length, 0);
  }
  if (from < text.length) list.push({ kind: "text", text: text.slice(from) });
  return list;
}

/** @param {string} text @param {string} name @returns {boolean} whether the text mentions it */
export function mentions(text, name) {
  const names = text.includes("@") ? mentionNames(name) : NOBODY;
  return names.length > 0 && tokens(text, names).some(({ kind }) => kind === "mention");
}

/** @param {string} text @returns {boolean} whether it is only a few emoji, which are shown larger */
export function isJumbo(text) {
  return text.length <= JUMBO_LENGTH && EMOJI.test(text);
}

/** @param {readonly string[]} names @returns {RegExp} */
function patternFor(names) {
  const quoted = names.map((name) => name.replace(SYNTAX, "\\$&").replaceAll(" ", "\\s+"));
  // no word character before it, as in an e-mail address, and none after it
  const mention = `(?<mention>(?<![${WORD}@.-])@(?:${quoted.join("|")})(?![${WORD}]))`;
  return new RegExp([FENCE, CODE, LINK, ...(quoted.length ? [mention] : [])].join("|"), "giu");
}

/**
 * @param {string} whole @param {Record<string, string | undefined>} groups
 * @returns {Token[]} for the whole match or its start; none if it is plain text after all
 */
function tokensOf(whole, { open = "", block, close = "", code, link, mention }) {
  const fence = (/** @type {string} */ text) => /** @type {Token} */ ({ kind: "fence", text });
  if (block?.trim()) return [fence(open), { kind: "block", text: block }, fence(close)];
  if (code?.trim()) return [fence("`"), { kind: "code", text: code }, fence("`")];
  if (mention) return [{ kind: "mention", text: whole }];
  return link ? linkOf(link) : [];
}

/** @param {string} written @returns {Token[]} */
function linkOf(written) {
  const text = written.slice(0, linkLength(written));
  try {
    const url = new URL(text);
    // https://bank.example@evil.example looks like the first host and leads to the second
    if (url.username || url.password) return [];
    return [{ kind: "link", text, href: url.href }];
  } catch {
    return [];
  }
}

/** @param {string} text @returns {number} without the punctuation of the sentence around it */
function linkLength(text) {
  /** @type {Record<string, number>} by closing bracket: closing minus opening ones */
  const extra = {};
  const add = (/** @type {string} */ bracket, /** @type {number} */ by) =>
    (extra[bracket] = (extra[bracket] ?? 0) + by);
  for (const [bracket] of text.matchAll(/[()[\]{}]/g)) {
    add(closing(bracket), CLOSING.includes(bracket) ? 1 : -1);
  }
  let length = text.length;
  for (; length > 0; length--) {
    const last = text.charAt(length - 1);
    if (PUNCTUATION.includes(last)) continue;
    if (CLOSING.includes(last) && (extra[last] ?? 0) > 0) add(last, -1);
    else if (OPENING.includes(last)) add(closing(last), 1);
    else break;
  }
  return length;
}

/** @param {string} bracket @returns {string} its closing bracket */
function closing(bracket) {
  return OPENING.includes(bracket) ? CLOSING.charAt(OPENING.indexOf(bracket)) : bracket;
}
