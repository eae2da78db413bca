"""Lambda's Runtime API for one process: hands out invocations and takes their results.

Owns the protocol. It starts no process and knows no deadline: it puts events into a queue.
Only this machine's own user can reach it.
Source: AWS Lambda guide, "Using the Lambda runtime API for custom runtimes"; "Building a custom
runtime", response streaming.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from queue import Full, Queue

import msgspec

from kappa.local_run.same_user import is_same_user
from kappa.local_run.server import HOST, Exchange, HttpError, Server, TooLarge
from kappa.local_run.url_response import Response

# Source: AWS Lambda guide, "Lambda quotas"; the number stands in Lambda's own error.
MAX_RESPONSE_BYTES = 6_291_556
MAX_STREAM_BYTES = 200 * 1024 * 1024
_ROOT = "/2018-06-01/runtime/"
_JSON = ("Content-Type", "application/json")
_ACCEPTED = Response(202, (_JSON,), b'{"status":"OK"}\n')
# Headers that browsers add; a request for an image has no Origin. Source: W3C, "Fetch Metadata
# Request Headers".
_PAGES = ("origin", "referer", "sec-fetch-site")
# Events that wait for the reader of a stream. While there are so many, the function waits too.
_MAX_WAITING = 64


class Invocation(msgspec.Struct, frozen=True):
    """An invocation, as /next hands it out."""

    request_id: str
    payload: bytes
    headers: Mapping[str, str]


class Ready(msgspec.Struct, frozen=True):
    """The runtime asks for an invocation; `client` is how it names itself."""

    client: str


class Taken(msgspec.Struct, frozen=True):
    """The runtime has got the invocation."""


class Begun(msgspec.Struct, frozen=True):
    """A response begins."""

    content_type: str
    is_streamed: bool


class Chunk(msgspec.Struct, frozen=True):
    """A part of a response."""

    data: bytes


class Ended(msgspec.Struct, frozen=True):
    """A response is complete; `error` is what a stream reports at its end, as JSON."""

    error: bytes = b""


class Failed(msgspec.Struct, frozen=True):
    """The runtime reports an error, as JSON."""

    error: bytes


class Exited(msgspec.Struct, frozen=True):
    """The process has ended. Units: as Popen.returncode."""

    code: int


Event = Ready | Taken | Begun | Chunk | Ended | Failed | Exited


class RuntimeApi:
    """The Runtime API of one process. Its events are in `events`."""

    def __init__(self) -> None:
        self.events: Queue[Event] = Queue(_MAX_WAITING)
        self._changed = threading.Condition()
        self._offered: Invocation | None = None
        self._current = ""
        self._is_closed = False
        self._server = Server(self._respond, admits=is_same_user)
        self.address = f"{HOST}:{self._server.port}"
        self._server.start()

    def offer(self, invocation: Invocation) -> None:
        """Let the next call of /next have this invocation."""
        with self._changed:
            self._offered = invocation
            self._changed.notify_all()

    def put(self, event: Event) -> None:
        """Add an event, waiting while the queue is full; after close() it is dropped."""
        while not self._is_closed:
            with suppress(Full):
                self.events.put(event, timeout=0.2)
                return

    def close(self) -> None:
        """End the server. Waiting threads end soon."""
        self._is_closed = True
        with self._changed:
            self._changed.notify_all()
        self._server.close()

    def _respond(self, exchange: Exchange) -> None:
        # A page in a browser must not reach the function, by DNS rebinding or otherwise.
        if exchange.value("host") != self.address or any(map(exchange.value, _PAGES)):
            raise HttpError("Not a runtime's request.", 403)
        match exchange.method, exchange.target.removeprefix(_ROOT).split("/"):
            case "GET", ["invocation", "next"]:
                self._next(exchange)
            case "POST", ["init", "error"]:
                self._report(exchange)
            case "POST", ["invocation", request_id, "response" | "error" as action]:
                if request_id != self._current:
                    raise HttpError("This invocation is not running.")
                self._report(exchange, is_response=action == "response")
            case _:
                raise HttpError(f"No {exchange.method} {exchange.target} here.", 404)

    def _next(self, exchange: Exchange) -> None:
        if self._current:
            raise HttpError("The last invocation has no response.", 403)
        for _ in exchange.blocks():
            pass  # it says nothing
        self.put(Ready(exchange.value("user-agent")))
        with self._changed:
            while self._offered is None and not self._is_closed:
                self._changed.wait()
            if self._offered is None or _is_gone(exchange.connection):
                exchange.cut()
                return
            invocation, self._offered = self._offered, None
        self._current = invocation.request_id
        self.put(Taken())
        exchange.send(Response(200, (_JSON, *invocation.headers.items()), invocation.payload))

    def _report(self, exchange: Exchange, *, is_response: bool = False) -> None:
        """Take the whole of a response or an error, or a stream as it comes."""
        mode = exchange.value("lambda-runtime-function-response-mode")
        if is_response and mode == "streaming":
            self._stream(exchange)
            return
        try:
            body = exchange.read(MAX_RESPONSE_BYTES)
        except TooLarge:
            self._current = ""
            error = _too_large(MAX_RESPONSE_BYTES)
            self.put(Failed(error))
            exchange.send(Response(413, (_JSON,), error))
            return
        self._current = ""
        if is_response:
            self.put(Begun(exchange.value("content-type"), is_streamed=False))
            self.put(Chunk(body))
            self.put(Ended())
        else:
            self.put(Failed(body))
        exchange.send(_ACCEPTED)

    def _stream(self, exchange: Exchange) -> None:
        self.put(Begun(exchange.value("content-type"), is_streamed=True))
        size = 0
        for block in exchange.blocks():
            size += len(block)
            if size > MAX_STREAM_BYTES:
                self._current = ""
                self.put(Ended(_too_large(MAX_STREAM_BYTES)))
                raise HttpError("The stream is too long.", 413)
            self.put(Chunk(block))
        self._current = ""
        self.put(Ended(_trailing_error(exchange.trailers)))
        exchange.send(_ACCEPTED)


def error_json(kind: str, message: str) -> bytes:
    """An error as Lambda describes it."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _too_large(limit: int) -> bytes:
    message = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
    return error_json("Function.ResponseSizeTooLarge", message)


def _trailing_error(trailers: Mapping[str, str]) -> bytes:
    """The error that a runtime reports after it has begun to stream."""
    kind = trailers.get("lambda-runtime-function-error-type", "")
    if not kind:
        return b""
    try:
        body = base64.b64decode(trailers.get("lambda-runtime-function-error-body", ""))
    except ValueError:
        body = b""
    return body or error_json(kind, "The stream ended with an error.")


def _is_gone(connection: socket.socket) -> bool:
    """Whether the client has closed the connection; it writes nothing while it waits."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
