// Decides which new messages change the title, raise a notification or play a sound, and when a notification
// closes. It must not know how they are shown: notifier.js does.

import { countText, news } from "../state/channel.js";
import { channelOf } from "../state/chat.js";
import { unreadOf } from "../state/status.js";
import { mentions } from "../state/text.js";

/**
 * @typedef {import("./notifier.js").Notifier} Notifier
 * @typedef {import("../state.js").State} State
 * @typedef {{notifier: Pick<Notifier, "title" | "mention" | "chime" | "dismiss" | "dismissAll">,
 *   hidden: () => boolean, seen: () => boolean, onNews: () => void}} World
 *   `seen`: whether the reader sees the end of the open channel; `onNews`: a message arrived in it
 */

/**
 * @param {World} world
 * @returns {(before: State, after: State) => void} raises alerts for what differs
 */
export function createAlerts({ notifier, hidden, seen, onNews }) {
  return (before, after) => {
    if (before.person && before.person.user !== after.person?.user) notifier.dismissAll();
    if (before.channels === after.channels) return;
    const { unread, more, mentioned } = unreadOf(after);
    notifier.title(countText(unread, more), mentioned);
    for (const [name, channel] of Object.entries(after.channels)) {
      if (channelOf(before, name).unread && !channel.unread) notifier.dismiss(name);
      const incoming = news(channelOf(before, name), channel, after.person, after.since);
      if (!incoming.length) continue;
      if (name === after.channel) onNews();
      const mentioning = incoming.filter(({ text }) => mentions(text, after.person?.name ?? ""));
      const isMissed = name === after.channel ? !seen() : hidden() || mentioning.length > 0;
      if (after.settings.sound && isMissed) notifier.chime();
      const last = mentioning.at(-1);
      if (after.settings.notifications && last) notifier.mention(last, name);
    }
  };
}
