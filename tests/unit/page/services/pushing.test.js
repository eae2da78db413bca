import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { AwsClient } from "../../../../s3-website/node_modules/aws4fetch/dist/aws4fetch.esm.mjs";
import { startPushing } from "../../../../s3-website/public/js/services/pushing.js";
import { BrokerSocket, publish } from "../broker.js";
import { end, reported } from "../presence.js";
import { settle } from "../builders.js";

const CONFIG = { url: "wss://host.test/mqtt", topics: "lambda-chat/channel/", clients: "lambda-chat-" };
const NOTICE = { channel: "default", changed: "2026-01-01T12:00:00.000Z" };

/** Wait for a signature, which another thread computes. */
async function until(condition) {
  for (let turns = 0; turns < 100_000 && !condition(); turns += 1) await settle();
  assert.ok(condition());
}

/** A page that pushes, with the sockets that it opened. */
function pushing(changes = {}) {
  const sockets = [];
  const events = [];
  const time = { now: 0, channel: "default" };
  const page = new EventTarget();
  let ids = 0;
  let tries = 0;
  const keys = { accessKeyId: "first", secretAccessKey: "s", sessionToken: "t", region: "eu-west-1" };
  const { follow } = startPushing(
    {
      config: CONFIG,
      signer() {
        tries += 1;
        return new AwsClient(keys);
      },
      stamp: () => "20260102T030405Z",
      clock: () => time.now,
      random: () => 0,
      newId: () => `${(ids += 1)}`,
      channel: () => time.channel,
      page,
      open(url) {
        const socket = new BrokerSocket(url);
        sockets.push(socket);
        return socket;
      },
      ...changes,
    },
    {
      onLive: (live) => void events.push(live ? "live" : "off"),
      onPush: (push) => void events.push(push.channel),
    },
    end.signal,
  );
  const opened = async (number) => {
    await until(() => sockets.length >= number);
    assert.equal(sockets.length, number);
    return sockets[number - 1];
  };
  const pass = async (ms) => {
    time.now += ms;
    mock.timers.tick(ms);
    await settle();
  };
  const fire = async (name) => {
    page.dispatchEvent(new Event(name));
    await settle();
  };
  /** How long the page waits before it tries again, in steps of 100 ms. */
  const waited = async () => {
    const before = tries;
    await settle();
    for (let ms = 0; ms <= 60_000; ms += 100) {
      if (tries > before) return ms;
      await pass(100);
    }
    return Infinity;
  };
  return { sockets, events, keys, time, follow, opened, pass, fire, waited };
}

test("it connects at once, is live with the subscription, and hands on what comes", async () => {
  const { opened, events } = pushing();
  const socket = await opened(1);
  const url = new URL(socket.url);
  assert.equal(`${url.origin}${url.pathname}`, CONFIG.url);
  assert.match(url.searchParams.get("X-Amz-Credential"), /^first\/20260102\/eu-west-1\/iotdevicegateway/);
  assert.deepEqual(events, []);
  socket.accept();
  socket.receive(publish("lambda-chat/channel/default", NOTICE));
  assert.deepEqual(events, ["live", "default"]);
  assert.equal(socket.sent[0].client_id, "lambda-chat-1");
});

test("what is no push is dropped, and what follows comes", async () => {
  const { opened, events } = pushing();
  const socket = await opened(1);
  socket.accept();
  socket.receive(publish("lambda-chat/channel/team", NOTICE));
  socket.receive(publish("lambda-chat/channel/default/x", NOTICE));
  socket.receive(publish("lambda-chat/channel/default", "{"));
  socket.receive(publish("lambda-chat/channel/default", NOTICE));
  assert.deepEqual(events, ["live", "default"]);
});

test("a lost connection is off at once, and opened again with the credentials of that moment", async () => {
  const { opened, events, pass, keys } = pushing();
  const first = await opened(1);
  first.accept();
  await pass(3_600_000);
  keys.accessKeyId = "second";
  first.lose();
  await settle();
  assert.deepEqual(events, ["live", "off"]);
  await pass(500);
  const second = await opened(2);
  assert.match(new URL(second.url).searchParams.get("X-Amz-Credential"), /^second\//);
  second.accept();
  assert.deepEqual(events, ["live", "off", "live"]);
  const [one, other] = [first, second].map(({ sent }) => sent[0].client_id);
  assert.notEqual(one, other);
});

test("waits grow with each failure up to half a minute, and it never gives up", async () => {
  const { opened, waited, events } = pushing();
  const waits = [];
  for (let number = 1; number <= 9; number += 1) {
    (await opened(number)).lose();
    waits.push(await waited());
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 15, 15, 15, 15, 15].map((seconds) => seconds * 1_000));
  assert.deepEqual(events, []);
});

