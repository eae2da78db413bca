// Signs and sends requests to AWS, corrects the clock, and explains errors. It must not know which services the
// page calls, or touch the DOM.

/**
 * @typedef {{accessKeyId: string, secretAccessKey: string, sessionToken: string, endsAt: number}}
 *   Credentials `endsAt`: ms since the epoch, by this machine's clock
 * @typedef {(service: string, url: string, init: RequestInit) => Promise<Response>} SignedFetch
 * @typedef {{sign(url: string, init: RequestInit & {aws: {service: string, datetime: string}}):
 *   Promise<Request>}} Signer
 * @typedef {"ended" | "offline" | "clock" | "denied" | "busy" | "unknown" | "fault"} Trouble
 *   `fault`: a bug of the page
 */

const TIMEOUT_MS = 10_000;
// a smaller difference comes from the network and from the header's whole seconds
const SKEW_MS = 60_000;

/** The meaning of AWS's error codes, by their beginnings. */
const CODES = /** @type {const} */ ({
  ended:
    /^(ExpiredToken|Invalid(AccessKeyId|ClientTokenId|IdentityToken|Token)|TokenRefreshRequired|UnrecognizedClient)/,
  clock: /^(InvalidSignature|RequestExpired|RequestTimeTooSkewed|SignatureDoesNotMatch)/,
  denied: /^(AccessDenied|AuthorizationError)/,
  busy: /^(IDPCommunicationError|Internal|Provisioned|RequestLimit|ServiceUnavailable|SlowDown|Throttl)/,
});

/**
 * Part of an error that is not about the token: AWS could not fetch Google's keys for a moment.
 * Source: re:Post, 'How can I resolve the AWS STS AssumeRoleWithWebIdentity API call error
 * "InvalidIdentityToken"?'.
 */
const NO_KEY = "retrieve verification key";

/** AWS answered with an error; holds AWS's code and message. */
export class AwsError extends Error {
  /** @param {string} code @param {string} message @param {number} status */
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** No complete answer came: the network failed, the time was up, or the session ended. */
export class NetworkError extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    super("There was no answer.", { cause });
    this.name = "NetworkError";
  }
}

/** An answer does not have the expected shape. */
export class ShapeError extends Error {}

/** This machine's clock, corrected by AWS's answers: AWS refuses signatures with a wrong time. */
export class Clock {
  /** @param {() => number} now milliseconds since the epoch */
  constructor(now) {
    this.now = now;
    this.offsetMs = 0;
  }

  /**
   * @param {Response} response from another origin, one that exposes its Date header
   * @param {number} askedAt by this machine's clock
   */
  observe(response, askedAt) {
    const theirs = Date.parse(response.headers.get("date") ?? "");
    const time = this.now();
    // an answer from before a sleep shows nothing about the clock after it
    if (Number.isNaN(theirs) || Math.abs(time - askedAt) > TIMEOUT_MS) return;
    const offset = theirs - time;
    this.offsetMs = Math.abs(offset) > SKEW_MS ? offset : 0;
  }

  /** @returns {number} milliseconds since the epoch, by AWS's clock */
  time() {
    return this.now() + this.offsetMs;
  }

  /** @returns {string} the time for a signature, such as 20260102T030405Z */
  stamp() {
    return new Date(this.time()).toISOString().replace(/[:-]|\.\d{3}/g, "");
  }
}

/**
 * Make the function that sends signed requests.
 *
 * It does not use the signer's retries: the page decides when to retry. It repeats a request only if
 * the refusal shows that this machine's clock is wrong, with the corrected time.
 * @param {Signer} signer @param {Clock} clock @param {AbortSignal} signal the session's
 * @param {typeof fetch} send
 * @returns {SignedFetch}
 */
export function signedFetch(signer, clock, signal, send = (request) => fetch(request)) {
  return async (service, url, init) => {
    const request = async () => {
      const aws = { service, datetime: clock.stamp() };
      const signed = await signer.sign(url, { ...init, signal: withTimeout(signal), aws });
      const askedAt = clock.now();
      return answered(async () => {
        const response = await send(signed);
        clock.observe(response, askedAt);
        return response;
      });
    };
    const { offsetMs } = clock;
    const response = await request();
    const refused = response.status >= 400 && response.status < 500;
    if (!refused || Math.abs(clock.offsetMs - offsetMs) < SKEW_MS) return response;
    await response.text();
    return request();
  };
}

/**
 * Wait for the whole answer. Only errors in here are the network's.
 * @param {() => Promise<Response>} ask
 * @throws {NetworkError}
 */
export async function answered(ask) {
  try {
    const response = await ask();
    const body = await response.arrayBuffer();
    return new Response(body.byteLength ? body : null, response);
  } catch (cause) {
    throw new NetworkError(cause);
  }
}

/** @param {AbortSignal} signal @returns {AbortSignal} also aborts after 10 s */
export function withTimeout(signal) {
  return AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
}

/**
 * Read an error answer: XML from S3, STS and SNS, JSON from DynamoDB.
 * @param {Response} response
 * @returns {Promise<AwsError>}
 */
export async function readError(response) {
  const body = await response.text();
  const json = jsonObject(body);
  const type = json ? String(json.__type ?? "") : tag(body, "Code");
  const code = type.split("#").pop() || `HTTP ${response.status}`;
  const message = json ? String(json.message ?? json.Message ?? "") : tag(body, "Message");
  return new AwsError(code, message, response.status);
}

/**
 * Return the text of the first element of that name, or "".
 *
 * The parts of AWS's answers that the page reads are flat, so it needs no XML parser.
 * @param {string} xml @param {string} name
 */
export function tag(xml, name) {
  const match = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml);
  return match ? unescapeXml(match[1] ?? "") : "";
}

/** @param {unknown} error @returns {boolean} whether STS lacks a key to verify a token */
export function lacksKey(error) {
  return error instanceof AwsError && error.message.includes(NO_KEY);
}

/** @param {unknown} error @returns {Trouble} its kind, whatever the service */
export function trouble(error) {
  if (error instanceof NetworkError) return "offline";
  if (!(error instanceof AwsError)) return error instanceof ShapeError ? "unknown" : "fault";
  if (lacksKey(error)) return "busy";
  for (const [kind, codes] of Object.entries(CODES)) {
    if (codes.test(error.code)) return /** @type {Trouble} */ (kind);
  }
  return error.status >= 500 || error.status === 429 ? "busy" : "unknown";
}

/** @param {unknown} error @returns {boolean} whether it failed because the browser is offline */
export function isOffline(error) {
  return trouble(error) === "offline" && !navigator.onLine;
}

/** @param {unknown} error @returns {string} what happened and what to do, in plain words */
export function explain(error) {
  switch (trouble(error)) {
    case "ended":
      return "Your sign-in has ended. Sign in again to continue.";
    case "offline":
      return "Offline: the chat cannot be reached.";
    case "clock":
      return "The chat refused this device's request. Check that its date and time are right.";
    case "denied":
      return "You are not allowed to do this. Ask the people who run this chat.";
    case "busy":
      return "The chat is busy at the moment.";
    case "fault":
      return "Something went wrong in this page. Reload it if this persists.";
    default:
      return error instanceof AwsError
        ? `The chat answered with an error (${error.code}).`
        : "The chat answered with something that this page does not understand.";
  }
}

/** @param {string} text @returns {Record<string, unknown> | null} */
function jsonObject(text) {
  if (!text.startsWith("{")) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} text */
function unescapeXml(text) {
  /** @type {Record<string, string>} */
  const names = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => names[name] ?? "");
}
