// Owns what a message is, and how lists of messages are put together. All functions are pure.

/**
 * @typedef {{id: string, name: string, text: string, user: string, sentAt: string,
 *   clientId: string, kind: "user" | "operator"}} Message
 */

export const LINE_LIMIT = 500;
const NAME_LIMIT = 200;
// messages of one moment may be stored a little out of order: a gap is read with this overlap
const OVERLAP_MS = 10_000;

/**
 * Check one message of a transcript or of the table.
 * @param {unknown} raw {id, name, message, user?, sent_at, client_id?, kind}
 * @returns {Message | null} null when it is not a message that can be shown
 */
export function readMessage(raw) {
  if (typeof raw !== "object" || raw === null) return null;
  const { id, name, message, user, sent_at, client_id, kind } =
    /** @type {Record<string, unknown>} */ (raw);
  if (typeof id !== "string" || !id || typeof message !== "string") return null;
  return {
    id,
    name: (string(name).trim() || "Someone").slice(0, NAME_LIMIT),
    text: message,
    user: string(user),
    sentAt: string(sent_at),
    clientId: string(client_id),
    kind: kind === "operator" ? "operator" : "user",
  };
}

/**
 * What lies between the newest message on screen and the oldest of a transcript, if they do not
 * meet: more came than a transcript holds.
 * @param {readonly Message[]} known @param {readonly Message[]} incoming
 * @returns {{after: string, before: string} | null} ids
 */
export function gap(known, incoming) {
  const newest = known.at(-1);
  const oldest = incoming[0];
  if (!newest || !oldest || oldest.id <= newest.id) return null;
  const sentAt = Date.parse(newest.sentAt);
  const after = Number.isNaN(sentAt) ? newest.id : new Date(sentAt - OVERLAP_MS).toISOString();
  return { after: after < newest.id ? after : newest.id, before: oldest.id };
}

/**
 * Union by id, oldest first, the newest LINE_LIMIT. A message that its sender's page sent twice
 * (same client id) is one line.
 * @param {readonly Message[]} known @param {readonly Message[]} incoming
 * @returns {readonly Message[]}
 */
export function merged(known, incoming) {
  const byId = new Map([...known, ...incoming].map((message) => [message.id, message]));
  const sorted = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const sent = new Set();
  const once = sorted.filter(({ user, clientId }) => {
    const key = `${user} ${clientId}`;
    if (!clientId || !sent.has(key)) return sent.add(key);
    return false;
  });
  return once.slice(-LINE_LIMIT);
}

/** @param {unknown} value */
function string(value) {
  return typeof value === "string" ? value : "";
}
