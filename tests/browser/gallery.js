// Replaces js/main.js to show the view in any state, from fixtures, without services. gallery.py serves it.
// `show(name)` shows a state. The view's calls of its handlers are recorded in `calls` and change the state in the
// simplest way.

import * as sending from "./state/draft.js";
import { createView } from "./view/page.js";

const NOW = Date.parse("2026-03-14T15:09:26Z");
const MINUTE = 60_000;

const ada = { name: "Ada Lovelace", user: "3f2a9c1107d4e5b8", picture: "" };
const grace = { name: "Grace Hopper", user: "91c04e7d2ab86f35", picture: "" };
const karen = { name: "Karen Spärck Jones", user: "c7715be03f9a4d20", picture: "" };
const hedy = { name: "הדי לאמאר", user: "58e6d1f94ca20b73", picture: "" };
const longName = {
  name: "Wolfeschlegelsteinhausenbergerdorff".repeat(3),
  user: "0b94f7a2c6813ed5",
  picture: "",
};

const otherGrace = { name: "grace hopper", user: "04d1c6b2a98e7f35", picture: "" };
const LONG_CHANNEL = "w".repeat(64);

const operator = { name: "Lambda Chat", user: "", picture: "" };
const LONG_TEXT = `${"w".repeat(300)} https://example.com/${"path/".repeat(60)}`;
const CODE = "```\nfor channel in touched(batch):\n    put(newest(channel, 20))\n```";

let count = 0;

/** @param {object} person @param {string} text @param {number} ago in minutes */
function message(person, text, ago, more = {}) {
  const sentAt = new Date(NOW - ago * MINUTE).toISOString();
  const clientId = `gallery-${(count += 1)}`;
  const plain = { kind: "user", edited: false, deleted: false };
  return { id: `${sentAt}#${clientId}`, text, sentAt, clientId, ...person, ...plain, ...more };
}

const talk = [
  message(grace, "Does anybody know why the stream was quiet last night?", 1500),
  message(karen, "Nobody wrote. That is what quiet looks like here.", 1497),
  message(karen, "And nothing ran, so nothing was paid for.", 1496),
  message(operator, "Maintenance on Sunday at 08:00 UTC.", 240, { kind: "operator" }),
  message(grace, "Morning! The new transcript code is up: https://example.com/pull/42", 64),
  message(grace, "Who reads it with me?", 63),
  message(ada, "I do. Where does a message go after it has been stored?", 61),
  message(grace, `The table's stream wakes a function. It writes one small file:\n${CODE}`, 58),
  message(karen, "@Ada Lovelace the order is by `id`, which starts with the time.", 22),
  message(hedy, "שלום לכולם, הקוד נראה מצוין", 18),
  message(ada, "And <script>alert(1)</script>?", 6),
  message(grace, "Stays text, as you can see.", 5, { edited: true }),
  message(karen, "", 4, { deleted: true }),
];

/** @param {Partial<object>} change */
function channel(change = {}) {
  const empty = { messages: [], loaded: true, changes: [], draft: "", editing: null };
  return { ...empty, unread: 0, mentioned: false, lastRead: "", divider: "", earlier: "none", ...change };
}

const activity = {
  generatedAt: NOW - 20_000,
  perMinute: Array.from({ length: 60 }, (_, i) =>
    Math.round(6 + 5 * Math.sin(i / 7) + ((i * 7) % 5)),
  ),
  channels: [
    { name: "default", messages: 814 },
    { name: "release-notes", messages: 61 },
    { name: "random", messages: 37 },
    { name: "help", messages: 12 },
  ],
  people: 17,
  messages: 924,
};

const outside = {
  phase: "signed_out",
  person: null,
  channel: "default",
  names: ["default"],
  listed: true,
  channels: {},
  outbox: [],
  online: true,
  endsSoon: false,
  trouble: "",
  notice: "",
  panel: "none",
  activity,
  settings: { theme: "auto", notifications: false, sound: false },
};
const inside = {
  ...outside,
  phase: "connected",
  person: ada,
  names: ["default", "help", "random", "release-notes"],
  channels: {
    default: channel({ messages: talk, earlier: "more" }),
    help: channel(),
    random: channel({ unread: 3 }),
    "release-notes": channel({ unread: 12, mentioned: true }),
  },
};

/** @param {object} change of the open channel @param {object} state */
function open(change, state = inside) {
  const channels = { ...state.channels, default: { ...state.channels.default, ...change } };
  return { ...state, channels };
}

/** @param {string} state @param {string} text @param {number} n @param {string} [why] */
function outgoing(state, text, n, why = "") {
  return { clientId: `out-${n}`, channel: "default", text, state, why, at: NOW - (9 - n) * 1000 };
}

const manyNames = Array.from({ length: 1000 }, (_, i) => `team-${String(i).padStart(4, "0")}`);
const many = ["default", ...manyNames];

