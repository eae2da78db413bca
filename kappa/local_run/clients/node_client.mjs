/**
 * Lambda's runtime client for Node.js: loads the handler and runs it for each invocation.
 *
 * Run by the function's own Node, from 14 on. Handlers are CommonJS or ES modules and return a
 * value or a promise, call back, or stream.
 *
 * Source: AWS Lambda guide, "Define Lambda function handler in Node.js", "Using the Lambda context
 * object to retrieve Node.js function information", "Response streaming for Lambda functions";
 * AWS's own client, aws-lambda-nodejs-runtime-interface-client, for the names of errors.
 *
 * Its argument is JSON: {handler, source, debug_port}.
 */

import { format } from "node:util";

import { Fault, call, describe, fail } from "./node_api.mjs";
import { load, useSdk } from "./node_handler.mjs";
import { ResponseStream, STREAMS } from "./node_stream.mjs";

const { env } = process;
const given = JSON.parse(process.argv[2]);
const FIRST_WITHOUT_CALLBACKS = 24;

/** The invocation that runs: its id, how it fails, and what ends it once no code runs any more. */
const current = {
  id: undefined,
  fail: (error) => fail("/init/error", error),
  whenIdle: undefined,
};

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
    // A handler that has nothing left to do returns nothing.
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
      const text = `Unable to stringify response body: ${error.message}`;
      throw new Fault("Runtime.JSONStringifyError", text);
    }
  } catch (error) {
    return current.fail(error);
  }
  return call("POST", `/invocation/${id}/response`, body || "null", {
    "Content-Type": "application/json",
  });
}

async function streamed(handle, event, context, id) {
  const stream = new ResponseStream(id);
  const failed = current.fail;
  current.fail = (error) => (stream.sent ? stream.fail(error) : failed(error));
  const broken = new Promise((_, reject) => stream.on("error", reject));
  broken.catch(() => {}); // it is raced below, if the handler gets that far
  try {
    current.whenIdle = () =>
      stream.emit("error", new Fault("Runtime.InvalidStreamingOperation", "The response has no end."));
    const returned = handle(event, stream, context);
    if (!returned || typeof returned.then !== "function") {
      const message = "Streaming does not support non-async handlers.";
      throw new Fault("Runtime.MalformedStreamingHandler", message);
    }
    await Promise.race([returned, broken]);
    if (!stream.writableEnded) {
      throw new Fault("Runtime.InvalidStreamingOperation", "Response stream is not finished.");
    }
    await Promise.race([new Promise((resolve) => stream.on("close", resolve)), broken]);
    return await stream.answer;
  } catch (error) {
    return current.fail(error);
  }
}

/** By the number of parameters, Lambda sees whether a handler calls back. */
function refuseCallback(handle) {
  const [, major] = /nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV) || [];
  if (Number(major) < FIRST_WITHOUT_CALLBACKS || handle.length < 3 || handle[STREAMS]) return;
  throw new Fault(
    "Runtime.CallbackHandlerDeprecated",
    "AWS Lambda has removed support for callback-based function handlers starting with Node.js " +
      `${FIRST_WITHOUT_CALLBACKS}: a handler has two parameters at most, event and context.`,
  );
}

async function run(handle) {
  const answer = handle[STREAMS] ? streamed : buffered;
  for (;;) {
    const { headers, body } = await call("GET", "/invocation/next");
    current.id = headers["lambda-runtime-aws-request-id"];
    current.fail = (error) => fail(`/invocation/${current.id}/error`, error);
    env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
    await answer(handle, JSON.parse(body.toString("utf8")), contextOf(headers), current.id);
    current.whenIdle = undefined;
  }
}

/** Report an uncaught error, then end as Lambda's runtime does. */
function onUncaught(type, code) {
  return (error) => {
    const reported = type
      ? new Fault(type, error instanceof Error ? `${error}` : String(error), error && error.stack)
      : error;
    current.fail(reported).finally(() => process.exit(code));
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
    handle = await load(given.handler, env.LAMBDA_TASK_ROOT);
    refuseCallback(handle);
  } catch (error) {
    await current.fail(error);
    process.exit(1);
  }
  await run(handle).catch((error) => {
    if (["ECONNRESET", "ECONNREFUSED", "EPIPE"].includes(error.code)) process.exit(0);
    throw error;
  });
}

main();
