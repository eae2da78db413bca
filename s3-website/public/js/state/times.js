// Formats times in the reader's language and time zone. The clock is an argument.

/** @param {Intl.DateTimeFormatOptions} options constructed once: constructing a format is slow */
const format = (options) => new Intl.DateTimeFormat(undefined, options);

const TIME = format({ timeStyle: "short" });
const FULL = format({ dateStyle: "full", timeStyle: "medium" });
const DAY = format({ weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** @param {number} at ms since the epoch @returns {number} 20260131; NaN for an invalid time */
export function dayOf(at) {
  const date = new Date(at);
  return date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate();
}

/** @param {number} at @param {number} now @returns {string} "Today", "Yesterday" or the date */
export function dayLabel(at, now) {
  const [date, today] = [new Date(at), new Date(now)];
  if (dayOf(at) === dayOf(now)) return "Today";
  // not 24 hours earlier: a calendar day may have 23 or 25
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (dayOf(at) === dayOf(yesterday.getTime())) return "Yesterday";
  return (date.getFullYear() === today.getFullYear() ? DAY : DAY_AND_YEAR).format(date);
}

/** @param {number} at @returns {{short: string, full: string}} */
export const timeText = (at) => ({ short: TIME.format(at), full: FULL.format(at) });
