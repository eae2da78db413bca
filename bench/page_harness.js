// Replaces main.js: the page's own state and view, without services, and a plain list of the same
// messages. Times include the layout.

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

/** Start with an empty channel, in the page or in the plain list. @param {boolean} isPlain */
window.begin = (isPlain) => {
  state = chat.signedIn(chat.signInReady(chat.initial(CHANNEL)), ADA);
  view.update(state);
  plain.replaceChildren();
  if (isPlain) document.body.append(plain);
  else plain.remove();
};

/** Show a transcript as the page does. @param {string} text @param {number} at the page's clock */
const take = (text, at) => {
  now = at;
  state = chat.received(state, CHANNEL, parseTranscript(text), true);
  state = chat.polled(state, CHANNEL, now);
  view.update(state);
};

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const plainLine = ({ name, text, sentAt }) =>
  `<article><b>${escaped(name)}</b> <time>${sentAt}</time><p>${escaped(text)}</p></article>`;

/** Show a transcript in the plain list: replace all of it with one string. @param {string} text */
const takePlainly = (text) => {
  const { messages } = JSON.parse(text);
  plain.innerHTML = messages.map(readMessage).map(plainLine).join("");
  plain.scrollTop = plain.scrollHeight;
};

/** Show transcripts in turn. @param {string[]} texts @param {number} at @returns ms of each */
window.times = (texts, at) => {
  const show = plain.isConnected ? takePlainly : take;
  return texts.map((text) => {
    const began = performance.now();
    show(text, at);
    log().getBoundingClientRect(); // lays out
    return performance.now() - began;
  });
};

/** Wait for the next frame. @returns {Promise<number>} its time */
const frame = () => new Promise((done) => requestAnimationFrame(done));

/** Scroll up from the end, STEP_PX a frame. @param {number} count frames @returns ms of each */
window.scrollUp = async (count) => {
  if (plain.isConnected) plain.scrollTop = plain.scrollHeight;
  else view.scrollToEnd();
  const times = [];
  let last = await frame();
  for (let at = 0; at < count; at += 1) {
    log().scrollTop -= STEP_PX;
    const next = await frame();
    times.push(next - last);
    last = next;
  }
  return times;
};

window.elements = () => log().querySelectorAll("*").length;
window.ready = crossOriginIsolated;
