// Listens to AWS IoT Core's MQTT broker through one WebSocket. It must not decide when to connect, read payloads,
// or touch the DOM or the state. It is loaded only with push, and imports nothing that the first view needs: the
// bundler would move such a module into a file of its own, one more request for everybody.

import { encode, PacketError, PacketReader } from "./packets.js";

/**
 * @typedef {import("./packets.js").Packet} Packet
 * @typedef {{service: string, datetime: string, signQuery: boolean}} Signature
 * @typedef {{sign(url: string, init: {aws: Signature}): Promise<{url: string}>}} Signer an AwsClient
 * @typedef {{onLive(): void, onMessage(channel: string, payload: Uint8Array): void}} Listener
 *   `onLive`: the broker has accepted the subscription
 * @typedef {ReturnType<typeof setTimeout> | undefined} Timer
 */

// the least of MQTT's reasons that is a refusal
const REFUSED = 0x80;
/** From the start to the accepted subscription. */
const CONNECT_MS = 10_000;
/**
 * Shorter than the minute after which many proxies and routers drop a silent connection. A ping costs
 * nothing: AWS charges connected minutes and messages.
 */
const PING_EVERY_MS = 45_000;
/** A broker that sends nothing for this long after a ping is gone. */
const ANSWER_MS = 10_000;
/**
 * The keep-alive promised to the broker, which closes a connection after 1.5 times as long without a
 * packet. It leaves room for late pings: browsers run the timers of hidden pages only once a minute. AWS allows
 * 30 to 1,200 s.
 * Source: AWS General Reference, "AWS IoT Core endpoints and quotas".
 */
const KEEP_ALIVE_S = 120;

/**
 * Sign the broker's address. AWS IoT wants the session token appended after signing, which aws4fetch
 * does for this service.
 * Source: AWS IoT Core developer guide, "Device communication protocols", "MQTT over WebSocket".
 * @param {Signer} signer @param {string} url such as wss://HOST/mqtt
 * @param {string} datetime by AWS's clock, such as 20260102T030405Z
 * @returns {Promise<string>} to be used at once
 */
export async function presign(signer, url, datetime) {
  const aws = { service: "iotdevicegateway", datetime, signQuery: true };
  return (await signer.sign(url, { aws })).url;
}

/** @param {string} url presigned @returns {WebSocket} */
export function openSocket(url) {
  return new WebSocket(url, "mqtt");
}

/**
 * A subscription to one channel at a time, over one socket that is just being opened. It ends with the
 * first refusal, loss or silence, or by `end`; nothing is reported after that.
 */
export class Subscription {
  #packets = new PacketReader();
  /** @type {Timer} */
  #nextPing;
  /** @type {Timer} ends a connection that does not answer */
  #silence;
  /** @type {"connecting" | "subscribing" | "live" | "over"} */
  #phase = "connecting";
  /** of the last subscription */
  #packetId = 0;
  #ended = () => {};
  /** @type {Promise<void>} resolves when the connection has ended; never rejects */
  over = new Promise((resolve) => (this.#ended = resolve));

  /**
   * @param {WebSocket} socket
   * @param {{topics: string, channel: string, clientId: string}} names `topics`: the part of a topic
   *   before the channel
   * @param {Listener} listener
   */
  constructor(socket, { topics, channel, clientId }, listener) {
    this.socket = socket;
    this.topics = topics;
    this.channel = channel;
    this.listener = listener;
    this.#silence = setTimeout(() => this.end(), CONNECT_MS);
    socket.binaryType = "arraybuffer";
    socket.onopen = () =>
      this.#send("connect", {
        client_id: clientId,
        keep_alive: KEEP_ALIVE_S,
        flags: { clean_start: true },
      });
    socket.onmessage = ({ data }) => this.#read(data);
    socket.onclose = socket.onerror = () => this.end();
  }

  /**
   * Listen to another channel instead; `onLive` reports when that works.
   * @param {string} channel
   */
  follow(channel) {
    const left = this.channel;
    this.channel = channel;
    if (channel === left || this.#phase === "connecting" || this.#phase === "over") return;
    const topics = [this.topics + left];
    this.#send("unsubscribe", { pkt_id: this.#nextPacketId(), topics });
    this.#subscribe();
  }

  /** Check now whether the connection still works: if not, it ends within 10 s. */
  check() {
    if (this.#phase !== "live") return;
    this.#send("pingreq");
    this.#silence ??= setTimeout(() => this.end(), ANSWER_MS);
    this.#pingLater();
  }

  /** Close the connection. */
  end() {
    const { socket } = this;
    this.#phase = "over";
    clearTimeout(this.#nextPing);
    clearTimeout(this.#silence);
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    if (socket.readyState === socket.OPEN) this.#send("disconnect");
    socket.close();
    this.#ended();
  }

  #pingLater() {
    clearTimeout(this.#nextPing);
    this.#nextPing = setTimeout(() => this.check(), PING_EVERY_MS);
  }

  /** @param {unknown} data */
  #read(data) {
    try {
      for (const packet of this.#packets.read(data)) this.#receive(packet);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      this.end();
    }
  }

  /** @param {Packet} packet */
  #receive({ type, reason, pkt_id, answers = [], topic = "", payload }) {
    if (this.#phase === "connecting" && type === "connack") {
      if (Number(reason) === 0) this.#subscribe();
      else this.end();
    } else if (this.#phase === "subscribing" && type === "suback") {
      // one for a channel that was left meanwhile does not count
      if (pkt_id === this.#packetId) this.#start(answers.map(Number));
    } else if (this.#phase === "live") {
      this.#heard();
      if (type === "publish" && payload) this.#deliver(topic, payload);
    }
  }

  #subscribe() {
    this.#phase = "subscribing";
    clearTimeout(this.#nextPing);
    this.#silence ??= setTimeout(() => this.end(), ANSWER_MS);
    const topics = [this.topics + this.channel];
    this.#send("subscribe", { pkt_id: this.#nextPacketId(), topics, qos: 0 });
  }

  /** @returns {number} 1 to 65,535, since 0 is not allowed */
  #nextPacketId() {
    return (this.#packetId = (this.#packetId % 0xffff) + 1);
  }

  /** @param {number[]} answers of the broker to the subscription: the granted quality, or a refusal */
  #start([answer = REFUSED]) {
    if (!(answer < REFUSED)) return this.end();
    this.#phase = "live";
    this.#heard();
    this.#pingLater();
    this.listener.onLive();
  }

  /** @param {string} topic @param {Uint8Array} payload */
  #deliver(topic, payload) {
    const { topics, listener } = this;
    if (topic.startsWith(topics)) listener.onMessage(topic.slice(topics.length), payload);
  }

  #heard() {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  /** @param {string} type @param {object} [fields] */
  #send(type, fields) {
    this.socket.send(encode(type, fields));
  }
}
