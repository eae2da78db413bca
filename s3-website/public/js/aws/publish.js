// Publishes messages and changes to SNS, and makes the client ids that make a repeat harmless.

import { readError } from "./request.js";

/**
 * @typedef {import("../state.js").Outgoing} Outgoing
 * @typedef {import("./request.js").SignedFetch} SignedFetch
 */

/**
 * Publish a message or a change. If it is sent twice with the same clientId, it is shown once.
 * @param {SignedFetch} signed @param {import("../config.js").Config} config
 * @param {Pick<Outgoing, "text" | "channel" | "clientId" | "action" | "target">} outgoing
 * @param {string} token the sender's ID token, for store_message to verify
 * @throws {import("./request.js").AwsError} if SNS refuses it
 */
export async function publish(signed, config, { text, channel, clientId, action, target }, token) {
  const change = action && { action, id: target };
  const message = action === "delete" ? undefined : text;
  const body = new URLSearchParams({
    Action: "Publish",
    Version: "2010-03-31",
    TopicArn: config.topicArn,
    Message: JSON.stringify({ ...change, message, channel, client_id: clientId }),
    "MessageAttributes.entry.1.Name": "id_token",
    "MessageAttributes.entry.1.Value.DataType": "String",
    "MessageAttributes.entry.1.Value.StringValue": token,
  });
  const response = await signed("sns", config.endpoints.sns, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: body.toString(),
  });
  if (!response.ok) throw await readError(response);
  await response.text();
}

/**
 * Make client ids: unique, sorted by time, at most 64 safe characters.
 * @param {() => number} now milliseconds since the epoch
 * @param {() => string} random eight or more hex digits
 * @returns {() => string}
 */
export function clientIds(now, random) {
  let last = 0;
  return () => {
    // strictly increasing, even when the clock is set back
    last = Math.max(now(), last + 1);
    return `${last.toString(36).padStart(9, "0")}-${random()}`;
  };
}
