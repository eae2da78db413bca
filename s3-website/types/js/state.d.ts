/** Types of the page's state, which state/ computes and view/ draws. */

/** A stored message: a line of a transcript or an item of the table. */
export interface Message {
  /** `<ISO time>#<client id or message id>`: sorts by time, unique in its channel */
  id: string;
  name: string;
  /** as written, not escaped; "" when deleted */
  text: string;
  /** 16 hex digits that identify the sender */
  user: string;
  /** an https address at googleusercontent.com, or "" */
  picture: string;
  /** ISO 8601; "" when unknown */
  sentAt: string;
  clientId: string;
  kind: "user" | "operator";
  edited: boolean;
  deleted: boolean;
  /** id of the last edit or delete, or only its time; the later version wins */
  version?: string;
}

/** An edit or a delete of a message, by its sender or an operator. */
export interface Change {
  /** like a message's id; ends with the client id that the page gave the change */
  id: string;
  /** id of the changed message */
  target: string;
  kind: "edit" | "delete";
}

/** The result of reading a channel: its transcript, completed from the table. */
export interface Reading {
  /** in any order */
  messages: readonly Message[];
  /** in any order */
  changes: readonly Change[];
  /** every message from this id on is included; "" means the whole channel, "~" none */
  from: string;
  /** every change of other messages since this time is included */
  changesSince: string;
  /** when the table was read, ISO 8601; "" when unknown */
  asOf: string;
}

/** A push: the newest end of a channel's transcript, and single messages of the channel. */
export interface Push {
  channel: string;
  /** whether it reports only that the channel has changed */
  notice: boolean;
  /** id of the message right before `messages`; "" if they begin the channel, or if there are none */
  after: string;
  /** oldest first, without a gap */
  messages: readonly Message[];
  /** other messages, as they are now */
  edited: readonly Message[];
  /** of messages that the transcript no longer holds */
  changes: readonly Change[];
}

/** The newest rows of a range of the table. */
export interface Rows {
  /** oldest first */
  messages: readonly Message[];
  /** in any order */
  changes: readonly Change[];
  /** whether the range has older rows */
  more: boolean;
}

/** A message or change by this person that is not confirmed as stored yet. */
export interface Outgoing {
  clientId: string;
  channel: string;
  text: string;
  /** for a change of the message `target`; absent for a new message */
  action?: Change["kind"];
  target?: string;
  /**
   * queued: waits for the network, an earlier message or the rate limit; sending: a request is in
   * flight; sent: SNS accepted it, no transcript shows it yet; failed: waits for Retry or Discard
   */
  state: "queued" | "sending" | "sent" | "failed";
  /** why it failed or waits, as shown to the person; else "" */
  why: string;
  /** when it was queued or, once sent, accepted; ms since the epoch */
  at: number;
}

export interface Channel {
  /** oldest first, ids unique; at most 5,000, or as far as the reader scrolled back; at most 500
   * while another channel is open */
  messages: readonly Message[];
  /** a transcript, even an empty one, and any unread messages before it have been read */
  loaded: boolean;
  /** the messages are at least as new as the table at this time, ISO 8601; "" before the first read */
  asOf: string;
  /**
   * no message up to this id is missing, except for a late one. Later messages were pushed, so a late
   * one may be missing among them. "" if nothing was pushed since the last reading
   */
  readTo: string;
  /** the latest change of each message, loaded or not: a late read must not undo it */
  changes: readonly Change[];
  draft: string;
  /** the message being edited and its text so far; the draft is kept meanwhile */
  editing: { id: string; text: string } | null;
  /** loaded messages by others that are newer than `lastRead` */
  unread: number;
  /** whether an unread message mentions the person */
  mentioned: boolean;
  /** id of the newest message that the person has seen; "" when unknown */
  lastRead: string;
  /** the "New messages" divider follows this id; "" for no divider */
  divider: string;
  /** what lies before `messages[0]` */
  earlier: "more" | "loading" | "none" | "failed";
}

export interface Person {
  name: string;
  user: string;
  picture: string;
}

export interface Settings {
  theme: "auto" | "light" | "dark";
  notifications: boolean;
  sound: boolean;
}

/** data/stats.json, validated. */
export interface Activity {
  /** ms since the epoch */
  generatedAt: number;
  /** messages per minute, oldest first: 60 numbers, the last for the minute of `generatedAt` */
  perMinute: readonly number[];
  /** today's channels (UTC), busiest first */
  channels: readonly { name: string; messages: number }[];
  /** distinct senders today (UTC) */
  people: number;
  /** messages today (UTC) */
  messages: number;
}

export type Phase = "loading" | "signed_out" | "signing_in" | "connected" | "ended";

export interface State {
  phase: Phase;
  person: Person | null;
  /** the open channel, as in the URL's hash */
  channel: string;
  /** channels to list, visited ones first; always includes the open one and "default" */
  names: readonly string[];
  /** channels that the person has opened: polled and listed before others */
  visited: readonly string[];
  /** whether the list of channels has been read, or failed to load; until then rows may still move */
  listed: boolean;
  channels: Readonly<Record<string, Channel>>;
  /** for all channels, in sending order */
  outbox: readonly Outgoing[];
  /** whether pushes arrive; "none" in a chat without push */
  push: "none" | "off" | "live";
  /**
   * the open channel's newest message at the last push, or at the first reading since pushes arrive;
   * null before that reading
   */
  pushedTo: string | null;
  /** when this person signed in, as ids begin; "" before */
  since: string;
  online: boolean;
  endsSoon: boolean;
  /** a connection problem that resolves by itself; "" when there is none */
  trouble: string;
  /** a message that stays until the person acts; "" when there is none */
  notice: string;
  /** the panel open beside the messages, or over them on a phone */
  panel: "none" | "channels" | "activity" | "settings";
  activity: Activity | null;
  settings: Settings;
}

/** Callbacks from the view to main.js. */
export interface Handlers {
  onDraft(text: string): void;
  onSend(): void;
  onSignOut(): void;
  /** retry a failed message of the outbox */
  onRetry(clientId: string): void;
  onDiscard(clientId: string): void;
  /** edit this message in the text box */
  onEdit(id: string): void;
  onCancelEdit(): void;
  onDelete(id: string): void;
  /** open a listed channel */
  onChannel(name: string): void;
  onPanel(panel: State["panel"]): void;
  /** the reader scrolled close to the oldest loaded message */
  onReachTop(): void;
  /** the reader reached or left the newest message */
  onAtEnd(atEnd: boolean): void;
  onTheme(theme: Settings["theme"]): void;
  onNotifications(wanted: boolean): void;
  onSound(wanted: boolean): void;
}
