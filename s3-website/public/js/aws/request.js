// Owns how a request to AWS is signed, timed and answered, and what its errors mean.
// It must not know which services the page talks to, or touch the DOM.

/**
 * @typedef {{accessKeyId: string, secretAccessKey: string, sessionToken: string, endsAt: number}}
 *   Credentials `endsAt` is in milliseconds since the epoch, by this machine's clock.
 * @typedef {(service: string, url: string, init: RequestInit) => Promise<Response>} SignedFetch
 * @typedef {{sign(url: string, init: RequestInit & {aws: {service: string, datetime: string}}):
 *   Promise<Request>}} Signer
 * @typedef {"ended" | "offline" | "clock" | "denied" | "busy" | "unknown" | "fault"} Trouble
 *   `fault`: a mistake of the page itself
 */

const TIMEOUT_MS = 10_000;
// below this a difference is the network's and the header's whole seconds, not the clock's
const SKEW_MS = 60_000;

/** What AWS's codes mean, by how they begin. */
const CODES = /** @type {const} */ ({
  ended:
    /^(ExpiredToken|Invalid(AccessKeyId|ClientTokenId|IdentityToken|Token)|TokenRefreshRequired|UnrecognizedClient)/,
  clock: /^(InvalidSignature|RequestExpired|RequestTimeTooSkewed|SignatureDoesNotMatch)/,
  denied: /^(AccessDenied|AuthorizationError)/,
  busy: /^(IDPCommunicationError|Internal|Provisioned|RequestLimit|ServiceUnavailable|SlowDown|Throttl)/,
});

/**
 * Not the token's fault: AWS could not fetch Google's keys, for a moment.
 * Source: re:Post, 'How can I resolve the AWS STS AssumeRoleWithWebIdentity API call error
 * "InvalidIdentityToken"?'.
 */
const NO_KEY = "retrieve verification key";

/** An answer of AWS that is an error, with AWS's own code and words. */
export class AwsError extends Error {
  /** @param {string} code @param {string} message @param {number} status */
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** No answer came, or not all of it: by the network, after too long, or at the end of a session. */
export class NetworkError extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    super("There was no answer.", { cause });
    this.name = "NetworkError";
  }
}

/** An answer that is not of the shape that was agreed on. */
export class ShapeError extends Error {}

/** This machine's clock, corrected by what AWS answers: a signature is refused when it is off. */
export class Clock {
  /** @param {() => number} now milliseconds since the epoch */
  constructor(now) {
    this.now = now;
    this.offsetMs = 0;
  }

  /**
   * @param {Response} response of another origin only where that shows its Date header
   * @param {number} askedAt by this machine's clock
   */
  observe(response, askedAt) {
    const theirs = Date.parse(response.headers.get("date") ?? "");
    const time = this.now();
    // what was answered before a sleep tells nothing of the time after it
    if (Number.isNaN(theirs) || Math.abs(time - askedAt) > TIMEOUT_MS) return;
    const offset = theirs - time;
    this.offsetMs = Math.abs(offset) > SKEW_MS ? offset : 0;
  }

  /** @returns {number} milliseconds since the epoch, as AWS counts them */
  time() {
    return this.now() + this.offsetMs;
  }

  /** The time for a signature, as AWS writes it: 20260102T030405Z. */
  stamp() {
    return new Date(this.time()).toISOString().replace(/[:-]|\.\d{3}/g, "");
  }
}

/**
 * Make the one function that sends signed requests.
 *
 * The signer's own retries are not used: the page decides when to try again. Only a request that
 * was refused while the refusal itself shows that this machine's clock is wrong is sent again at
 * once, with the right time.
 * @param {Signer} signer @param {Clock} clock @param {AbortSignal} signal ends with the session
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
 * Wait for the whole answer. What fails in here is the network; what fails elsewhere is a fault.
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

/** @param {AbortSignal} signal @returns {AbortSignal} the same, which also ends by itself */
export function withTimeout(signal) {
  return AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
}

/**
 * Read an error answer: XML of S3, STS and SNS, JSON of DynamoDB.
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
 * The text of the first element of that name; "" when there is none.
 *
 * AWS's query and S3 answers are flat where the page reads them, so no XML parser is needed.
 * @param {string} xml @param {string} name
 */
export function tag(xml, name) {
  const match = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml);
  return match ? unescapeXml(match[1] ?? "") : "";
}

/** @param {unknown} error @returns {boolean} whether STS has no key for a token, perhaps for a moment */
export function lacksKey(error) {
  return error instanceof AwsError && error.message.includes(NO_KEY);
}

/** @param {unknown} error @returns {Trouble} what it means for a person, whatever the service */
export function trouble(error) {
  if (error instanceof NetworkError) return "offline";
  if (!(error instanceof AwsError)) return error instanceof ShapeError ? "unknown" : "fault";
  if (lacksKey(error)) return "busy";
  for (const [kind, codes] of Object.entries(CODES)) {
    if (codes.test(error.code)) return /** @type {Trouble} */ (kind);
  }
  return error.status >= 500 || error.status === 429 ? "busy" : "unknown";
}

/** @param {unknown} error @returns {boolean} nothing is reached, and the browser knows why */
export function isOffline(error) {
  return trouble(error) === "offline" && !navigator.onLine;
}

/** @param {unknown} error @returns {string} what happened and what to do, without jargon */
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
