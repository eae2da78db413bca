// Stands in for main.js: the page's own state and view, without services, and beside it the plainest
// list of the same messages. What is timed includes the layout that it causes.

import * as chat from "./state/chat.js";
import { readMessage } from "./aws/records.js";
import { parseTranscript } from "./aws/objects.js";
import { createView } from "./view/page.js";

const CHANNEL = "default";
const ADA = { name: "Ada Lovelace", user: "ada", picture: "" };
const STEP_PX = 800;
const handlers = new Proxy({}, { get: () => () => "" });
let now = 0;
let state = chat.initial(CHANNEL);
const view = createView(document, handlers, () => now);
const plain = document.createElement("div");
plain.style = "position: fixed; inset: 0; overflow-y: scroll; background: #fff";
const log = () => (plain.isConnected ? plain : document.getElementById("messages"));

/** An empty channel again, or the plain list instead of the page. */
window.begin = (isPlain) => {
  state = chat.signedIn(chat.signInReady(chat.initial(CHANNEL)), ADA);
  view.update(state);
  plain.replaceChildren();
  if (isPlain) document.body.append(plain);
  else plain.remove();
};

/** What the page does with a transcript. @param {string} text @param {number} at its clock */
window.take = (text, at) => {
  now = at;
  state = chat.received(state, CHANNEL, parseTranscript(text), true);
  state = chat.polled(state, CHANNEL, now);
  view.update(state);
};

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escaped = (text) => text.replace(/[&<>]/g, (one) => ENTITIES[one]);
const plainLine = ({ name, text, sentAt }) =>
  `<article><b>${escaped(name)}</b> <time>${sentAt}</time><p>${escaped(text)}</p></article>`;

/** The plainest way to show it: all of it anew, as one string. @param {string} text */
window.takePlainly = (text) => {
  const { messages } = JSON.parse(text);
  plain.innerHTML = messages.map(readMessage).map(plainLine).join("");
  plain.scrollTop = plain.scrollHeight;
};

/** @param {() => void} act @returns {number} its milliseconds, with the layout */
const timed = (act) => {
  const began = performance.now();
  act();
  log().getBoundingClientRect();
  return performance.now() - began;
};

/**
 * @param {"take" | "takePlainly"} how @param {string[]} texts taken one after the other
 * @param {number} at @returns {number[]} milliseconds of each
 */
window.times = (how, texts, at) => texts.map((text) => timed(() => window[how](text, at)));

/** Wait for the next frame. @returns {Promise<number>} its time */
const frame = () => new Promise((done) => requestAnimationFrame(done));

/** Scroll up from the end, a screen a frame. @param {number} count @returns ms between frames */
window.scrollUp = async (count) => {
  if (plain.isConnected) plain.scrollTop = plain.scrollHeight;
  else view.scrollToEnd();
  const found = [];
  let last = await frame();
  for (let at = 0; at < count; at += 1) {
    log().scrollTop -= STEP_PX;
    const next = await frame();
    found.push(next - last);
    last = next;
  }
  return found;
};

window.elements = () => log().querySelectorAll("*").length;
window.ready = crossOriginIsolated;
