/**
 * Lambda's runtime client for Node.js: loads the handler and runs it for each invocation.
 *
 * A file by itself, run by the function's own Node, from 14 on. Handlers are CommonJS or ES modules
 * and return a value or a promise, call back, or stream.
 *
 * Source: AWS Lambda guide, "Define Lambda function handler in Node.js", "Using the Lambda context
 * object to retrieve Node.js function information", "Response streaming for Lambda functions";
 * AWS's own client, aws-lambda-nodejs-runtime-interface-client, for the names of errors.
 *
 * Its argument is JSON: {handler, source, debug_port}.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import Module, { createRequire } from "node:module";
import path from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const { env } = process;
const given = JSON.parse(process.argv[2]);
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const HTTP_RESPONSE = "application/vnd.awslambda.http-integration-response";
const MAX_CHECKED = 20;
const SDK = /^(@aws-crypto|@aws-sdk|@smithy|aws-sdk)(\/|$)/;
const SDK_HOOK = `let parentURL;
export function initialize(given) { ({ parentURL } = given); }
export async function resolve(name, context, next) {
  try {
    return await next(name, context);
  } catch (error) {
    if (!${SDK}.test(name)) throw error;
    return next(name, { ...context, parentURL });
  }
}`;
const STREAMS = Symbol.for("aws.lambda.runtime.handler.streaming");

/** The invocation that runs: its id, and how it ends where no code of the function goes on. */
const current = { id: undefined, whenIdle: undefined };

class Fault extends Error {
  constructor(type, message, stack) {
    super(message);
    this.name = type;
    if (stack) this.stack = stack;
  }
}

function options(method, place, headers) {
  const name = `kappa-node/${process.versions.node}`;
  return {
    host,
    port,
    agent,
    method,
    path: `/2018-06-01/runtime${place}`,
    headers: { "User-Agent": name, ...headers },
  };
}

/** Resolves to the headers and the body of the answer. */
function answerOf(sent) {
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

function call(method, place, body = "", headers = {}) {
  const length = { "Content-Length": Buffer.byteLength(body) };
  const sent = request(options(method, place, { ...length, ...headers }));
  const answer = answerOf(sent);
  sent.end(body);
  return answer;
}

function describe(error) {
  const isError = error instanceof Error || (error && error.name && error.message !== undefined);
  return {
    errorType: isError ? String(error.name) : typeof error,
    errorMessage: isError ? String(error.message) : String(error),
    trace: isError ? traceOf(error) : [],
  };
}

/** The lines of a stack, without this file's own frames and what leads to them. */
function traceOf(error) {
  const lines = String(error.stack || "").split("\n");
  const own = lines.findIndex((line) => /^\s+at /.test(line) && line.includes(import.meta.url));
  return own < 0 ? lines : lines.slice(0, own);
}

function fail(place, error) {
  const described = describe(error);
  const type = described.errorType.replace(/[^\x20-\x7e]/g, "?");
  return call("POST", place, JSON.stringify(described), {
    "Content-Type": "application/json",
    "Lambda-Runtime-Function-Error-Type": type,
  });
}

/** console writes as on Lambda: with the time, the invocation and the level; one event a call. */
function patchConsole() {
  const isJson = env.AWS_LAMBDA_LOG_FORMAT === "JSON";
  const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
  const least = isJson ? levels.indexOf(env.AWS_LAMBDA_LOG_LEVEL || "TRACE") : 0;
  const write = (level) => (...parts) => {
    if (levels.indexOf(level) < least) return;
    const timestamp = new Date().toISOString();
    const message = format(...parts);
    if (isJson) {
      const line = { timestamp, level, requestId: current.id, message };
      const error = parts.find((part) => part instanceof Error);
      if (error) {
        const { errorType, errorMessage, trace: stackTrace } = describe(error);
        Object.assign(line, { errorType, errorMessage, stackTrace });
      }
      process.stdout.write(`${JSON.stringify(line)}\n`);
    } else {
      const text = message.replace(/\n/g, "\r");
      process.stdout.write(`${timestamp}\t${current.id}\t${level}\t${text}\n`);
    }
  };
  Object.assign(console, {
    trace: write("TRACE"),
    debug: write("DEBUG"),
    log: write("INFO"),
    info: write("INFO"),
    warn: write("WARN"),
    error: write("ERROR"),
  });
}

/** A response that is sent while it is written. The request begins with the first write. */
class ResponseStream extends Writable {
  constructor(id) {
    super();
    this.id = id;
    this.contentType = "application/octet-stream";
    this.prelude = undefined;
    this.sent = undefined;
    this.answer = undefined;
  }

  setContentType(type) {
    if (this.sent) throw new Fault("InvalidStreamingOperation", "The response has begun.");
    this.contentType = type;
  }

  /** As streams of the SDK before: other than text and bytes is written as JSON. */
  write(chunk, ...more) {
    const isPlain = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(isPlain ? chunk : JSON.stringify(chunk), ...more);
  }

  _begin() {
    if (this.sent) return;
    const place = `/invocation/${this.id}/response`;
    this.sent = request(
      options("POST", place, {
        "Content-Type": this.contentType,
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
        Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
      }),
    );
    this.answer = answerOf(this.sent);
    this.answer.catch(() => process.exit(0)); // kappa has ended
    this.sent.flushHeaders();
    if (this.prelude !== undefined) this.sent.write(`${JSON.stringify(this.prelude)}${"\0".repeat(8)}`);
  }

  _write(chunk, encoding, done) {
    this._begin();
    if (chunk.length) this.sent.write(chunk, done);
    else done();
  }

  _final(done) {
    this._begin();
    this.sent.end(done);
  }

  /** End with an error, which follows what has been written. */
  fail(error) {
    const described = describe(error);
    this.sent.addTrailers({
      "Lambda-Runtime-Function-Error-Type": described.errorType.replace(/[^\x20-\x7e]/g, "?"),
      "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(described)).toString("base64"),
    });
    this.sent.end();
    return this.answer;
  }
}

globalThis.awslambda = {
  streamifyResponse(handler) {
    handler[STREAMS] = "response";
    return handler;
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType(HTTP_RESPONSE);
      stream.prelude = prelude;
      return stream;
    },
  },
};

