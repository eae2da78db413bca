import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { afterEach, beforeEach, mock, test } from "node:test";
import { AwsClient } from "../../../../s3-website/node_modules/aws4fetch/dist/aws4fetch.esm.mjs";
import { presign, Subscription } from "../../../../s3-website/public/js/aws/broker.js";
import { BrokerSocket, packet, publish } from "../broker.js";
import { settle } from "../builders.js";

const KEYS = { accessKeyId: "AKIA", secretAccessKey: "secret", sessionToken: "to/k+en=" };
const NAMES = { topics: "lambda-chat/channel/", channel: "default", clientId: "lambda-chat-1" };

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

function subscribed() {
  const socket = new BrokerSocket("wss://host/mqtt");
  const events = [];
  const subscription = new Subscription(socket, NAMES, {
    onLive: () => void events.push("live"),
    onMessage: (channel, payload) => void events.push([channel, new TextDecoder().decode(payload)]),
  });
  void subscription.over.then(() => void events.push("over"));
  return { socket, events, subscription };
}

/** A live subscription without its events so far. */
function live() {
  const made = subscribed();
  made.socket.accept();
  made.events.length = 0;
  return made;
}

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

test("the address is signed for the broker, the token follows the signature", async () => {
  const signer = new AwsClient({ ...KEYS, region: "eu-west-1" });
  const signed = await presign(signer, "wss://host.test/mqtt", "20260102T030405Z");
  const url = new URL(signed);
  assert.equal(`${url.protocol}//${url.host}${url.pathname}`, "wss://host.test/mqtt");
  const [first, second] = [...url.searchParams.keys()].slice(-2);
  assert.deepEqual([first, second], ["X-Amz-Signature", "X-Amz-Security-Token"]);
  assert.equal(url.searchParams.get("X-Amz-Security-Token"), KEYS.sessionToken);
  const scope = "20260102/eu-west-1/iotdevicegateway/aws4_request";
  const query = url.search.slice(1).split("&X-Amz-Signature")[0].split("&").sort().join("&");
  const empty = createHash("sha256").digest("hex");
  const canonical = `GET\n/mqtt\n${query}\nhost:host.test\n\nhost\n${empty}`;
  const digest = createHash("sha256").update(canonical).digest("hex");
  const key = scope.split("/").reduce(hmac, "AWS4secret");
  const signature = hmac(key, `AWS4-HMAC-SHA256\n20260102T030405Z\n${scope}\n${digest}`).toString("hex");
  assert.equal(url.searchParams.get("X-Amz-Signature"), signature);
});

test("it connects with a clean session and subscribes to the open channel", () => {
  const { socket, events } = subscribed();
  assert.equal(socket.binaryType, "arraybuffer");
  socket.opened();
  const [connect] = socket.sent;
  assert.deepEqual([connect.type, connect.client_id, Number(connect.flags)], ["connect", "lambda-chat-1", 2]);
  assert.ok(connect.keep_alive >= 30 && connect.keep_alive <= 1_200, "as AWS allows");
  socket.answer("connack", { flags: 0, reason: 0 });
  assert.deepEqual(socket.sent[1].topics.map(({ topic }) => topic), ["lambda-chat/channel/default"]);
  assert.deepEqual(events, []);
  socket.answer("suback", { pkt_id: 1, answers: [0] });
  assert.deepEqual(events, ["live"]);
});

test("a message comes with its channel, in order, of its topic alone", () => {
  const { socket, events } = live();
  socket.receive(publish("lambda-chat/channel/default", "1"));
  socket.receive(publish("other/channel/default", "2"));
  socket.receive(publish("lambda-chat/channel/team", "3"));
  assert.deepEqual(events, [["default", "1"], ["team", "3"]]);
});

test("a message before the subscription is accepted is not taken", () => {
  const { socket, events } = subscribed();
  socket.opened();
  socket.receive(publish("lambda-chat/channel/default", "1"));
  assert.deepEqual(events, []);
});

for (const [name, act] of Object.entries({
  "a refused upgrade": (socket) => socket.lose(),
  "an error of the network": (socket) => socket.onerror({}),
  "a refused connection": (socket) => (socket.opened(), socket.answer("connack", { flags: 0, reason: 5 })),
  "a refused subscription": (socket) => {
    socket.opened();
    socket.answer("connack", { flags: 0, reason: 0 });
    socket.answer("suback", { pkt_id: 1, answers: [0x80] });
  },
  "an answer to no subscription": (socket) => {
    socket.opened();
    socket.answer("connack", { flags: 0, reason: 0 });
    socket.answer("suback", { pkt_id: 1, answers: [] });
  },
  "a close instead of the subscription": (socket) => {
    socket.opened();
    socket.answer("connack", { flags: 0, reason: 0 });
    socket.lose();
  },
  "a text": (socket) => (socket.opened(), socket.onmessage({ data: "hello" })),
  "no answer to the upgrade": () => mock.timers.tick(10_000),
  "no answer to the connection": (socket) => (socket.opened(), mock.timers.tick(10_000)),
  "no answer to the subscription": (socket) => {
    socket.opened();
    socket.answer("connack", { flags: 0, reason: 0 });
    mock.timers.tick(10_000);
  },
})) {
  test(`${name} is the end, and never live`, async () => {
    const { socket, events } = subscribed();
    act(socket);
    await settle();
    assert.deepEqual(events, ["over"]);
    assert.equal(socket.readyState, 3);
    mock.timers.tick(600_000);
    assert.ok(!socket.types().includes("pingreq"));
  });
}

