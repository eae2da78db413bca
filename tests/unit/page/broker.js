// A WebSocket to a broker that the test plays. It reads and writes packets with a codec of its own.

import { mqtt_pkt_ctx } from "../../../s3-website/node_modules/u8-mqtt-packet/esm/codec_bind.js";
import { mqtt_opts_v4 } from "../../../s3-website/node_modules/u8-mqtt-packet/esm/codec_v4_full.js";

const mqtt = mqtt_pkt_ctx(4, mqtt_opts_v4);

export const packet = (type, fields = {}) => mqtt.encode_pkt(type, fields);
export const publish = (topic, payload) =>
  packet("publish", { topic, payload: typeof payload === "string" ? payload : JSON.stringify(payload) });

export class BrokerSocket {
  OPEN = 1;
  readyState = 0;
  /** the packets that the page has sent */
  sent = [];

  constructor(url) {
    this.url = url;
  }

  send(bytes) {
    if (this.readyState === 0) throw new Error("InvalidStateError");
    if (this.readyState === 1) this.sent.push(mqtt.decode_pkt(bytes));
  }

  close() {
    this.readyState = 3;
  }

  /** The network has opened the socket. */
  opened() {
    this.readyState = 1;
    this.onopen({});
  }

  /** The broker has sent these bytes. */
  receive(bytes) {
    this.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) });
  }

  answer(type, fields) {
    this.receive(packet(type, fields));
  }

  /** The broker accepts connection and subscription. */
  accept() {
    this.opened();
    this.answer("connack", { flags: 0, reason: 0 });
    this.answer("suback", { pkt_id: 1, answers: [0] });
  }

  lose() {
    this.readyState = 3;
    this.onclose?.({});
  }

  types() {
    return this.sent.map(({ type }) => type);
  }
}