/**
 * Lambda's runtime has the AWS SDK. Here it is taken from the source's node_modules or one above, as
 * a development dependency, where the code brings none. Other packages are not: Lambda lacks them.
 */
function useSdk(root, source) {
  if (existsSync(path.join(root, "node_modules/@aws-sdk"))) return;
  let folder = source;
  while (!existsSync(path.join(folder, "node_modules/@aws-sdk"))) {
    if (folder === path.dirname(folder)) return;
    folder = path.dirname(folder);
  }
  const inside = path.join(folder, "index.js");
  const find = Module._resolveFilename;
  Module._resolveFilename = function (name, ...more) {
    try {
      return find.call(this, name, ...more);
    } catch (error) {
      if (!SDK.test(name)) throw error;
      return createRequire(inside).resolve(name);
    }
  };
  if (Module.register) {
    const hook = `data:text/javascript,${encodeURIComponent(SDK_HOOK)}`;
    Module.register(hook, { data: { parentURL: pathToFileURL(inside).href } });
  }
}

/** Whether the nearest package.json makes .js files ES modules. */
function isModuleFolder(file, root) {
  let folder = path.dirname(file);
  for (;;) {
    const about = path.join(folder, "package.json");
    if (existsSync(about)) {
      try {
        return JSON.parse(readFileSync(about, "utf8")).type === "module";
      } catch {
        return false;
      }
    }
    if (folder === root || folder === path.dirname(folder)) return false;
    folder = path.dirname(folder);
  }
}

function isFile(file) {
  return existsSync(file) && statSync(file).isFile();
}

async function loadModule(base, root) {
  const endings = ["", ".js", ".mjs", ".cjs", "/index.js", "/index.mjs", "/index.cjs"];
  const file = endings.map((ending) => base + ending).find(isFile);
  if (!file) {
    throw Object.assign(new Error(`Cannot find module '${path.relative(root, base)}'`), {
      code: "MODULE_NOT_FOUND",
    });
  }
  const isModule = file.endsWith(".mjs") || (file.endsWith(".js") && isModuleFolder(file, root));
  return isModule ? import(pathToFileURL(file).href) : createRequire(file)(file);
}

/** The function's own scripts, without its packages. */
function ownScripts(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const inner = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : ownScripts(inner);
    return /\.[cm]?js$/.test(entry.name) ? [inner] : [];
  });
}

/** Where a syntax error is. Node itself tells only of CommonJS, so it checks the scripts again. */
function placeOf(error, root) {
  const lines = String(error.stack).split("\n");
  const isTold = !lines[0].startsWith("SyntaxError");
  const texts = isTold ? [] : ownScripts(root).slice(0, MAX_CHECKED).map(checked);
  const text = texts.find((one) => one.includes(error.message)) || lines.join("\n");
  return text.split("\n").filter((line) => line && !/^\s+at |^Node\.js v/.test(line)).join("\n");
}

function checked(file) {
  return String(spawnSync(process.execPath, ["--check", file]).stderr || "");
}

