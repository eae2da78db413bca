// Validates what the push broker delivers before anything else uses it. Whoever may publish there could send
// anything, so a push passes the same checks as a transcript.

import { isChannelName } from "../state/channel_names.js";
import { readRecords, record, string } from "./records.js";

/** @typedef {import("../state.js").Push} Push */

/** Source: AWS General Reference, "AWS IoT Core endpoints and quotas", maximum payload. */
const LIMIT_BYTES = 128 * 1024;
/** @type {Omit<Push, "channel">} */
const NOTICE = { notice: true, after: "", messages: [], edited: [], changes: [] };

/**
 * Read a push, leaving out invalid messages and changes.
 * @param {string} channel as in the topic
 * @param {Uint8Array} payload JSON in UTF-8: {"channel", "changed": time} or {"channel", "after"?,
 *   "messages"?: [oldest ... newest], "edited"?, "changes"?}
 * @returns {Push | null} null if it is not a push of this channel, or has nothing valid in it
 */
export function readPush(channel, payload) {
  const raw = parse(payload);
  if (!isChannelName(channel) || raw.channel !== channel) return null;
  if (raw.changed) return { channel, ...NOTICE };
  const { messages = [], edited = [], changes = [] } = raw;
  if (!Array.isArray(messages) || !Array.isArray(edited) || !Array.isArray(changes)) return null;
  const inserted = readRecords(messages, changes);
  const [first] = inserted.messages;
  const after = string(raw.after);
  if (first && !(typeof raw.after === "string" && after < first.id)) return null;
  const push = { ...inserted, edited: readRecords(edited, []).messages };
  if (!Object.values(push).some(({ length }) => length > 0)) return null;
  return { channel, notice: false, after: first ? after : "", ...push };
}

/** @param {Uint8Array} payload @returns {Record<string, unknown>} empty if it is not a JSON object */
function parse(payload) {
  if (payload.byteLength > LIMIT_BYTES) return {};
  try {
    return record(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
  } catch {
    return {};
  }
}
