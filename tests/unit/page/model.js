// An in-memory chat behind the page: the table, with rows that arrive late, and the transcripts that
// publish_transcript makes of it (docs/handlers.md). It answers the page's signed requests.

import { NetworkError } from "../../../s3-website/public/js/aws/request.js";
import { END } from "../../../s3-website/public/js/state/messages.js";

const DAY_MS = 86_400_000;
// a row keeps its place if it is at most 2 s late, and the write takes up to 1.3 s: here one delay
const LATE_MS = 3_300;
const LIVELY_MS = 5_000;
const MAX_LIVELY = 200;
const MAX_CHANGES = 100;
const MAX_ROWS = 500;
const MAX_PUSH = 5_120;
const iso = (ms) => new Date(ms).toISOString();
const timeIn = (id) => Date.parse(id.replace(END, "").split("#", 1)[0]);
/** Omits the fields that only the table has. */
const shownFields = (key, value) => (["last", "expires_at"].includes(key) ? undefined : value);
const sizes = new WeakMap();
const sizeOf = (row) => {
  if (!sizes.has(row)) sizes.set(row, JSON.stringify(row).length);
  return sizes.get(row);
};
/** The index of the row with that id, or where it would be inserted. */
function placeOf(rows, id) {
  let [from, to] = [0, rows.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (rows[middle].id < id) from = middle + 1;
    else to = middle;
  }
  return from;
}
const typed = (row) =>
  Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, typeof value === "number" ? { N: `${value}` } : { S: value }]),
  );

export class Chat {
  /** @param {() => number} random @param {{history: number, maxBytes: number, now: number}} settings */
  constructor(random, { history, maxBytes, now }) {
    Object.assign(this, { random, history, maxBytes, now });
    this.start = now;
    /** sorted by id */
    this.rows = { default: [], ops: [] };
    this.files = {};
    this.events = [];
    this.numbers = 0;
    this.published = {};
    this.queries = 0;
    /** receives pushes, once there is a page that listens */
    this.onPush = null;
    /** what the next batch of the stream has, by channel */
    this.touched = {};
  }

  int(below) {
    return Math.floor(this.random() * below);
  }

  pick(list) {
    return list[this.int(list.length)];
  }

  /** Schedule an action; actions of the same time run in the order of scheduling. */
  at(time, act) {
    const before = this.events.findLastIndex((event) => event.time <= time);
    this.events.splice(before + 1, 0, { time, act });
  }

  advance(ms) {
    const end = this.now + ms;
    while (this.events.length && this.events[0].time <= end) {
      const { time, act } = this.events.shift();
      this.now = Math.max(this.now, time);
      act();
    }
    this.now = end;
  }

  /** Run everything that is scheduled. */
  settle() {
    while (this.events.length) this.advance(Math.max(1, this.events[0].time - this.now));
  }

  /** A row is placed at its sending time, unless it is too late. */
  placeAt(sent) {
    return this.now - sent > LATE_MS ? this.now : sent;
  }

  send(channel, lateMs, more = {}) {
    const sent = this.now;
    const clientId = `c${(this.numbers += 1)}`;
    this.at(sent + lateMs, () => {
      const id = `${iso(this.placeAt(sent))}#${clientId}`;
      const row = { id, message: `text ${clientId}`, name: "Grace", user: "b".repeat(16), kind: "user" };
      this.put({ channel, ...row, client_id: clientId, sent_at: iso(sent), ...more });
      this.touch(channel, "inserted", id);
      this.publishSoon(channel);
    });
  }

  /** Note what the stream tells publish_transcript. */
  touch(channel, how, id) {
    const batch = (this.touched[channel] ??= { inserted: [], modified: [], changes: [], other: false });
    if (how === "other") batch.other = true;
    else batch[how].push(id);
  }

