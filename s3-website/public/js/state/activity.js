// Ages the numbers of the activity panel as time passes, and finds the channels with new messages. Pure.

/** @typedef {import("../state.js").Activity} Activity */

export const MINUTES = 60;
const MINUTE_MS = 60_000;
export const QUIET_DAY = { messages: 0, people: 0, channels: [] };

/**
 * Return the activity as seen at a later time: the minutes since then are empty, and so is a new day
 * (UTC).
 * @param {Activity} activity @param {number} now milliseconds since the epoch, by AWS's clock
 * @returns {Activity}
 */
export function aged(activity, now) {
  const gone = Math.floor(now / MINUTE_MS) - Math.floor(activity.generatedAt / MINUTE_MS);
  if (!(gone > 0)) return activity;
  const perMinute = [...activity.perMinute, ...Array(Math.min(gone, MINUTES)).fill(0)].slice(-MINUTES);
  const day = dayOf(now) === dayOf(activity.generatedAt) ? {} : QUIET_DAY;
  return { ...activity, generatedAt: now, perMinute, ...day };
}

/**
 * Return the channels with messages since an earlier reading, each with their number. Counts are of a
 * day (UTC): after midnight the earlier ones say nothing, and any number may have come.
 * @param {Activity | null} before @param {Activity | null} after neither of them aged
 * @returns {Map<string, number>} busiest first
 */
export function busier(before, after) {
  const isSameDay = before && after && dayOf(before.generatedAt) === dayOf(after.generatedAt);
  const known = new Map(before?.channels.map(({ name, messages }) => [name, messages]));
  const news = new Map();
  for (const { name, messages } of after?.channels ?? []) {
    const more = isSameDay ? Math.abs(messages - (known.get(name) ?? 0)) : Infinity;
    if (more) news.set(name, more);
  }
  return news;
}

/** @param {number} time @returns {string} YYYY-MM-DD, UTC */
export function dayOf(time) {
  return new Date(time).toISOString().slice(0, 10);
}