async function load(handler) {
  const root = env.LAMBDA_TASK_ROOT;
  const folder = handler.slice(0, handler.lastIndexOf("/") + 1);
  const [name, ...names] = handler.slice(folder.length).split(".");
  if (!name || !names.length) throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  let loaded;
  try {
    loaded = await loadModule(path.resolve(root, folder, name), root);
  } catch (error) {
    const codes = ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"];
    if (error instanceof SyntaxError) {
      throw new Fault("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`, placeOf(error, root));
    }
    if (error && codes.includes(error.code)) {
      throw new Fault("Runtime.ImportModuleError", `Error: ${error.message}`, error.stack);
    }
    throw error;
  }
  const pick = (from) => names.reduce((inner, key) => inner && inner[key], from);
  const found = pick(loaded) || pick(loaded && loaded.default);
  if (!found) {
    throw new Fault("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  }
  if (typeof found !== "function") {
    throw new Fault("Runtime.HandlerNotFound", `${handler} is not a function`);
  }
  return found;
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    identity: undefined,
    clientContext: undefined,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** Resolves to what a handler returns, resolves to or calls back with. */
function resultOf(handle, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, result) => {
      const finish = () => (error ? reject(error) : resolve(result));
      if (context.callbackWaitsForEmptyEventLoop) current.whenIdle = finish;
      else setImmediate(finish);
    };
    // A handler without anything left to do has nothing to say.
    current.whenIdle = () => resolve(null);
    Object.assign(context, {
      done: callback,
      fail: (error) => callback(error || new Error("handler failed")),
      succeed: (result) => callback(null, result),
    });
    const returned = handle(event, context, callback);
    if (returned && typeof returned.then === "function") returned.then(resolve, reject);
  });
}

async function buffered(handle, event, context, id) {
  let body;
  try {
    const result = await resultOf(handle, event, context);
    try {
      body = JSON.stringify(result === undefined ? null : result);
    } catch (error) {
      throw new Fault("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`);
    }
  } catch (error) {
    return fail(`/invocation/${id}/error`, error);
  }
  return call("POST", `/invocation/${id}/response`, body || "null", {
    "Content-Type": "application/json",
  });
}

async function streamed(handle, event, context, id) {
  const stream = new ResponseStream(id);
  try {
    const broken = new Promise((_, reject) => stream.on("error", reject));
    current.whenIdle = () =>
      stream.emit("error", new Fault("InvalidStreamingOperation", "The response has no end."));
    const returned = handle(event, stream, context);
    if (!returned || typeof returned.then !== "function") {
      const message = "Streaming does not support non-async handlers.";
      throw new Fault("InvalidStreamingOperation", message);
    }
    await Promise.race([returned, broken]);
    if (!stream.writableEnded) {
      throw new Fault("InvalidStreamingOperation", "Response stream is not finished.");
    }
    return await Promise.race([new Promise((resolve) => stream.on("close", resolve)), broken]).then(
      () => stream.answer,
    );
  } catch (error) {
    return stream.sent ? stream.fail(error) : fail(`/invocation/${id}/error`, error);
  }
}

async function run(handle) {
  const answer = handle[STREAMS] ? streamed : buffered;
  for (;;) {
    const { headers, body } = await call("GET", "/invocation/next");
    current.id = headers["lambda-runtime-aws-request-id"];
    env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
    await answer(handle, JSON.parse(body.toString("utf8")), contextOf(headers), current.id);
    current.whenIdle = undefined;
  }
}

/** Report what nobody caught, then end as Lambda's runtime does. */
function onUncaught(type, code) {
  return (error) => {
    const reported = type
      ? new Fault(type, error instanceof Error ? `${error}` : String(error), error && error.stack)
      : error;
    const place = current.id ? `/invocation/${current.id}/error` : "/init/error";
    fail(place, reported).finally(() => process.exit(code));
  };
}

async function main() {
  patchConsole();
  process.on("beforeExit", () => {
    const finish = current.whenIdle;
    current.whenIdle = undefined;
    if (finish) finish();
  });
  process.on("uncaughtException", onUncaught("", 129));
  process.on("unhandledRejection", onUncaught("Runtime.UnhandledPromiseRejection", 128));
  if (given.debug_port) {
    const inspector = await import("node:inspector");
    inspector.default.open(given.debug_port, "127.0.0.1", true);
  }
  useSdk(env.LAMBDA_TASK_ROOT, given.source);
  let handle;
  try {
    handle = await load(given.handler);
  } catch (error) {
    await fail("/init/error", error);
    process.exit(1);
  }
  await run(handle).catch((error) => {
    if (["ECONNRESET", "ECONNREFUSED", "EPIPE"].includes(error.code)) process.exit(0);
    throw error;
  });
}

main();