  /** Edit or delete a message. */
  change(channel, kind, target, lateMs = 0) {
    const sent = this.now;
    const clientId = `x${(this.numbers += 1)}`;
    this.at(sent + lateMs, () => {
      const row = this.get(channel, target);
      const last = row?.changed_by ?? "";
      const by = [iso(sent), clientId];
      if (!row || row.deleted_at || (kind === "edit" && row.last > by.join("#"))) return;
      const stands = Math.max(this.placeAt(sent), last ? timeIn(last) + 1 : 0);
      const id = `${END}${iso(stands)}#${clientId}`;
      if (this.get(channel, last)) this.touch(channel, "other");
      this.remove(channel, last);
      this.touch(channel, "modified", target);
      this.touch(channel, "changes", id);
      const { message, ...rest } = row;
      const now = { ...rest, changed_by: id, last: by.join("#") };
      const after = kind === "delete" ? { ...now, deleted_at: by[0] } : { ...now, edited_at: by[0], message: `edit ${clientId}` };
      this.put(after);
      this.put({ channel, id, kind, target, user: row.user, sent_at: by[0], client_id: clientId });
      this.publishSoon(channel);
    });
  }

  /** Edit like an earlier version, whose change rows are placed among the messages. */
  changeAsBefore(channel, target) {
    const row = this.get(channel, target);
    if (!row || row.changed_by) return;
    const id = `${iso(this.now)}#o${(this.numbers += 1)}`;
    this.touch(channel, "other");
    const message = `old edit ${id}`;
    this.put({ ...row, message, edited_at: iso(this.now), changed_by: id, last: id });
    this.put({ channel, id, kind: "edit", target, message, user: row.user, sent_at: iso(this.now) });
    this.publishSoon(channel);
  }

  /** Schedule the channel's next transcript, unless one is scheduled already. */
  publishSoon(channel) {
    if (this.published[channel] > this.now) return;
    const delay = this.random() < 0.02 ? this.int(60_000) : this.int(400);
    this.published[channel] = this.now + delay;
    this.at(this.now + delay, () => {
      const content = this.transcript(channel);
      this.files[channel] = { content, etag: `"${(this.numbers += 1)}"` };
      this.published[channel] = 0;
      const batch = this.touched[channel];
      delete this.touched[channel];
      if (batch && this.onPush) this.deliver(channel, this.push(content, batch));
    });
  }

  /** The payload of a batch, much as pushes.py makes it; it gives a notice where that sends nothing. */
  push({ channel, generated_at, messages: shown, changes, complete }, { inserted, modified, changes: made, other }) {
    const notice = JSON.stringify({ channel, changed: generated_at });
    const places = inserted.map((id) => shown.findIndex((row) => row.id === id));
    const first = Math.min(shown.length, ...places);
    if (other || first < 0 || (first === 0 && inserted.length && !complete)) return notice;
    const messages = shown.slice(first);
    const edited = shown.slice(0, first).filter(({ id }) => modified.includes(id));
    const after = messages.length && first ? shown[first - 1].id : "";
    const told = changes.filter(({ id }) => made.includes(id));
    if (!messages.length && !edited.length && !told.length) return notice;
    const text = JSON.stringify(
      { channel, generated_at, after, messages, edited, changes: told },
      shownFields,
    );
    return text.length > MAX_PUSH ? notice : text;
  }

  /** A broker may lose a payload, delay it, or deliver it twice. */
  deliver(channel, payload) {
    const copies = this.pick([0, 1, 1, 1, 1, 2]);
    for (let copy = 0; copy < copies; copy += 1) {
      this.at(this.now + this.pick([5, 20, this.int(4_000)]), () => this.onPush?.(channel, payload));
    }
  }

  put(row) {
    const rows = this.rows[row.channel];
    const at = placeOf(rows, row.id);
    rows.splice(at, rows[at]?.id === row.id ? 1 : 0, row);
  }

  get(channel, id) {
    const row = this.rows[channel][placeOf(this.rows[channel], id)];
    return row?.id === id ? row : undefined;
  }

