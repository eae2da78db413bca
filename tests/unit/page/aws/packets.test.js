import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, PacketError, PacketReader } from "../../../../s3-website/public/js/aws/packets.js";
import { packet, publish } from "../broker.js";
import { chance } from "../builders.js";

const joined = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const dataOf = (bytes) => Uint8Array.from(bytes).buffer;
const types = (packets) => packets.map(({ type }) => type);

test("a connection is asked for as MQTT 3.1.1 writes it", () => {
  const bytes = encode("connect", { client_id: "a", keep_alive: 60, flags: { clean_start: true } });
  assert.deepEqual([...bytes], [16, 13, 0, 4, ...Buffer.from("MQTT"), 4, 2, 0, 60, 0, 1, 97]);
});

test("several packets in one WebSocket message are all read", () => {
  const bytes = joined(packet("pingresp"), publish("t/a", "1"), packet("pingresp"));
  assert.deepEqual(types(new PacketReader().read(dataOf(bytes))), ["pingresp", "publish", "pingresp"]);
});

test("a short packet after a cut, long one is read at once", () => {
  const reader = new PacketReader();
  const long = publish("t/a", "x".repeat(300));
  assert.deepEqual(reader.read(dataOf(long.subarray(0, 99))), []);
  assert.deepEqual(types(reader.read(dataOf(long.subarray(99)))), ["publish"]);
  assert.deepEqual(types(reader.read(dataOf(packet("pingresp")))), ["pingresp"]);
});

test("wherever messages cut the bytes, the same packets are read", () => {
  const random = chance(13);
  const payloads = Array.from({ length: 40 }, () => "x".repeat(Math.floor(random() ** 4 * 40_000)));
  const bytes = joined(...payloads.map((payload) => publish("t/a", payload)));
  for (let round = 0; round < 20; round += 1) {
    const reader = new PacketReader();
    const read = [];
    for (let at = 0; at < bytes.length; ) {
      const next = at + Math.floor(random() ** 8 * 50_000);
      read.push(...reader.read(dataOf(bytes.subarray(at, next))));
      at = next;
    }
    const texts = read.map(({ payload }) => new TextDecoder().decode(payload));
    assert.deepEqual(texts, payloads);
  }
});

test("types that the page does not use are skipped", () => {
  const bytes = joined([0x50, 2, 0, 1], [0xf0, 0], packet("pingresp"));
  assert.deepEqual(types(new PacketReader().read(dataOf(bytes))), ["pingresp"]);
});

for (const [name, data] of Object.entries({
  "a text": "publish",
  "no data": undefined,
  "an endless length": dataOf([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f]),
  "a negative length": dataOf([0x30, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x08]),
  "a packet larger than AWS delivers": dataOf([0x30, 0xff, 0xff, 0x7f]),
  "a publish without a topic": dataOf([0x30, 0]),
  "a connack without a body": dataOf([0x20, 0]),
})) {
  test(`${name} is not MQTT`, () => {
    assert.throws(() => new PacketReader().read(data), PacketError);
  });
}
