// Stands in for main.js: the page's own list of messages, shown whatever state a test gives it.

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

/** What the list told: [handler, argument]. */
const tell = (name) => (argument) => window.told.push([name, argument]);
let list;
/** A list that shows nothing yet. */
window.reset = () => {
  window.told = [];
  window.loaded = [];
  root.replaceChildren();
  root.hidden = false;
  list = createMessageList(root, {
    onRetry: tell("onRetry"),
    onDiscard: tell("onDiscard"),
    onReachTop: tell("onReachTop"),
    onAtEnd: tell("onAtEnd"),
  });
  list.followResizes();
  window.log = root.querySelector("[role=log]");
};

document.body.dataset.phase = "connected";
document.body.classList.add("inside");
document.getElementById("composer").hidden = false;
document.getElementById("sign-in").hidden = true;

/** What is equal stays the same object, as chat.js keeps it. */
const known = new Map();
const kept = (raw, make) => {
  const key = JSON.stringify(raw);
  if (!known.has(key)) known.set(key, make(raw));
  return known.get(key);
};

/** Messages of which a test shows a part: `range` of the channel. */
window.load = (raw) => {
  window.loaded = raw.map(readMessage);
};

/** @param {{channel?: object, now: number}} given messages as a transcript has them */
window.show = ({ channel = {}, now, name = "default", outbox = [], ...changes }) => {
  const { range = [0, 0], messages = [], ...rest } = channel;
  const read = messages.map((raw) => kept(raw, readMessage)).filter(Boolean);
  const all = [...(window.loaded ?? []).slice(...range), ...read];
  const channels = { [name]: { ...CHANNEL, ...rest, messages: all } };
  const sending = outbox.map((one) => kept(one, (raw) => raw));
  list.update({ ...STATE, channel: name, channels, outbox: sending, ...changes }, now);
};
window.reset();
window.ready = true;