  remove(channel, id) {
    if (this.get(channel, id)) this.rows[channel].splice(placeOf(this.rows[channel], id), 1);
  }

  isShown({ target, expires_at: end }) {
    return !target && !(end <= this.now / 1000);
  }

  /** The messages that a consistent Query of the whole channel returns, oldest first. */
  messages(channel) {
    const rows = this.rows[channel];
    return rows.slice(0, placeOf(rows, END)).filter((row) => this.isShown(row));
  }

  transcript(channel) {
    const all = this.rows[channel];
    const end = placeOf(all, END);
    const rows = all.slice(Math.max(0, end - MAX_ROWS), end).reverse();
    const shown = [];
    let [texts, left, whole] = [0, this.maxBytes, rows.length === end];
    const newest = rows.find((row) => this.isShown(row));
    const lively = newest && iso(timeIn(newest.id) - LIVELY_MS + 1);
    for (const row of rows) {
      if (!this.isShown(row)) continue;
      left -= sizeOf(row);
      const fits = texts < this.history || (row.id >= lively && shown.length < MAX_LIVELY);
      if (!fits || left < 0) {
        whole = false;
        break;
      }
      texts += row.deleted_at ? 0 : 1;
      shown.push(row);
    }
    shown.reverse();
    const since = iso(this.now - DAY_MS);
    const first = placeOf(all, `${END}${since}`);
    const changes = all.slice(Math.max(first, all.length - MAX_CHANGES));
    const latest = [...rows.filter(({ target }) => target).reverse(), ...changes].slice(-MAX_CHANGES);
    return {
      channel,
      generated_at: iso(this.now),
      changes_since: changes.length === MAX_CHANGES ? changes[0].id.slice(1) : since,
      messages: shown,
      changes: latest
        .filter(({ target }) => !shown.length || target < shown[0].id)
        .map(({ id, target, kind }) => ({ id, target, kind })),
      complete: whole,
    };
  }

  /** @type {import("../../../s3-website/public/js/aws/request.js").SignedFetch} answers the page */
  signed = async (service, url, init) => {
    this.advance(this.int(150));
    for (let wait = this.int(4); wait > 0; wait -= 1) await null;
    if (this.failing?.(service)) throw new NetworkError("Failed to fetch");
    const response = service === "s3" ? this.object(url, init) : this.query(JSON.parse(init.body));
    this.advance(this.int(150));
    for (let wait = this.int(4); wait > 0; wait -= 1) await null;
    return response;
  };

  object(url, { headers }) {
    const name = /data\/(.*)\.json$/.exec(url)[1];
    if (name === "channels") return Response.json({ channels: ["default", "ops"] });
    const file = this.files[name];
    if (!file) {
      const [status, code, message] = this.pick([
        [404, "NoSuchKey", ""],
        [403, "AccessDenied", "Access Denied"],
        [403, "AccessDenied", "not authorized to perform: s3:ListBucket on resource"],
      ]);
      return new Response(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`, { status });
    }
    if (headers["if-none-match"] === file.etag) return new Response(null, { status: 304 });
    return new Response(JSON.stringify(file.content, shownFields), { headers: { etag: file.etag } });
  }

  query(input) {
    this.queries += 1;
    const { ":channel": of, ":after": after, ":before": before, ":now": now } = input.ExpressionAttributeValues;
    const start = input.ExclusiveStartKey?.id.S ?? "\uffff";
    const all = this.rows[of.S];
    const end = Math.min(placeOf(all, `${before.S}\0`), placeOf(all, start));
    const from = Math.max(placeOf(all, after.S), end - input.Limit);
    const rows = all.slice(from, end).reverse();
    const last = rows.length === input.Limit && { channel: of, id: { S: rows.at(-1).id } };
    const Items = rows.filter(({ expires_at: end }) => !(end <= Number(now.N))).map(typed);
    return Response.json({ Items, ...(last && { LastEvaluatedKey: last }) });
  }
}
