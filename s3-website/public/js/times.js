// Owns how moments are written, in the reader's own time zone and manner. Pure but for those two.

/** @param {Intl.DateTimeFormatOptions} options made once: making one is slow */
const format = (options) => new Intl.DateTimeFormat(undefined, options);
const TIME = format({ hour: "2-digit", minute: "2-digit" });
const FULL = format({ dateStyle: "full", timeStyle: "medium" });
const DAY = format({ weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** @param {number} at ms since the epoch @returns {number} 20260131; NaN when there is no time */
export function dayOf(at) {
  const date = new Date(at);
  return date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate();
}

/** @param {number} at @param {number} now @returns {string} "Today", "Yesterday" or the date */
export function dayLabel(at, now) {
  const date = new Date(at);
  const today = new Date(now);
  if (dayOf(at) === dayOf(now)) return "Today";
  // not 24 hours: a day of the calendar may have 23 or 25
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (dayOf(at) === dayOf(yesterday.getTime())) return "Yesterday";
  return (date.getFullYear() === today.getFullYear() ? DAY : DAY_AND_YEAR).format(date);
}

/** @param {number} at @returns {string} */
export function shortTime(at) {
  return TIME.format(at);
}

/** @param {number} at @returns {string} */
export function fullTime(at) {
  return FULL.format(at);
}
