// Turns the bytes of a broker's connection into MQTT 3.1.1 packets, and packets into bytes. It must not know what
// they mean.

import { mqtt_pkt_ctx } from "u8-mqtt-packet/esm/codec_bind.js";
import { mqtt_opts_v4 } from "u8-mqtt-packet/esm/codec_v4_lean.js";

/** @typedef {import("u8-mqtt-packet/esm/codec_bind.js").Packet} Packet */

const VERSION_3_1_1 = 4;
// a payload of 128 KB and a topic are the most that AWS delivers
const LIMIT_BYTES = 192 * 1024;
const LENGTH_BYTES = 4;

/** These bytes are not MQTT, or more than AWS delivers. */
export class PacketError extends Error {}

const mqtt = mqtt_pkt_ctx(VERSION_3_1_1, mqtt_opts_v4);

/** @param {string} type such as "connect" @param {object} fields @returns {Uint8Array<ArrayBuffer>} */
export function encode(type, fields = {}) {
  return mqtt.encode_pkt(type, fields);
}

/**
 * Cuts what arrives into packets: a WebSocket message may hold several of them, or only a part of one.
 * u8-mqtt-packet's own reader holds short packets back after a cut one.
 * Source: MQTT 3.1.1, 2.2.3 "Remaining Length" and 6 "Using WebSocket as a network transport".
 */
export class PacketReader {
  #rest = new Uint8Array();

  /**
   * @param {unknown} data of a WebSocket message
   * @returns {Packet[]} those that are complete now
   * @throws {PacketError}
   */
  read(data) {
    if (!(data instanceof ArrayBuffer)) throw new PacketError("Not binary.");
    let rest = joined(this.#rest, new Uint8Array(data));
    const packets = [];
    for (let size = sizeOf(rest); size <= rest.length; size = sizeOf(rest)) {
      packets.push(decode(rest.subarray(0, size)));
      rest = rest.subarray(size);
    }
    this.#rest = rest;
    return packets.filter((packet) => packet !== undefined);
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {number} the size of the first packet in bytes; Infinity while its head is incomplete
 * @throws {PacketError} if it is too large
 */
function sizeOf(bytes) {
  let length = 0;
  for (const [index, byte] of bytes.subarray(1, 1 + LENGTH_BYTES).entries()) {
    length += (byte & 0x7f) * 128 ** index;
    if (length > LIMIT_BYTES) break;
    if (byte < 0x80) return 2 + index + length;
  }
  if (bytes.length > LENGTH_BYTES || length > LIMIT_BYTES) throw new PacketError("Too large.");
  return Infinity;
}

/** @param {Uint8Array} bytes of one packet @returns {Packet | undefined} undefined for unused types */
function decode(bytes) {
  try {
    return mqtt.decode_pkt(bytes);
  } catch (cause) {
    throw new PacketError("Not a packet.", { cause });
  }
}

/** @param {Uint8Array<ArrayBuffer>} first @param {Uint8Array<ArrayBuffer>} second */
function joined(first, second) {
  if (!first.length) return second;
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
