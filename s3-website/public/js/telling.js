// Owns what is told to a person who does not look: the number in the title, a notification when
// they are mentioned, a sound. It must not know how: notify.js does.

import { news } from "./channels.js";
import { channelOf } from "./chat.js";
import { mentions } from "./messages.js";
import { unreadOf } from "./status.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {{notifier: Pick<import("./notify.js").Notifier, "title" | "mention" | "chime">,
 *   hidden: () => boolean, seen: () => boolean, onNews: () => void}} World
 *   `seen`: the reader looks at the end of the open channel
 */

/**
 * @param {World} world
 * @returns {(before: State, after: State) => void} tells what has come between the two
 */
export function createTelling({ notifier, hidden, seen, onNews }) {
  return (before, after) => {
    if (before.channels === after.channels) return;
    const { unread, mentioned } = unreadOf(after);
    notifier.title(unread, mentioned);
    for (const [name, channel] of Object.entries(after.channels)) {
      const fresh = news(channelOf(before, name), channel, after.person);
      if (!fresh.length) continue;
      onNews();
      const named = fresh.filter(({ text }) => mentions(text, after.person?.name ?? ""));
      const missed = name === after.channel ? !seen() : hidden() || named.length > 0;
      if (after.settings.sound && missed) notifier.chime();
      const last = named.at(-1);
      if (after.settings.notifications && last) notifier.mention(last, name);
    }
  };
}