test("waits vary by chance, so that a thousand pages do not come at once", async () => {
  const { opened, waited } = pushing({ random: () => 0.999 });
  (await opened(1)).lose();
  assert.equal(await waited(), 2_000);
});

test("a broker that drops each connection soon is asked less and less", async () => {
  const { opened, waited } = pushing();
  const waits = [];
  for (let number = 1; number <= 4; number += 1) {
    const socket = await opened(number);
    socket.accept();
    socket.lose();
    waits.push(await waited());
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000]);
});

test("a refused subscription is never live, and is tried again", async () => {
  const { opened, waited, events } = pushing();
  const socket = await opened(1);
  socket.opened();
  socket.answer("connack", { flags: 0, reason: 0 });
  socket.answer("suback", { pkt_id: 1, answers: [0x80] });
  assert.equal(await waited(), 1_000);
  assert.deepEqual(events, []);
});

test("the end of the presence closes the connection, and no other follows", async () => {
  const { opened, events, pass, fire } = pushing();
  const socket = await opened(1);
  socket.accept();
  end.abort();
  assert.equal(socket.readyState, 3);
  socket.receive(publish("lambda-chat/channel/default", NOTICE));
  await settle();
  assert.deepEqual(events, ["live", "off"]);
  for (const event of ["online", "pageshow", "resume", "visibilitychange"]) await fire(event);
  await pass(600_000);
  await opened(1);
});

test("an end during the signature opens nothing", async () => {
  const { sockets } = pushing({ stamp: () => (end.abort(), "20260102T030405Z") });
  for (let turn = 0; turn < 1_000; turn += 1) await settle();
  assert.deepEqual(sockets, []);
});

test("an end during a wait is the end", async () => {
  const { opened, pass } = pushing();
  (await opened(1)).lose();
  await settle();
  end.abort();
  await pass(600_000);
  await opened(1);
});

for (const [leave, back] of [["pagehide", "pageshow"], ["freeze", "resume"]]) {
  test(`"${leave}" closes the connection, "${back}" opens another at once`, async () => {
    const { opened, events, pass, fire } = pushing();
    const socket = await opened(1);
    socket.accept();
    await fire(leave);
    assert.equal(socket.readyState, 3);
    assert.deepEqual(events, ["live", "off"]);
    await pass(600_000);
    await opened(1);
    await fire(back);
    (await opened(2)).accept();
    assert.deepEqual(events, ["live", "off", "live"]);
  });
}

test("back on line, a waiting page tries at once, and a connected one asks the broker", async () => {
  const { opened, pass, fire, events } = pushing();
  for (let number = 1; number <= 3; number += 1) {
    (await opened(number)).lose();
    await settle();
    await fire("online");
  }
  const socket = await opened(4);
  socket.accept();
  await fire("online");
  assert.equal(socket.types().at(-1), "pingreq");
  await pass(10_000);
  assert.deepEqual(events, ["live", "off"]);
});

test("a page that is looked at again finds out whether the connection still works", async () => {
  const { opened, pass, fire, events } = pushing();
  const socket = await opened(1);
  socket.accept();
  await fire("visibilitychange");
  socket.answer("pingresp");
  await pass(10_000);
  assert.deepEqual(events, ["live"]);
  await opened(1);
});

test("events during a connection do not shorten the wait after it", async () => {
  const { opened, pass, fire, waited } = pushing();
  const socket = await opened(1);
  socket.accept();
  for (let count = 0; count < 5; count += 1) await fire("visibilitychange");
  socket.answer("pingresp");
  await pass(60_000);
  socket.lose();
  assert.equal(await waited(), 500);
});

test("without credentials it waits, and connects when there are some", async () => {
  let signer = null;
  const { opened, pass, sockets } = pushing({ signer: () => signer });
  await settle();
  assert.deepEqual(sockets, []);
  signer = new AwsClient({ accessKeyId: "late", secretAccessKey: "s", region: "eu-west-1" });
  await pass(1_000);
  await opened(1);
});

test("an address that no browser opens is reported, and tried again later", async () => {
  const bug = new SyntaxError("The URL is invalid.");
  const open = () => {
    throw bug;
  };
  const { pass, events } = pushing({ open });
  await until(() => reported.length === 1);
  await pass(1_000);
  await until(() => reported.length === 2);
  assert.deepEqual([reported, events], [[bug, bug], []]);
});

test("when another channel is opened, the page stays live, and reads once the broker follows", async () => {
  const { opened, events, time, follow } = pushing();
  const socket = await opened(1);
  socket.accept();
  follow();
  assert.deepEqual(events, ["live"], "the same channel changes nothing");
  time.channel = "tea";
  follow();
  const asked = socket.sent.at(-1);
  assert.deepEqual(asked.topics.map(({ topic }) => topic), ["lambda-chat/channel/tea"]);
  socket.answer("suback", { pkt_id: asked.pkt_id, answers: [0] });
  assert.deepEqual(events, ["live", "live"]);
});
