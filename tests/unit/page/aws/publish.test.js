import assert from "node:assert/strict";
import { test } from "node:test";
import { clientIds, publish } from "../../../../s3-website/public/js/aws/publish.js";

const SNS = {
  topicArn: "arn:aws:sns:eu-west-1:123456789012:chat",
  endpoints: { sns: "https://sns.eu-west-1.amazonaws.com" },
};

test("a message is published with its channel, its client id and the sender's token", async () => {
  const asked = [];
  const signed = async (name, url, init) => {
    asked.push({ name, init });
    return new Response("<PublishResponse/>");
  };
  const outgoing = { text: 'é "&+= 😀', channel: "default", clientId: "c-1" };
  await publish(signed, SNS, outgoing, "a.b.c");
  const form = new URLSearchParams(asked[0].init.body);
  assert.equal(asked[0].name, "sns");
  assert.equal(form.get("TopicArn"), SNS.topicArn);
  assert.deepEqual(JSON.parse(form.get("Message")), {
    message: 'é "&+= 😀',
    channel: "default",
    client_id: "c-1",
  });
  assert.equal(form.get("MessageAttributes.entry.1.Value.StringValue"), "a.b.c");
});

test("a refused publish is an error", async () => {
  const denied = "<Error><Code>AuthorizationError</Code></Error>";
  const signed = async () => new Response(denied, { status: 403 });
  const outgoing = { text: "x", channel: "default", clientId: "c-1" };
  await assert.rejects(publish(signed, SNS, outgoing, "t"), { code: "AuthorizationError" });
});

test("client ids sort by time, never repeat, and hold safe characters only", () => {
  const times = [1000, 1000, 999, 1_800_000_000_000, 5];
  const next = clientIds(
    () => times.shift(),
    () => "abcdef01",
  );
  const made = [next(), next(), next(), next(), next()];
  assert.deepEqual(made, [...new Set(made)].sort());
  for (const id of made) assert.match(id, /^[a-z0-9-]{1,64}$/);
});
