// Computes the geometry and the texts of the activity's charts. Pure.

/** @typedef {import("../state.js").Activity} Activity */

// As in state/activity.js: to import them from there would cost the first view a request.
export const MINUTES = 60;
export const MINUTE_MS = 60_000;
/** minutes of a row of the table */
const STEP = 5;
/** a bar's width as a fraction of its slot */
const BAR = 0.8;
/** the shortest visible bar, as a fraction of the longest */
const SHORTEST = 0.01;
/** the number of people is an estimate above about this */
const EXACT_PEOPLE = 100;
export const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/**
 * Return the end of the scale: 4, or the first of 10, 20, 50, 100, 200 … that fits. All are even.
 * @param {number} value @returns {number}
 */
export function scaleEnd(value) {
  if (value <= 4) return 4;
  let end = 10;
  for (let step = 0; end < value; step++) end *= step % 3 === 1 ? 2.5 : 2;
  return end;
}

/**
 * Draw one bar for each number, 1 wide, on the line y = `height`.
 * @param {readonly number[]} values @param {number} end the value that is `height` high
 * @param {number} height @param {number} [from] x of the first bar
 * @returns {string} a path's `d`; "" when all are 0
 */
export function barPath(values, end, height, from = 0) {
  return values
    .map((value, place) => {
      if (!value) return "";
      // even one message among thousands is visible
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

/** @param {Activity} activity @returns {string} the text for the chart of the hour */
export function hourText(activity) {
  const { now, most, total } = hour(activity);
  if (!total) return "No messages in the last hour";
  return `${number(total)} in the last hour, ${number(most)} at most, ${number(now)} this minute`;
}

/**
 * Return the busiest channels, each with its share of the first one's messages.
 * @param {Activity} activity @param {number} limit
 * @returns {{name: string, messages: number, share: number}[]}
 */
export function busiest({ channels }, limit) {
  const most = channels[0]?.messages ?? 0;
  return channels
    .slice(0, limit)
    .map((channel) => ({ ...channel, share: round(Math.max(channel.messages / most, SHORTEST)) }));
}

/** @param {Activity} activity @param {number} limit @returns {string} "" if there are no others */
export function othersText({ channels, messages }, limit) {
  const shown = channels.slice(0, limit).reduce((sum, channel) => sum + channel.messages, 0);
  return messages > shown ? `${number(messages - shown)} in other channels` : "";
}

/**
 * Sum up the hour in steps, for a table.
 * @param {Activity} activity
 * @returns {{time: string, messages: number}[]} oldest first
 */
export function steps({ perMinute, generatedAt }) {
  const start = generatedAt - (perMinute.length - 1) * MINUTE_MS;
  return Array.from({ length: Math.ceil(perMinute.length / STEP) }, (_, step) => {
    const part = perMinute.slice(step * STEP, (step + 1) * STEP);
    const from = start + step * STEP * MINUTE_MS;
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

/** @param {number} value @returns {number} with at most three decimals */
function round(value) {
  return Math.round(value * 1000) / 1000;
}
