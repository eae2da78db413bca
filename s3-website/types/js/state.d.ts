/** The state of the page: made by the pure modules, shown by the view. No code, types only. */

/** One message that AWS has: a line of a transcript or an item of the table. */
export interface Message {
  /** `<ISO time>#<client id or message id>`: sorts by time, unique in its channel */
  id: string;
  name: string;
  /** raw; "" when deleted */
  text: string;
  /** 16 hex digits, the same for every message of a person */
  user: string;
  /** an https address at googleusercontent.com, or "" */
  picture: string;
  /** ISO 8601, "" when it is not known */
  sentAt: string;
  clientId: string;
  kind: "user" | "operator";
  edited: boolean;
  deleted: boolean;
  /** id of the change that made it so, or its time alone; the later one stands */
  version?: string;
}

/** What its sender, or an operator, did to a message; no message itself. */
export interface Change {
  /** as a message's; ends with the client id of the page that made it */
  id: string;
  /** id of the message */
  target: string;
  kind: "edit" | "delete";
}

/** What was read of a channel: a transcript, and what the table told besides. */
export interface Reading {
  /** in any order */
  messages: readonly Message[];
  /** in any order */
  changes: readonly Change[];
  /** all messages from this id on are there; "" for the whole channel, "~" when none is */
  from: string;
  /** all changes of other messages since this time are there */
  changesSince: string;
  /** as the table was at this time, ISO 8601; "" when it is not told */
  asOf: string;
}

/** Rows of the table, oldest first: the newest of a range. */
export interface Rows {
  messages: readonly Message[];
  changes: readonly Change[];
  /** there are more before these */
  more: boolean;
}

/** What this browser's person wrote, or changed, that is not known to be stored yet. */
export interface Outgoing {
  clientId: string;
  channel: string;
  text: string;
  /** a change of the message `target`; none for a message */
  action?: Change["kind"];
  target?: string;
  /**
   * queued: waits (offline, an earlier one goes first, too fast); sending: a request is in flight;
   * sent: SNS has it, no transcript shows it yet; failed: it waits for "retry" or "discard"
   */
  state: "queued" | "sending" | "sent" | "failed";
  /** why it failed or waits, for the person; "" otherwise */
  why: string;
  /** when it was written (queued) or accepted (sent), ms since the epoch */
  at: number;
}

export interface Channel {
  /** oldest first, no id twice; at most 5,000, or as far as its reader scrolled back; 500 when it
   * is not open */
  messages: readonly Message[];
  /** a transcript has been read, even an empty one, and what is unread before it */
  loaded: boolean;
  /** the table was read at this time or later, ISO 8601; "" when it was not */
  asOf: string;
  /** the latest of each message, which may not be known yet: what comes late must not undo it */
  changes: readonly Change[];
  draft: string;
  /** the message that is being edited, and its text so far; the draft waits */
  editing: { id: string; text: string } | null;
  /** how many messages of others are newer than `lastRead`, of those that are loaded */
  unread: number;
  /** one of these names the person */
  mentioned: boolean;
  /** id of the newest message that the person has seen; "" when none is known */
  lastRead: string;
  /** the "New messages" divider stands after this id; "" for no divider */
  divider: string;
  /** whether there are messages before `messages[0]` */
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

/** data/stats.json, checked. */
export interface Activity {
  /** ms since the epoch */
  generatedAt: number;
  /** messages a minute, oldest first, 60 numbers; the last is the minute of `generatedAt` */
  perMinute: readonly number[];
  /** of today (UTC), the busiest first */
  channels: readonly { name: string; messages: number }[];
  /** how many different people wrote today (UTC) */
  people: number;
  /** messages of today (UTC) */
  messages: number;
}

export type Phase = "loading" | "signed_out" | "signing_in" | "connected" | "ended";

export interface State {
  phase: Phase;
  person: Person | null;
  /** the open channel, as in the address: #default */
  channel: string;
  /** the channels to list, visited ones first; the open one and "default" are always among them */
  names: readonly string[];
  /** those that the person opened: looked at, and listed, before others */
  visited: readonly string[];
  /** the list of channels has been read, or cannot be: before, rows would move when it comes */
  listed: boolean;
  channels: Readonly<Record<string, Channel>>;
  /** of all channels, in the order of sending */
  outbox: readonly Outgoing[];
  online: boolean;
  endsSoon: boolean;
  /** what is wrong with the link; passes by itself; "" when nothing is */
  trouble: string;
  /** what the person must know or do; stays until they act; "" when nothing */
  notice: string;
  /** what is open beside the messages (on a phone: over them) */
  panel: "none" | "channels" | "activity" | "settings";
  activity: Activity | null;
  settings: Settings;
}

/** What the view tells main.js. */
export interface Handlers {
  onDraft(text: string): void;
  onSend(): void;
  onSignOut(): void;
  /** a message of the outbox that failed */
  onRetry(clientId: string): void;
  onDiscard(clientId: string): void;
  /** the message goes to the text box */
  onEdit(id: string): void;
  onCancelEdit(): void;
  onDelete(id: string): void;
  /** open a channel that is listed */
  onChannel(name: string): void;
  onPanel(panel: State["panel"]): void;
  /** the reader came near the oldest message that is shown */
  onReachTop(): void;
  /** the reader is at the newest message, or left it */
  onAtEnd(atEnd: boolean): void;
  onTheme(theme: Settings["theme"]): void;
  onNotifications(wanted: boolean): void;
  onSound(wanted: boolean): void;
}
