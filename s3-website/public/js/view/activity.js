// Owns the activity panel, which is loaded when it is first open: what the numbers mean, the geometry and
// the words of the charts, in pure functions, and what shows them. Every chart is also there in words.

import { element, setHidden, setText } from "./message.js";

/** @typedef {import("../state.js").Activity} Activity */

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 30;
const MINUTES = 60;
const MINUTE_MS = 60_000;
const CHANNELS = 6;
/** a bar's width without the gap, of 1 */
const BAR = 0.8;
/** of the busiest channel's bar: the shortest that is still to be seen */
const SHORTEST = 0.01;
/** a person's count is an estimate: exact up to about here */
const EXACT_PEOPLE = 100;
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** @param {HTMLElement} root empty until then */
export function createActivity(root) {
  const page = root.ownerDocument;
  const parts = [numbers(page), hourChart(page), channelChart(page), table(page)];
  root.classList.add("activity");
  root.replaceChildren(...parts.map((part) => part.node));
  /** @type {Activity | null | undefined} */
  let shown;

  return {
    /** @param {Activity | null} activity null while nothing is known */
    update(activity) {
      if (activity === shown) return;
      shown = activity;
      for (const part of parts) part.update(activity);
    },
  };
}

/** Today's two numbers. @param {Document} page */
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

/** Messages a minute. @param {Document} page */
function hourChart(page) {
  const { node, caption } = figure(page, "Messages a minute");
  const words = add(caption, "p", "words");
  const plot = add(node, "div", "plot");
  plot.ariaHidden = "true"; // the words say it
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
      const empty = activity && !channels.length ? "No message yet" : "";
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

/** The hour in numbers. @param {Document} page */
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

/** A drawing that is stretched to its box. @param {Element} parent @param {number} width @param {number} height */
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

/** @param {Element} node @param {string} name @param {string} value written only when new */
function attribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * The scale's end: 4, or the first of 10, 20, 50, 100, 200 … that holds the value. All are even.
 * @param {number} value @returns {number}
 */
export function scaleEnd(value) {
  if (value <= 4) return 4;
  let end = 10;
  for (let step = 0; end < value; step++) end *= step % 3 === 1 ? 2.5 : 2;
  return end;
}

/**
 * One bar for each number, each 1 wide, standing on y = `height`.
 * @param {readonly number[]} values @param {number} end the value that is `height` high
 * @param {number} height @param {number} [from] where the first bar stands
 * @returns {string} a path's `d`; "" when all are 0
 */
export function barPath(values, end, height, from = 0) {
  return values
    .map((value, place) => {
      if (!value) return "";
      // one message among thousands is still to be seen
      const high = round(Math.max((value / end) * height, height / 50));
      return `M${round(from + place + (1 - BAR) / 2)} ${height}v-${high}h${BAR}v${high}z`;
    })
    .join("");
}

/** @param {Activity} activity @returns {{now: number, most: number, total: number}} of the hour */
export function hour({ perMinute }) {
  return {
    now: perMinute.at(-1) ?? 0,
    most: Math.max(0, ...perMinute),
    total: perMinute.reduce((sum, value) => sum + value, 0),
  };
}

/** @param {Activity} activity @returns {string} what the chart of the hour shows, in words */
export function hourText(activity) {
  const { now, most, total } = hour(activity);
  if (!total) return "No message in the last hour";
  return `${number(total)} in the last hour, ${number(most)} at most, ${number(now)} this minute`;
}

/**
 * The busiest channels; a share is relative to the first.
 * @param {Activity} activity @param {number} limit
 * @returns {{name: string, messages: number, share: number}[]}
 */
export function busiest({ channels }, limit) {
  const most = channels[0]?.messages ?? 0;
  return channels
    .slice(0, limit)
    .map((one) => ({ ...one, share: round(Math.max(one.messages / most, SHORTEST)) }));
}

/** @param {Activity} activity @param {number} limit @returns {string} "" when those are all */
export function othersText({ channels, messages }, limit) {
  const shown = channels.slice(0, limit).reduce((sum, one) => sum + one.messages, 0);
  return messages > shown ? `${number(messages - shown)} in other channels` : "";
}

/**
 * The hour in steps, for a table.
 * @param {Activity} activity @param {number} [minutes]
 * @returns {{time: string, messages: number}[]} oldest first
 */
export function steps({ perMinute, generatedAt }, minutes = 5) {
  const start = generatedAt - (perMinute.length - 1) * MINUTE_MS;
  return Array.from({ length: Math.ceil(perMinute.length / minutes) }, (_, step) => {
    const part = perMinute.slice(step * minutes, (step + 1) * minutes);
    const from = start + step * minutes * MINUTE_MS;
    const to = from + (part.length - 1) * MINUTE_MS;
    const messages = part.reduce((sum, value) => sum + value, 0);
    return { time: TIME.formatRange(from, to), messages };
  });
}

/** @param {number} people @returns {string} */
export function peopleText(people) {
  return people > EXACT_PEOPLE ? `≈\u202f${number(people)}` : number(people);
}

/** @param {number} value @returns {string} */
export function number(value) {
  return value.toLocaleString();
}

/** @param {number} value @returns {number} as short as a path needs it */
function round(value) {
  return Math.round(value * 1000) / 1000;
}
