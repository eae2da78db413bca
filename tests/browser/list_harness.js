// Replaces main.js to show the page's own list of messages in the state that a test gives it.

const root = document.getElementById("messages-area");
const { createMessageList } = await import("./view/message_list.js");
const { readMessage } = await import("./aws/records.js");

const CHANNEL = {
  messages: [],
  loaded: true,
  draft: "",
  unread: 0,
  mentioned: false,
  lastRead: "",
  divider: "",
  earlier: "none",
};
const STATE = {
  phase: "connected",
  person: { name: "Ada Lovelace", user: "ada", picture: "" },
  channel: "default",
  names: ["default"],
  channels: {},
  outbox: [],
};

/** Records the list's calls of its handlers: [handler, argument]. */
const record = (name) => (argument) => window.calls.push([name, argument]);
let list;
/** Build an empty list. */
window.reset = () => {
  window.calls = [];
  window.loaded = [];
  root.replaceChildren();
  root.hidden = false;
  list = createMessageList(root, {
    onRetry: record("onRetry"),
    onDiscard: record("onDiscard"),
    onReachTop: record("onReachTop"),
    onAtEnd: record("onAtEnd"),
  });
  list.followResizes();
  window.log = root.querySelector("[role=log]");
};

document.body.classList.add("inside");
document.getElementById("composer").hidden = false;
document.getElementById("sign-in").hidden = true;

/** Equal messages stay the same object, as in chat.js. */
const known = new Map();
const kept = (raw, make) => {
  const key = JSON.stringify(raw);
  if (!known.has(key)) known.set(key, make(raw));
  return known.get(key);
};

/** Load messages, of which `range` of the channel is shown. */
window.load = (raw) => {
  window.loaded = raw.map(readMessage);
};

/** @param {{channel?: object, now: number}} given messages as in a transcript */
window.show = ({ channel = {}, now, name = "default", outbox = [], ...changes }) => {
  const { range = [0, 0], messages = [], ...rest } = channel;
  const read = messages.map((raw) => kept(raw, readMessage)).filter(Boolean);
  const all = [...(window.loaded ?? []).slice(...range), ...read];
  const channels = { [name]: { ...CHANNEL, ...rest, messages: all } };
  const sending = outbox.map((outgoing) => kept(outgoing, (raw) => raw));
  list.update({ ...STATE, channel: name, channels, outbox: sending, ...changes }, now);
};
window.reset();
window.ready = true;