test("a refusal and an acceptance in one message are a refusal", async () => {
  const { socket, events } = subscribed();
  socket.opened();
  const refusal = packet("connack", { flags: 0, reason: 5 });
  const acceptance = packet("suback", { pkt_id: 1, answers: [0] });
  socket.receive(new Uint8Array([...refusal, ...acceptance]));
  await settle();
  assert.deepEqual(events, ["over"]);
});

test("pings keep it alive for as long as they are answered, well within the promise", () => {
  const { socket, events } = live();
  const [{ keep_alive: promised }] = socket.sent;
  let pings = 0;
  for (let second = 0; second < 3_600; second += 1) {
    mock.timers.tick(1_000);
    const sent = socket.types().filter((type) => type === "pingreq").length;
    if (sent > pings) socket.answer("pingresp");
    pings = sent;
  }
  assert.deepEqual(events, []);
  // late by a minute, as in a hidden page, they are still in time
  assert.ok(pings >= 3_600 / (promised * 1.5 - 60), `${pings} pings`);
});

test("a busy channel does not keep the page from pinging", () => {
  const { socket } = live();
  for (let second = 0; second < 120; second += 1) {
    socket.receive(publish("lambda-chat/channel/default", "x"));
    mock.timers.tick(1_000);
  }
  assert.ok(socket.types().includes("pingreq"));
});

test("a broker that falls silent is gone within a minute", async () => {
  const { socket, events } = live();
  mock.timers.tick(45_000);
  mock.timers.tick(9_999);
  await settle();
  assert.deepEqual(events, []);
  mock.timers.tick(1);
  await settle();
  assert.deepEqual(events, ["over"]);
  assert.equal(socket.readyState, 3);
});

test("a check finds a dead connection in ten seconds, and keeps one that answers", async () => {
  const { socket, events, subscription } = live();
  subscription.check();
  mock.timers.tick(5_000);
  subscription.check();
  socket.answer("pingresp");
  mock.timers.tick(10_000);
  await settle();
  assert.deepEqual(events, []);
  subscription.check();
  mock.timers.tick(5_000);
  subscription.check();
  mock.timers.tick(5_000);
  await settle();
  assert.deepEqual(events, ["over"]);
});

test("a check before it is live, or after the end, does nothing", () => {
  const early = subscribed();
  early.subscription.check();
  early.socket.opened();
  early.subscription.check();
  const late = live();
  late.subscription.end();
  late.subscription.check();
  for (const { socket } of [early, late]) assert.ok(!socket.types().includes("pingreq"));
});

test("the end takes leave of the broker, and nothing comes after it", async () => {
  const { socket, events, subscription } = live();
  const { onmessage } = socket;
  subscription.end();
  onmessage({ data: publish("lambda-chat/channel/default", "late").slice().buffer });
  await settle();
  assert.equal(socket.types().at(-1), "disconnect");
  assert.equal(socket.readyState, 3);
  assert.deepEqual(events, ["over"]);
});

test("an end during the upgrade sends nothing", async () => {
  const { socket, events, subscription } = subscribed();
  subscription.end();
  subscription.end();
  await settle();
  assert.deepEqual([socket.sent, events], [[], ["over"]]);
});

test("another channel is followed once the broker accepts that, and the first is left", () => {
  const { socket, events, subscription } = live();
  subscription.follow("tea");
  const [left, asked] = socket.sent.slice(-2);
  assert.deepEqual([left.type, asked.type], ["unsubscribe", "subscribe"]);
  assert.deepEqual(asked.topics.map(({ topic }) => topic), ["lambda-chat/channel/tea"]);
  assert.deepEqual(events, []);
  socket.answer("unsuback", { pkt_id: left.pkt_id, answers: [] });
  socket.answer("suback", { pkt_id: asked.pkt_id, answers: [0] });
  socket.receive(publish("lambda-chat/channel/tea", { channel: "tea" }));
  assert.deepEqual(events, ["live", ["tea", '{"channel":"tea"}']]);
});

test("the answer for a channel that was left meanwhile does not count, the same channel asks nothing", () => {
  const { socket, events, subscription } = live();
  subscription.follow("tea");
  const tea = socket.sent.at(-1);
  subscription.follow("ops");
  const ops = socket.sent.at(-1);
  const { length } = socket.sent;
  subscription.follow("ops");
  assert.equal(socket.sent.length, length);
  socket.answer("suback", { pkt_id: tea.pkt_id, answers: [0] });
  assert.deepEqual(events, []);
  socket.answer("suback", { pkt_id: ops.pkt_id, answers: [0] });
  assert.deepEqual(events, ["live"]);
});

test("a channel that the broker refuses, or does not answer for, ends the connection", async () => {
  const refused = live();
  refused.subscription.follow("tea");
  refused.socket.answer("suback", { pkt_id: refused.socket.sent.at(-1).pkt_id, answers: [128] });
  await settle();
  assert.deepEqual(refused.events, ["over"]);
  const silent = live();
  silent.subscription.follow("tea");
  mock.timers.tick(10_000);
  await settle();
  assert.deepEqual(silent.events, ["over"]);
});

test("a channel that is opened before the connection is accepted is the one that is asked for", () => {
  const { socket, subscription } = subscribed();
  socket.opened();
  subscription.follow("tea");
  socket.answer("connack", { flags: 0, reason: 0 });
  assert.deepEqual(socket.sent.at(-1).topics.map(({ topic }) => topic), ["lambda-chat/channel/tea"]);
});
