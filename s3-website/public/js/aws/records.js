// Validates what AWS holds, messages, changes and the activity, before anything else uses it.

import { dayOf, MINUTES, QUIET_DAY } from "../state/activity.js";
import { isChannelName } from "../state/channel_names.js";
import { ShapeError } from "./request.js";

/**
 * @typedef {import("../state.js").Message} Message
 * @typedef {import("../state.js").Change} Change
 * @typedef {import("../state.js").Activity} Activity
 * @typedef {{messages: Message[], changes: Change[]}} Records
 */

const CHANNELS = 50;
const NAME_LIMIT = 200;
const PICTURE_LIMIT = 1_000;
// no port and no user name, which could disguise the host
const PICTURE = /^https:\/\/([a-z0-9-]+\.)+googleusercontent\.com\/[\x21-\x7e]*$/;

/** @param {unknown[]} messages @param {unknown[]} changes @returns {Records} the valid ones */
export function readRecords(messages, changes) {
  return {
    messages: messages.map(readMessage).filter((message) => message !== null),
    changes: changes.map(readChange).filter((change) => change !== null),
  };
}

/**
 * @param {Record<string, unknown>} raw {"generated_at", "per_minute": [60], "today": {"date",
 *   "messages", "channels": {name: count}, "people"}}
 * @returns {Activity}
 * @throws {ShapeError} if `generated_at` is not a time
 */
export function parseStats({ generated_at, per_minute, today }) {
  const generatedAt = Date.parse(string(generated_at));
  if (Number.isNaN(generatedAt)) throw new ShapeError("No time.");
  const minutes = Array.isArray(per_minute) ? per_minute.slice(-MINUTES).map(count) : [];
  const perMinute = [...Array(MINUTES - minutes.length).fill(0), ...minutes];
  const { date, messages, channels, people } = record(today);
  const day = { messages: count(messages), people: count(people), channels: ranked(channels) };
  return { generatedAt, perMinute, ...(date === dayOf(generatedAt) ? day : QUIET_DAY) };
}

/** @param {unknown} channels {name: count} @returns {{name: string, messages: number}[]} */
function ranked(channels) {
  return Object.entries(record(channels))
    .filter(([name]) => isChannelName(name))
    .map(([name, messages]) => ({ name, messages: count(messages) }))
    .filter(({ messages }) => messages > 0)
    .sort((a, b) => b.messages - a.messages || (a.name < b.name ? -1 : 1))
    .slice(0, CHANNELS);
}

/** @param {unknown} value @returns {number} 0 for anything but a count */
function count(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/**
 * Validate one message of a transcript or of the table.
 * @param {unknown} raw {id, name, message, user?, picture?, sent_at, client_id?, kind, edited_at?,
 *   deleted_at?, changed_by?}
 * @returns {Message | null} null if it is not a message that can be shown
 */
export function readMessage(raw) {
  const { id, name, message, user, picture, sent_at, client_id, kind, ...last } = record(raw);
  const deleted = string(last.deleted_at) !== "";
  const version = string(last.changed_by) || string(last.deleted_at) || string(last.edited_at);
  if (typeof id !== "string" || !id) return null;
  if (kind !== "user" && kind !== "operator") return null;
  if (typeof message !== "string" && !deleted) return null;
  return {
    id,
    name: (string(name).trim() || "Someone").slice(0, NAME_LIMIT).toWellFormed(),
    text: deleted ? "" : string(message).toWellFormed(),
    user: string(user),
    picture: pictureUrl(picture),
    sentAt: Number.isNaN(Date.parse(string(sent_at))) ? "" : string(sent_at),
    clientId: string(client_id),
    kind,
    edited: !deleted && string(last.edited_at) !== "",
    deleted,
    ...(version && { version }),
  };
}

/**
 * Validate one change of a transcript or of the table.
 * @param {unknown} raw {id, target, kind}
 * @returns {Change | null} null if it is not a change
 */
export function readChange(raw) {
  const { id, target, kind } = record(raw);
  if (typeof id !== "string" || typeof target !== "string" || !target || id <= target) return null;
  return kind === "edit" || kind === "delete" ? { id, target, kind } : null;
}

/** @param {unknown} value @returns {string} the https URL of a picture at Google, or "" */
export function pictureUrl(value) {
  const isValid = typeof value === "string" && value.length <= PICTURE_LIMIT && PICTURE.test(value);
  return isValid ? value : "";
}

/**
 * @param {unknown} value any JSON value
 * @returns {Record<string, unknown>} its fields; empty if it is not an object
 */
export function record(value) {
  const isValid = typeof value === "object" && value !== null && !Array.isArray(value);
  return isValid ? /** @type {Record<string, unknown>} */ (value) : {};
}

/** @param {unknown} value @returns {string} "" for anything but a string */
export function string(value) {
  return typeof value === "string" ? value : "";
}
