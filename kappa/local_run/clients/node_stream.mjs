/** Responses that are sent while they are written, and the global that makes handlers stream. */

import { Writable } from "node:stream";

import { Fault, answerOf, begin, describe, typeHeader } from "./node_api.mjs";

const HTTP_RESPONSE = "application/vnd.awslambda.http-integration-response";
export const STREAMS = Symbol.for("aws.lambda.runtime.handler.streaming");

/** A response whose request begins with the first write. */
export class ResponseStream extends Writable {
  constructor(id) {
    super();
    this.id = id;
    this.contentType = "application/octet-stream";
    this.prelude = undefined;
    this.sent = undefined;
    this.answer = undefined;
  }

  setContentType(type) {
    if (this.sent) throw new Fault("Runtime.InvalidStreamingOperation", "The response has begun.");
    this.contentType = type;
  }

  /** Write text and bytes as they are, anything else as JSON. */
  write(chunk, ...more) {
    const isPlain = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(isPlain ? chunk : JSON.stringify(chunk), ...more);
  }

  _begin() {
    if (this.sent) return;
    const place = `/invocation/${this.id}/response`;
    this.sent = begin("POST", place, {
      "Content-Type": this.contentType,
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      "Transfer-Encoding": "chunked",
      Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
    });
    this.answer = answerOf(this.sent);
    this.answer.catch(() => process.exit(0)); // kappa has ended
    this.sent.flushHeaders();
    if (this.prelude !== undefined) {
      this.sent.write(`${JSON.stringify(this.prelude)}${"\0".repeat(8)}`);
    }
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
    const body = Buffer.from(JSON.stringify(described)).toString("base64");
    this.sent.addTrailers({
      ...typeHeader(described),
      "Lambda-Runtime-Function-Error-Body": body,
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