const STATES = {
  loading: { ...outside, phase: "loading" },
  "signed out": outside,
  "signing in": { ...outside, phase: "signing_in" },
  "sign-in failed": {
    ...outside,
    notice:
      "Google's sign-in could not be loaded: offline, or blocked by this browser. " +
      "Reload the page to try again.",
  },
  "loading channel": open({ messages: [], loaded: false }),
  empty: open({ messages: [], earlier: "none" }),
  conversation: inside,
  sending: {
    ...inside,
    outbox: [
      outgoing("sent", "Shall we merge it today?", 1),
      outgoing("sending", "I can write the notes.", 2),
      outgoing("failed", "Here is the log of the week.", 3, "The chat is busy at the moment."),
      outgoing("queued", "And the summary.", 4, "Too fast: sending in 3 s"),
    ],
  },
  draft: open({ draft: "A longer answer, of more than one line:\n\n- the table\n- the stream" }),
  editing: open({ draft: "Half a sen", editing: { id: talk[10].id, text: talk[10].text } }),
  "near the limit": open({ draft: "All work and no play makes a dull chat. ".repeat(49) }),
  "too long": sending.sent(open({ draft: "All work and no play makes a dull chat. ".repeat(51) }), "", NOW),
  unread: open({ divider: talk[8].id, lastRead: talk[8].id, unread: 4, mentioned: false }),
  "many channels": {
    ...inside,
    names: many,
    channels: {
      ...inside.channels,
      "team-0003": channel({ unread: 140, mentioned: true }),
      "team-0007": channel({ unread: 1 }),
    },
  },
  offline: {
    ...inside,
    online: false,
    outbox: [
      outgoing("queued", "Written on the train.", 1),
      outgoing("queued", "So was this.", 2),
    ],
  },
  trouble: { ...inside, trouble: "The chat is busy at the moment. Reconnecting…" },
  "ends soon": { ...open({ draft: "Half a sen" }), endsSoon: true },
  ended: { ...open({ draft: "Half a sen" }), phase: "ended" },
  "long names": {
    ...open({ messages: [...talk, message(longName, LONG_TEXT, 3)] }),
    person: { ...ada, name: longName.name },
    names: ["default", "a-very-long-name-".repeat(4).slice(0, 64)],
  },
  "same names": open({ messages: [...talk, message(otherGrace, "I am Grace, too.", 3)] }),
  "long channel": {
    ...inside,
    channel: LONG_CHANNEL,
    names: ["default", LONG_CHANNEL],
    channels: { [LONG_CHANNEL]: channel({ messages: talk.slice(0, 1) }) },
  },
  settings: { ...inside, panel: "settings" },
  activity: { ...inside, panel: "activity" },
  "activity loading": { ...inside, panel: "activity", activity: null },
  channels: { ...inside, panel: "channels" },
};

let state = STATES.loading;
const calls = [];

/** @param {object} parts */
function change(parts) {
  state = { ...state, ...parts };
  view.update(state);
}

/** @param {Partial<object>} settings */
const set = (settings) => change({ settings: { ...state.settings, ...settings } });

const does = {
  onDraft: (draft) =>
    change({
      channels: { ...state.channels, [state.channel]: { ...state.channels[state.channel], draft } },
    }),
  onEdit: (id) => change(open({ editing: { id, text: talk.find((message) => message.id === id).text } }, state)),
  onChannel: (name) =>
    change({ channel: name, channels: { [name]: channel(), ...state.channels } }),
  onPanel: (panel) => change({ panel }),
  onTheme: (theme) => set({ theme }),
  onSound: (sound) => set({ sound }),
};
const handlers = Object.fromEntries(
  [
    "onDraft", "onSend", "onSignOut", "onRetry", "onDiscard", "onEdit", "onCancelEdit", "onDelete",
    "onChannel", "onPanel", "onReachTop", "onAtEnd", "onTheme", "onNotifications", "onSound",
  ].map((name) => [
    name,
    (...given) => {
      calls.push([name, ...given]);
      return does[name]?.(...given);
    },
  ]),
);

const view = createView(document, handlers);
const button = document.createElement("div");
button.className = "google-button";
button.textContent = "Sign in with Google";
view.signInSlot.append(button);
const sheet = new CSSStyleSheet();
sheet.replaceSync(
  ".google-button { width: 280px; max-width: 100%; height: 40px; margin: 2px 0;" +
    " border: 1px solid #747775; border-radius: 20px; background: #fff; color: #1f1f1f;" +
    " font: 500 14px/38px sans-serif; text-align: center }",
);
document.adoptedStyleSheets = [sheet];

Object.assign(window, {
  calls,
  states: Object.keys(STATES),
  show(name) {
    state = STATES[name];
    button.hidden = name === "sign-in failed";
    view.update(state);
    view.scrollToEnd();
  },
  /** the same once more, as a state that was made anew */
  again() {
    view.update({ ...state, names: [...state.names], channels: { ...state.channels } });
  },
});
view.update(state);
