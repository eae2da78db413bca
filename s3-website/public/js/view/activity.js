// Draws the activity panel, which is loaded when first opened. Every chart also has a text.

import {
  barPath,
  busiest,
  hour,
  hourText,
  MINUTE_MS,
  MINUTES,
  number,
  othersText,
  peopleText,
  scaleEnd,
  steps,
  TIME,
} from "./charts.js";
import { element, setHidden, setText } from "./dom.js";

/** @typedef {import("../state.js").Activity} Activity */

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 30;
const CHANNELS = 6;

/** @param {HTMLElement} root is filled */
export function createActivity(root) {
  const page = root.ownerDocument;
  const parts = [numbers(page), hourChart(page), channelChart(page), table(page)];
  root.classList.add("activity");
  root.replaceChildren(...parts.map((part) => part.node));
  /** @type {Activity | null | undefined} */
  let shown;

  return {
    /** @param {Activity | null} activity null until it has been read */
    update(activity) {
      if (activity === shown) return;
      shown = activity;
      for (const part of parts) part.update(activity);
    },
  };
}

/** Today's messages and people. @param {Document} page */
function numbers(page) {
  const node = element(page, "dl", "numbers");
  const messages = add(node, "div", "");
  add(messages, "dt", "", "Messages today");
  const people = add(node, "div", "");
  add(people, "dt", "", "People today");
  const values = [add(messages, "dd", "", "–"), add(people, "dd", "", "–")];
  node.title = "Days end at midnight UTC";
  return {
    node,
    /** @param {Activity | null} activity */
    update(activity) {
      const texts = activity ? [number(activity.messages), peopleText(activity.people)] : ["–", "–"];
      values.forEach((value, place) => setText(value, texts[place] ?? ""));
    },
  };
}

/** Messages per minute. @param {Document} page */
function hourChart(page) {
  const { node, caption } = figure(page, "Messages a minute");
  const words = add(caption, "p", "words");
  const plot = add(node, "div", "plot");
  plot.ariaHidden = "true"; // the text replaces it
  const chart = svg(plot, MINUTES, HEIGHT);
  attribute(drawn(chart, "path", "grid"), "d", `M0 0H${MINUTES}M0 ${HEIGHT / 2}H${MINUTES}`);
  const past = drawn(chart, "path", "past");
  const current = drawn(chart, "path", "current");
  const scale = ["end", "half"].map((name) => add(plot, "span", name));
  const times = ["from", "to"].map((name) => add(plot, "span", name));
  return {
    node,
    /** @param {Activity | null} activity */
    update(activity) {
      const values = activity?.perMinute ?? [];
      const end = scaleEnd(activity ? hour(activity).most : 0);
      setText(words, activity ? hourText(activity) : "No numbers yet");
      attribute(past, "d", barPath(values.slice(0, -1), end, HEIGHT));
      attribute(current, "d", barPath(values.slice(-1), end, HEIGHT, MINUTES - 1));
      const labels = activity ? [number(end), number(end / 2)] : [];
      scale.forEach((label, place) => setText(label, labels[place] ?? ""));
      const start = activity && activity.generatedAt - (MINUTES - 1) * MINUTE_MS;
      const ends = start === null ? [] : [TIME.format(start), "now"];
      times.forEach((label, place) => setText(label, ends[place] ?? ""));
    },
  };
}

/** Today's busiest channels. @param {Document} page */
function channelChart(page) {
  const { node, caption } = figure(page, "Busiest channels today");
  const words = add(caption, "p", "words");
  const list = add(node, "ol", "");
  const rows = Array.from({ length: CHANNELS }, () => channelRow(list));
  return {
    node,
    /** @param {Activity | null} activity */
    update(activity) {
      const channels = activity ? busiest(activity, CHANNELS) : [];
      const empty = activity && !channels.length ? "No messages yet" : "";
      setText(words, empty || (activity ? othersText(activity, CHANNELS) : ""));
      setHidden(words, !words.textContent);
      setHidden(node, !activity);
      setHidden(list, !channels.length);
      rows.forEach((row, place) => row.update(channels[place]));
    },
  };
}

/** @param {Element} list */
function channelRow(list) {
  const node = add(list, "li", "");
  const name = add(node, "span", "name");
  const count = add(node, "span", "value");
  const bar = drawn(svg(node, 1, 1), "rect", "bar");
  attribute(bar, "height", "1");
  return {
    /** @param {{name: string, messages: number, share: number} | undefined} channel */
    update(channel) {
      setHidden(node, !channel);
      if (!channel) return;
      setText(name, channel.name);
      setText(count, number(channel.messages));
      attribute(bar, "width", String(channel.share));
    },
  };
}

/** The last hour as a table. @param {Document} page */
function table(page) {
  const node = element(page, "details", "");
  add(node, "summary", "", "The last hour in numbers");
  const inner = add(node, "table", "");
  const head = add(add(inner, "thead", ""), "tr", "");
  for (const title of ["Time", "Messages"]) add(head, "th", "", title).scope = "col";
  const body = add(inner, "tbody", "");
  return {
    node,
    /** @param {Activity | null} activity */
    update(activity) {
      setHidden(node, !activity);
      const rows = activity ? steps(activity) : [];
      while (body.children.length < rows.length) tableRow(body);
      rows.forEach(({ time, messages }, place) => {
        const cells = body.children[place]?.children ?? [];
        [time, number(messages)].forEach((text, cell) => {
          const shown = cells[cell];
          if (shown) setText(shown, text);
        });
      });
    },
  };
}

/** @param {Element} body */
function tableRow(body) {
  const row = add(body, "tr", "");
  add(row, "th", "").scope = "row";
  add(row, "td", "");
}

/** @param {Document} page @param {string} title */
function figure(page, title) {
  const node = element(page, "figure", "");
  const caption = add(node, "figcaption", "");
  add(caption, "h3", "", title);
  return { node, caption };
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Element} parent @param {Name} name @param {string} className @param {string} [text]
 * @returns {HTMLElementTagNameMap[Name]}
 */
function add(parent, name, className, text = "") {
  const node = element(parent.ownerDocument, name, className, text);
  parent.append(node);
  return /** @type {HTMLElementTagNameMap[Name]} */ (node);
}

/** A drawing stretched to its box. @param {Element} parent @param {number} width @param {number} height */
function svg(parent, width, height) {
  const node = drawn(parent, "svg", "");
  attribute(node, "viewBox", `0 0 ${width} ${height}`);
  attribute(node, "preserveAspectRatio", "none");
  attribute(node, "aria-hidden", "true");
  return node;
}

/** @param {Element} parent @param {string} name @param {string} className */
function drawn(parent, name, className) {
  const node = parent.ownerDocument.createElementNS(SVG, name);
  if (className) attribute(node, "class", className);
  parent.append(node);
  return node;
}

/** Set an attribute if it differs. @param {Element} node @param {string} name @param {string} value */
function attribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
