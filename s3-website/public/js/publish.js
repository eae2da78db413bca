// Owns how a message is handed to SNS. It must not decide what may be sent: chat.js does.

import { readError } from "./aws.js";

/**
 * @typedef {import("./aws.js").SignedFetch} SignedFetch
 * @typedef {import("../config.js").Config} Config
 * @typedef {{message: string, channel: string, clientId: string}} Outgoing
 */

/**
 * Publish one message. Sent twice with the same clientId, it is shown once.
 * @param {SignedFetch} signed @param {Config} config @param {Outgoing} outgoing
 * @param {string} token the sender's ID token, for store_message to verify
 * @throws {import("./aws.js").AwsError} if SNS refuses it
 */
export async function publish(signed, config, outgoing, token) {
  const { message, channel, clientId } = outgoing;
  const body = new URLSearchParams({
    Action: "Publish",
    Version: "2010-03-31",
    TopicArn: config.topicArn,
    Message: JSON.stringify({ message, channel, client_id: clientId }),
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
 * Make client ids: unique, in the order of time, at most 64 safe characters.
 * @param {() => number} now milliseconds since the epoch
 * @param {() => string} random eight or more hex digits
 * @returns {() => string}
 */
export function clientIds(now, random) {
  let last = 0;
  return () => {
    // never the same twice and never backwards, even when the clock is set back
    last = Math.max(now(), last + 1);
    return `${last.toString(36).padStart(9, "0")}-${random()}`;
  };
}
