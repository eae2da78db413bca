// Owns which news is worth the title, a notification or a sound, and when what told of it goes.

import { countText, news } from "../state/channel.js";
import { channelOf } from "../state/chat.js";
import { unreadOf } from "../state/status.js";
import { mentions } from "../state/text.js";

/**
 * @typedef {import("./notifier.js").Notifier} Notifier
 * @typedef {import("../state.js").State} State
 * @typedef {{notifier: Pick<Notifier, "title" | "mention" | "chime" | "dismiss" | "dismissAll">,
 *   hidden: () => boolean, seen: () => boolean, onNews: () => void}} World
 *   `seen`: the reader looks at the end of the open channel; `onNews`: something came there
 */

/**
 * @param {World} world
 * @returns {(before: State, after: State) => void} tells what has come between the two
 */
export function createAlerts({ notifier, hidden, seen, onNews }) {
  return (before, after) => {
    if (before.person && before.person.user !== after.person?.user) notifier.dismissAll();
    if (before.channels === after.channels) return;
    const { unread, more, mentioned } = unreadOf(after);
    notifier.title(countText(unread, more), mentioned);
    for (const [name, channel] of Object.entries(after.channels)) {
      if (channelOf(before, name).unread && !channel.unread) notifier.dismiss(name);
      const incoming = news(channelOf(before, name), channel, after.person);
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
