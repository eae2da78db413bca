import assert from "node:assert/strict";
import { test } from "node:test";
import { countText } from "../../../../s3-website/public/js/state/channel.js";
import { createNotifier } from "../../../../s3-website/public/js/services/notifier.js";
import { settle } from "../builders.js";

/** The parts of a window that a notifier uses; `made` lists the notifications. */
function open({ hidden = true, permission = "granted", answer = "granted", ...page } = {}) {
  const made = [];
  class Notification {
    static permission = permission;
    static requests = 0;
    static async requestPermission() {
      Notification.requests += 1;
      return (Notification.permission = answer);
    }
    constructor(title, options) {
      made.push(this);
      Object.assign(this, options, { title, closed: false });
    }
    close() {
      this.closed = true;
    }
  }
  const time = { now: 5_000 };
  const window = {
    document: { title: "Lambda Chat", hidden },
    performance: { now: () => time.now },
    focused: 0,
    focus: () => void (window.focused += 1),
    Notification,
    ...page,
  };
  const opened = [];
  const notifier = createNotifier(window, { onOpen: (channel) => opened.push(channel) });
  return { window, notifier, made, opened, time };
}

const message = (change) => ({ name: "Ada", text: "hello @Grace", ...change });

for (const [unread, more, mentioned, title] of [
  [0, false, false, "Lambda Chat"],
  [0, false, true, "Lambda Chat"],
  [3, false, false, "(3) Lambda Chat"],
  [3, false, true, "(3!) Lambda Chat"],
  [20, true, false, "(20+) Lambda Chat"],
  [99, false, false, "(99) Lambda Chat"],
  [100, false, false, "(99+) Lambda Chat"],
]) {
  test(`${unread} unread${more ? " or more" : ""}${mentioned ? ", one a mention," : ""} is "${title}"`, () => {
    const { window, notifier } = open();
    notifier.title("7", false);
    notifier.title(countText(unread, more), mentioned);
    assert.equal(window.document.title, title);
  });
}

test("a mention is shown to one who does not look, and leads to its channel", () => {
  const { window, notifier, made, opened } = open();
  notifier.mention(message(), "default");
  const [note] = made;
  assert.deepEqual([note.title, note.body, note.tag], ["Ada in default", "hello @Grace", "lambda-chat:default"]);
  note.onclick();
  assert.deepEqual([window.focused, opened, note.closed], [1, ["default"], true]);
});

test("a mention's notification goes when its channel is read, and all go at the end", () => {
  const { notifier, made } = open();
  notifier.mention(message(), "default");
  notifier.mention(message(), "tea");
  notifier.mention(message(), "zoo");
  const closed = () => made.map((note) => note.closed);
  notifier.dismiss("tea");
  assert.deepEqual(closed(), [false, true, false]);
  notifier.dismiss("other");
  notifier.dismissAll();
  assert.deepEqual(closed(), [true, true, true]);
});

for (const [name, page] of Object.entries({
  "the page is visible": { hidden: false },
  "nobody was asked": { permission: "default" },
  "the person has refused": { permission: "denied" },
})) {
  test(`no notification while ${name}`, () => {
    const { notifier, made } = open(page);
    notifier.mention(message(), "default");
    assert.deepEqual(made, []);
  });
}

test("a long text is cut between characters, and is one line", () => {
  const { notifier, made } = open();
  notifier.mention(message({ text: `a\n\n\tb ${"😀".repeat(2_000)}` }), "default");
  const { body } = made[0];
  assert.equal([...body].length, 140);
  assert.ok(body.startsWith("a b 😀") && body.endsWith("😀…") && body.isWellFormed());
});

test("a text of just the length is not cut", () => {
  const { notifier, made } = open();
  notifier.mention(message({ text: "x".repeat(140) }), "default");
  assert.equal(made[0].body, "x".repeat(140));
});

test("a browser that refuses to make a notification breaks nothing", () => {
  class Notification {
    static permission = "granted";
    constructor() {
      throw new TypeError("Illegal constructor");
    }
  }
  open({ Notification }).notifier.mention(message(), "default");
});

test("permission is asked for once, and the answer is told", async () => {
  const { window, notifier } = open({ permission: "default" });
  assert.deepEqual([await notifier.permission(), await notifier.permission()], [true, true]);
  assert.equal(window.Notification.requests, 1);
  assert.equal(await open({ permission: "default", answer: "denied" }).notifier.permission(), false);
});

test("who has refused is not asked again", async () => {
  const { window, notifier } = open({ permission: "denied" });
  assert.equal(await notifier.permission(), false);
  assert.equal(window.Notification.requests, 0);
});

test("a browser without notifications allows none", async () => {
  const { window, notifier } = open();
  delete window.Notification;
  assert.equal(await notifier.permission(), false);
  notifier.mention(message(), "default");
});

/** Audio that records each note; the browser allows it only during a click. */
function soundCard({ blocked = false } = {}) {
  const card = { made: 0, notes: [], clicked: true };
  const node = () => ({ connect: (next) => next });
  const gain = () => ({
    ...node(),
    gain: {
      setValueAtTime() {},
      linearRampToValueAtTime: (value) => card.notes.push(value),
      exponentialRampToValueAtTime() {},
    },
  });
  card.AudioContext = class {
    constructor() {
      card.made += 1;
      Object.assign(this, { currentTime: 0, destination: node(), state: "suspended" });
    }
    async resume() {
      if (blocked) throw new Error("not allowed");
      if (card.clicked) this.state = "running";
    }
    createGain = gain;
    createOscillator = () => ({ ...node(), frequency: {}, start() {}, stop() {} });
  };
  return card;
}

test("a chime is quiet, and a burst of messages is one", async () => {
  const card = soundCard();
  const { notifier, time } = open({ AudioContext: card.AudioContext });
  notifier.allowSound();
  card.clicked = false;
  await settle();
  for (let call = 0; call < 50; call += 1) notifier.chime();
  await settle();
  assert.equal(card.notes.length, 2);
  assert.ok(card.notes.every((gain) => gain > 0 && gain <= 0.1));
  time.now += 1_000;
  notifier.chime();
  await settle();
  assert.deepEqual([card.notes.length, card.made], [4, 1]);
});

test("a page that nobody has used stays silent, and makes no sound card busy", async () => {
  const card = soundCard();
  open({ AudioContext: card.AudioContext }).notifier.chime();
  await settle();
  assert.equal(card.made, 0);
});

test("a sound that was not allowed at first is allowed by a later click, with the same card", async () => {
  const card = soundCard();
  const { notifier } = open({ AudioContext: card.AudioContext });
  card.clicked = false;
  notifier.allowSound();
  await settle();
  notifier.chime();
  assert.deepEqual(card.notes, []);
  card.clicked = true;
  notifier.allowSound();
  await settle();
  notifier.chime();
  assert.deepEqual([card.notes.length, card.made], [2, 1]);
});

test("a browser that may not or cannot sound breaks nothing", async () => {
  class InUse {
    constructor() {
      throw new DOMException("too many", "NotSupportedError");
    }
  }
  const { AudioContext } = soundCard({ blocked: true });
  for (const page of [{ AudioContext }, { AudioContext: InUse }, {}]) {
    const { notifier } = open(page);
    notifier.allowSound();
    await settle();
    notifier.chime();
  }
});
