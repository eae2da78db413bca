/** The Runtime API, over one connection, and how errors are described to it. */

import { Agent, request } from "node:http";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const OWN = new URL(".", import.meta.url).href;
// Frames of Node, and of the hook for the SDK.
const FOREIGN = ["node:internal", "data:text/javascript"];

/** An error in how the function is made. Its name is Lambda's. */
export class Fault extends Error {
  constructor(type, message, stack) {
    super(message);
    this.name = type;
    if (stack) this.stack = stack;
  }
}

/** Begin a request; its answer is what answerOf() resolves to. */
export function begin(method, place, headers) {
  return request({
    host,
    port,
    agent,
    method,
    path: `/2018-06-01/runtime${place}`,
    headers: { "User-Agent": `kappa-node/${process.versions.node}`, ...headers },
  });
}

/** Resolves to the headers and the body of the answer. */
export function answerOf(sent) {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (answer) => {
      const blocks = [];
      answer.on("data", (block) => blocks.push(block));
      answer.on("error", reject);
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(blocks) }));
    });
  });
}

/** Make a request; resolves to the headers and the body of the answer. */
export function call(method, place, body = "", headers = {}) {
  const length = { "Content-Length": Buffer.byteLength(body) };
  const sent = begin(method, place, { ...length, ...headers });
  const answer = answerOf(sent);
  sent.end(body);
  return answer;
}

/** Describe whatever was thrown, as Lambda does. */
export function describe(error) {
  const isError = error instanceof Error || (error && error.name && error.message !== undefined);
  return {
    errorType: isError ? String(error.name) : typeof error,
    errorMessage: isError ? String(error.message) : String(error),
    trace: isError ? traceOf(error) : [],
  };
}

/** The lines of a stack down to where this client called the function, without Node's frames. */
function traceOf(error) {
  const isFrame = (line) => /^\s+at /.test(line);
  const isForeign = (line) => isFrame(line) && FOREIGN.some((name) => line.includes(name));
  const lines = String(error.stack || "").split("\n");
  const end = lines.findIndex((line) => isFrame(line) && line.includes(OWN));
  return (end < 0 ? lines : lines.slice(0, end)).filter((line) => !isForeign(line));
}

/** The type of an error as a header may hold it. */
export function typeHeader(described) {
  const type = described.errorType.replace(/[^\x20-\x7e]/g, "?");
  return { "Lambda-Runtime-Function-Error-Type": type };
}

/** Report an error. */
export function fail(place, error) {
  const described = describe(error);
  const headers = { "Content-Type": "application/json", ...typeHeader(described) };
  return call("POST", place, JSON.stringify(described), headers);
}
