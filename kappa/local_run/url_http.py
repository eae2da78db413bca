"""The HTTP server of the function's URL: it reads requests and writes responses.

It listens on this machine only. `respond` decides the answer to a request. Whatever a client sends,
it gets an error at worst, and the server goes on.
Source: RFC 9110, "HTTP Semantics"; RFC 9112, "HTTP/1.1".
"""

from __future__ import annotations

import errno
import http
import re
import socketserver
import sys
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase

from kappa.errors import KappaError
from kappa.local_run.url_event import Request
from kappa.local_run.url_response import MAX_REQUEST_BYTES, TOKEN, Response, plain, too_large

HOST = "127.0.0.1"
# How long a connection may do nothing. A function that runs does not count.
_IDLE_S = 75
_WITHOUT_BODY = frozenset({204, 304})
# A body over the limit is read up to here, so that its sender gets to see the answer.
_MAX_DISCARDED_BYTES = 64 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024
_MAX_LINE_BYTES = 4096
_MAX_TRAILERS = 100


class _BadRequest(Exception):
    """A request that is not HTTP: its status, and what is wrong with it."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class _TooLarge(Exception):
    """A body that is over the limit."""


class Reply:
    """Where a response is written to: the whole of it, or its head and then pieces of its body.

    `at_ms`: when the request came, epoch milliseconds.
    """

    def __init__(self, handler: _Handler) -> None:
        self.at_ms = int(time.time() * 1000)
        self._began_s = time.monotonic()
        self._handler = handler
        self._chunked = False
        self._silent = False
        self.status = 0
        self.size_bytes = 0

    @property
    def duration_ms(self) -> float:
        """How long ago the request came."""
        return (time.monotonic() - self._began_s) * 1000

    def send(self, response: Response) -> None:
        """Write a whole response."""
        body = b"" if response.status in _WITHOUT_BODY else response.body
        # Of a 304, it would be the length of what the client has already.
        has_length = response.status not in _WITHOUT_BODY
        length = (("Content-Length", str(len(body))),) if has_length else ()
        self._write_head(response, length, b"" if self._handler.command == "HEAD" else body)

    def begin(self, head: Response) -> None:
        """Write the head of a response whose body follows in pieces."""
        handler = self._handler
        self._silent = handler.command == "HEAD" or head.status in _WITHOUT_BODY
        self._chunked = handler.request_version == "HTTP/1.1" and not self._silent
        if not self._chunked and not self._silent:
            handler.close_connection = True
        encoding = (("Transfer-Encoding", "chunked"),) if self._chunked else ()
        self._write_head(head, encoding, b"")

    def write(self, piece: bytes) -> None:
        """Write a piece of the body."""
        if not piece or self._silent:
            return
        self.size_bytes += len(piece)
        self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece)

    def end(self) -> None:
        """Write the end of a body that was written in pieces."""
        if self._chunked:
            self._handler.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """End the connection instead, so that the client sees that the body is not complete."""
        self._handler.close_connection = True

    def _write_head(
        self, response: Response, own: tuple[tuple[str, str], ...], body: bytes
    ) -> None:
        handler = self._handler
        self.status, self.size_bytes = response.status, len(body)
        names = {name.lower() for name, _ in response.headers}
        date = () if "date" in names else (("Date", formatdate(usegmt=True)),)
        connection: tuple[tuple[str, str], ...] = ()
        if handler.close_connection:
            connection = (("Connection", "close"),)
        elif handler.request_version == "HTTP/1.0":
            connection = (("Connection", "keep-alive"),)
        fields = (*response.headers, *date, *own, *connection)
        head = f"HTTP/1.1 {response.status} {_phrase(response.status)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields)
        handler.wfile.write(head.encode("utf-8", "replace") + b"\r\n" + body)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


Respond = Callable[[Request, Reply], None]


class UrlServer(ThreadingHTTPServer):
    """Listens on a port of this machine, and has each request answered in a thread of its own.

    `respond` answers a request. `rejected` gets method and target of one that is malformed or too
    large, and `crashed` an exception that is a bug of kappa.
    Raises: KappaError, if the port is in use.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        respond: Respond,
        rejected: Callable[[str, str, Reply], None],
        crashed: Callable[[BaseException], None],
    ) -> None:
        self._crashed = crashed
        try:
            super().__init__((HOST, port), partial(_Handler, respond=respond, rejected=rejected))
        except OSError as error:
            raise _cannot_listen(port, error) from error

    @property
    def port(self) -> int:
        """The port, also where 0 let the system choose one."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Bind without asking DNS for this machine's name, as the base class would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.port

    def handle_error(self, request: object, client_address: object) -> None:
        """Report the error that ended a connection; a client that went away is not one."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self._crashed(error)


