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
from typing import BinaryIO

import msgspec

from kappa.local_run.http_messages import BadRequest, Request, answer, read_request
from kappa.local_run.peer import is_own

# Source: AWS Lambda guide, "Lambda quotas"; the number stands in Lambda's own error.
MAX_RESPONSE_BYTES = 6_291_556
MAX_STREAM_BYTES = 200 * 1024 * 1024
_ROOT = "/2018-06-01/runtime/"
_JSON = {"Content-Type": "application/json"}
# Headers that browsers add; a request for an image has no Origin. Source: W3C, "Fetch Metadata
# Request Headers".
_PAGES = {"origin", "referer", "sec-fetch-site"}
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
    is_init: bool = False


class Exited(msgspec.Struct, frozen=True):
    """The process has ended. Units: as Popen.returncode."""

    code: int


Event = Ready | Taken | Begun | Chunk | Ended | Failed | Exited


class RuntimeApi:
    """A server on 127.0.0.1 for one process. Its events are in `events`."""

    def __init__(self) -> None:
        self.events: Queue[Event] = Queue(_MAX_WAITING)
        self._changed = threading.Condition()
        self._offered: Invocation | None = None
        self._current = ""
        self._is_closed = False
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

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
        """End all connections. Waiting threads end soon."""
        self._is_closed = True
        with self._changed:
            self._changed.notify_all()
        self._listener.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._connections.add(connection)
        try:
            with connection, suppress(OSError, BadRequest), connection.makefile("rb") as stream:
                self._answer_all(connection, stream)
        finally:
            self._connections.discard(connection)

    def _answer_all(self, connection: socket.socket, stream: BinaryIO) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not is_own(connection):
            connection.sendall(_error(403, "Forbidden", "This is another user's function."))
            return
        while request := read_request(stream):
            if request.headers.get("expect", "").lower() == "100-continue":
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            reply = self._answer(request, connection)
            if not reply or self._is_closed:
                return
            connection.sendall(reply)
            if request.headers.get("connection", "").lower() == "close":
                return

    def _answer(self, request: Request, connection: socket.socket) -> bytes:
        """Carry out a request; an empty answer ends the connection."""
        if request.headers.get("host") != self.address or _PAGES & request.headers.keys():
            # A page in a browser must not reach the function, by DNS rebinding or otherwise.
            return _error(403, "Forbidden", "Not a runtime's request.")
        name = request.path.removeprefix(_ROOT) if request.path.startswith(_ROOT) else ""
        if request.method == "GET" and name == "invocation/next":
            return self._next(request, connection)
        if request.method == "POST" and name == "init/error":
            self.put(Failed(_body(request), is_init=True))
            return _accepted()
        head, _, rest = name.partition("/")
        request_id, _, action = rest.partition("/")
        if request.method != "POST" or head != "invocation" or not action:
            _body(request)
            return _error(404, "NotFound", f"No {request.method} {request.path} here.")
        return self._report(request, request_id, action)

    def _next(self, request: Request, connection: socket.socket) -> bytes:
        if self._current:
            return _error(403, "InvalidStateTransition", "The last invocation has no response.")
        self.put(Ready(request.headers.get("user-agent", "")))
        with self._changed:
            while self._offered is None and not self._is_closed:
                self._changed.wait()
            if _is_gone(connection):
                return b""
            invocation, self._offered = self._offered, None
        if invocation is None:
            return b""
        self._current = invocation.request_id
        self.put(Taken())
        return answer(200, invocation.payload, {**_JSON, **invocation.headers})

    def _report(self, request: Request, request_id: str, action: str) -> bytes:
        if action not in ("response", "error"):
            _body(request)
            return _error(404, "NotFound", f"No {action} here.")
        if request_id != self._current:
            _body(request)
            return _error(400, "InvalidRequestID", "This invocation is not running.")
        if action == "error":
            error = _body(request)
            self._current = ""
            self.put(Failed(error))
            return _accepted()
        return self._response(request)

    def _response(self, request: Request) -> bytes:
        headers = request.headers
        is_streamed = headers.get("lambda-runtime-function-response-mode", "") == "streaming"
        limit = MAX_STREAM_BYTES if is_streamed else MAX_RESPONSE_BYTES
        size = 0
        if is_streamed:
            self.put(Begun(headers.get("content-type", ""), is_streamed=True))
        blocks = []
        for block in request.blocks():
            size += len(block)
            if size <= limit and is_streamed:
                self.put(Chunk(block))
            elif size <= limit:
                blocks.append(block)
        self._current = ""
        if size > limit:
            message = (
                f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
            )
            error = error_json("Function.ResponseSizeTooLarge", message)
            self.put(Ended(error) if is_streamed else Failed(error))
            return answer(413, error_json("RequestEntityTooLarge", message), _JSON)
        if not is_streamed:
            self.put(Begun(headers.get("content-type", ""), is_streamed=False))
            self.put(Chunk(b"".join(blocks)))
        self.put(Ended(_trailing_error(request.trailers)))
        return _accepted()


def error_json(kind: str, message: str) -> bytes:
    """An error as Lambda describes it."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


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


def _body(request: Request) -> bytes:
    """Read a body as far as a response may be long, and drop the rest."""
    size, blocks = 0, []
    for block in request.blocks():
        size += len(block)
        if size <= MAX_RESPONSE_BYTES:
            blocks.append(block)
    return b"".join(blocks)


def _error(status: int, kind: str, message: str) -> bytes:
    return answer(status, error_json(kind, message), _JSON)


def _accepted() -> bytes:
    return answer(202, b'{"status":"OK"}\n', _JSON)


def _is_gone(connection: socket.socket) -> bool:
    """Whether the client has closed the connection; it writes nothing while it waits."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
