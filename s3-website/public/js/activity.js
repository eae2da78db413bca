// Owns the activity of the whole chat: the shape of data/stats.json, what is left of it some minutes
// later, the geometry and the words of its charts. Pure: it must not touch the DOM. Like
// view_activity.js it is loaded when it is first wanted.

import { ShapeError } from "./aws.js";
import { isChannelName } from "./channels.js";
import { record } from "./messages.js";

/** @typedef {import("./state.js").Activity} Activity */

const MINUTES = 60;
const MINUTE_MS = 60_000;
const CHANNELS = 50;
const QUIET_DAY = Object.freeze({ messages: 0, people: 0, channels: Object.freeze([]) });
/** a bar's width without the gap, of 1 */
const BAR = 0.8;
/** of the busiest channel's bar: the shortest that is still to be seen */
const SHORTEST = 0.01;
/** a person's count is an estimate: exact up to about here */
const EXACT_PEOPLE = 100;
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/**
 * @param {Record<string, unknown>} raw {"generated_at", "per_minute": [60], "today": {"date",
 *   "messages", "channels": {name: count}, "people"}}
 * @returns {Activity}
 * @throws {ShapeError} if it does not say when it was made
 */
export function parseStats({ generated_at, per_minute, today }) {
  const generatedAt = typeof generated_at === "string" ? Date.parse(generated_at) : NaN;
  if (Number.isNaN(generatedAt)) throw new ShapeError("The activity has no time.");
  const minutes = Array.isArray(per_minute) ? per_minute.slice(-MINUTES).map(count) : [];
  const perMinute = [...zeros(MINUTES - minutes.length), ...minutes];
  const { date, messages, channels, people } = record(today);
  const day = { messages: count(messages), people: count(people), channels: ranked(channels) };
  return { generatedAt, perMinute, ...(date === dayOf(generatedAt) ? day : QUIET_DAY) };
}

/**
 * The same activity as it looks at another time: minutes that have gone by since are empty, and
 * so is a new day (UTC).
 * @param {Activity} activity @param {number} now milliseconds since the epoch, by AWS's clock
 * @returns {Activity}
 */
export function aged(activity, now) {
  const gone = Math.floor(now / MINUTE_MS) - Math.floor(activity.generatedAt / MINUTE_MS);
  if (!(gone > 0)) return activity;
  const perMinute = [...activity.perMinute, ...zeros(Math.min(gone, MINUTES))].slice(-MINUTES);
  const day = dayOf(now) === dayOf(activity.generatedAt) ? {} : QUIET_DAY;
  return { ...activity, generatedAt: now, perMinute, ...day };
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

/** @param {number} time @returns {string} YYYY-MM-DD, UTC */
function dayOf(time) {
  return new Date(time).toISOString().slice(0, 10);
}

/** @param {unknown} value @returns {number} a count, 0 for what is none */
function count(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** @param {number} length */
function zeros(length) {
  return Array.from({ length }, () => 0);
}

/**
 * The scale's end: 4, or the first of 10, 20, 50, 100, 200 … that holds the value. All are even.
 * @param {number} value @returns {number}
 */
export function scaleEnd(value) {
  if (value <= 4) return 4;
  let end = 10;
  for (let step = 0; end < value; step++) end *= step % 3 === 1 ? 2.5 : 2;
  return end;
}

/**
 * One bar for each number, each 1 wide, standing on y = `height`.
 * @param {readonly number[]} values @param {number} end the value that is `height` high
 * @param {number} height @param {number} [from] where the first bar stands
 * @returns {string} a path's `d`; "" when all are 0
 */
export function barPath(values, end, height, from = 0) {
  return values
    .map((value, place) => {
      if (!value) return "";
      // one message among thousands is still to be seen
      const high = round(Math.max((value / end) * height, height / 50));
      return `M${round(from + place + (1 - BAR) / 2)} ${height}v-${high}h${BAR}v${high}z`;
    })
    .join("");
}

/** @param {Activity} activity @returns {{now: number, most: number, total: number}} of the hour */
export function hour({ perMinute }) {
  return {
    now: perMinute.at(-1) ?? 0,
    most: Math.max(0, ...perMinute),
    total: perMinute.reduce((sum, value) => sum + value, 0),
  };
}

/** @param {Activity} activity @returns {string} what the chart of the hour shows, in words */
export function hourText(activity) {
  const { now, most, total } = hour(activity);
  if (!total) return "No message in the last hour";
  return `${number(total)} in the last hour, ${number(most)} at most, ${number(now)} this minute`;
}

/**
 * The busiest channels; a share is relative to the first.
 * @param {Activity} activity @param {number} limit
 * @returns {{name: string, messages: number, share: number}[]}
 */
export function busiest({ channels }, limit) {
  const most = channels[0]?.messages ?? 0;
  return channels
    .slice(0, limit)
    .map((one) => ({ ...one, share: round(Math.max(one.messages / most, SHORTEST)) }));
}

/** @param {Activity} activity @param {number} limit @returns {string} "" when those are all */
export function othersText({ channels, messages }, limit) {
  const shown = channels.slice(0, limit).reduce((sum, one) => sum + one.messages, 0);
  return messages > shown ? `${number(messages - shown)} in other channels` : "";
}

/**
 * The hour in steps, for a table.
 * @param {Activity} activity @param {number} [minutes]
 * @returns {{time: string, messages: number}[]} oldest first
 */
export function steps({ perMinute, generatedAt }, minutes = 5) {
  const start = generatedAt - (perMinute.length - 1) * MINUTE_MS;
  return Array.from({ length: Math.ceil(perMinute.length / minutes) }, (_, step) => {
    const part = perMinute.slice(step * minutes, (step + 1) * minutes);
    const from = start + step * minutes * MINUTE_MS;
    const to = from + (part.length - 1) * MINUTE_MS;
    const messages = part.reduce((sum, value) => sum + value, 0);
    return { time: TIME.formatRange(from, to), messages };
  });
}

/** @param {number} people @returns {string} */
export function peopleText(people) {
  return people > EXACT_PEOPLE ? `≈\u202f${number(people)}` : number(people);
}

/** @param {number} value @returns {string} */
export function number(value) {
  return value.toLocaleString();
}

/** @param {number} value @returns {number} as short as a path needs it */
function round(value) {
  return Math.round(value * 1000) / 1000;
}