def _cannot_listen(port: int, error: OSError) -> KappaError:
    if error.errno == errno.EADDRINUSE:
        hint = "Stop the program that uses it, or choose another: --port N (--port 0: any free)."
        return KappaError(f"Port {port} is in use.", hint)
    if error.errno == errno.EACCES:
        return KappaError(f"You may not listen on port {port}.", "Choose one over 1023: --port N.")
    return KappaError(f"Port {port} cannot be opened: {error.strerror or error}.")


class _Handler(BaseHTTPRequestHandler):
    """One connection, whose requests come one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    disable_nagle_algorithm = True

    def __init__(
        self, *given: object, respond: Respond, rejected: Callable[[str, str, Reply], None]
    ) -> None:
        self._respond, self._rejected = respond, rejected
        super().__init__(*given)  # type: ignore[arg-type]

    def _answer(self) -> None:
        reply = Reply(self)
        try:
            request = self._request()
        except _BadRequest as error:
            self.close_connection = True
            reply.send(plain(error.status, f"{error}\n"))
            self._rejected(self.command, self.path, reply)
        except _TooLarge:
            reply.send(too_large())
            self._rejected(self.command, self.path, reply)
        else:
            self._respond(request, reply)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = _answer  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the base class cannot read, in one line."""
        self.close_connection = True
        self.command = getattr(self, "command", None) or ""
        Reply(self).send(plain(code, f"{message or _phrase(code)}\n"))

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: `respond` reports a request."""

    def _request(self) -> Request:
        headers = tuple((name, str(value)) for name, value in self.headers.items())
        if self.headers.defects or not all(
            TOKEN.fullmatch(name) and not re.search("[\r\n\0]", value) for name, value in headers
        ):
            raise _BadRequest("The headers are malformed.")
        # The base class joins slashes at the beginning; the function's path is as it was sent.
        target = self.requestline.split()[1]
        if not re.fullmatch(r"[\x21-\x7e]+", target):
            raise _BadRequest("The request's target has characters that must be encoded.")
        body = _read_body(self.rfile, self.headers.get_all)
        ip = str(self.client_address[0])
        return Request(self.command, target, headers, body, self.request_version, ip)


def _read_body(file: BufferedIOBase, values: Callable[[str, list[str]], list[str]]) -> bytes:
    encodings, lengths = values("transfer-encoding", []), values("content-length", [])
    if encodings:
        if lengths:
            raise _BadRequest("Transfer-Encoding and Content-Length exclude each other.")
        if [encoding.strip().lower() for encoding in encodings] != ["chunked"]:
            raise _BadRequest("The only Transfer-Encoding is chunked.", 501)
        return _read_chunks(file)
    if not lengths:
        return b""
    if len(lengths) > 1 or not re.fullmatch("[0-9]{1,18}", lengths[0].strip()):
        raise _BadRequest("Content-Length is not one number.")
    length = int(lengths[0])
    if length > MAX_REQUEST_BYTES:
        _discard(file, length)
        raise _TooLarge
    return _read_exactly(file, length)


def _read_exactly(file: BufferedIOBase, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise _BadRequest("The body ended too early.")
    return data


def _discard(file: BufferedIOBase, count: int) -> None:
    if count > _MAX_DISCARDED_BYTES:
        raise _BadRequest(f"The body has over {MAX_REQUEST_BYTES} bytes.", 413)
    while count and (block := file.read(min(count, _BLOCK_BYTES))):
        count -= len(block)


def _read_chunks(file: BufferedIOBase) -> bytes:
    chunks: list[bytes] = []
    total = 0
    while size := _chunk_size(file):
        total += size
        if total > _MAX_DISCARDED_BYTES:
            raise _BadRequest(f"The body has over {MAX_REQUEST_BYTES} bytes.", 413)
        chunk = _read_exactly(file, size)
        if file.read(2) != b"\r\n":
            raise _BadRequest("A chunk of the body has another length than it states.")
        if total <= MAX_REQUEST_BYTES:
            chunks.append(chunk)
    for _ in range(_MAX_TRAILERS):
        if _line(file) == b"":
            break
    else:
        raise _BadRequest("The body has too many trailers.")
    if total > MAX_REQUEST_BYTES:
        raise _TooLarge
    return b"".join(chunks)


def _chunk_size(file: BufferedIOBase) -> int:
    size = _line(file).partition(b";")[0].strip()
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
        raise _BadRequest("A chunk of the body has no length.")
    return int(size, 16)


def _line(file: BufferedIOBase) -> bytes:
    line = file.readline(_MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise _BadRequest("The body ended too early.")
    return line.rstrip(b"\r\n")
