"""The HTTP server on this machine: it serves the Runtime API and the function's URL.

It listens on 127.0.0.1 only. `respond` decides the answer to a request. Whatever a client sends,
it gets an error at worst, and the server goes on.
Source: RFC 9110, "HTTP Semantics"; RFC 9112, "HTTP/1.1".
"""

from __future__ import annotations

import errno
import http
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

from kappa.errors import KappaError
from kappa.local_run.url_response import TOKEN, Response, plain

HOST = "127.0.0.1"
# No body is longer; one over the limit of its reader is read all the same, so that its sender
# gets to see the answer.
_MAX_BODY_BYTES = 256 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024
_MAX_LINE_BYTES = 4096
_MAX_TRAILERS = 100
_WITHOUT_BODY = frozenset({204, 304})


class HttpError(Exception):
    """A request that is not served, and ends its connection: the answer's text and status."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class TooLarge(Exception):
    """A body over its reader's limit. It has been read, so the connection can go on."""


class Exchange:
    """A request, whose body is read when it is asked for, and the way to answer it.

    The answer is the whole of a response, or its head and then pieces of its body. `at_ms`: when
    the request came, epoch milliseconds. `trailers` are known once the body has been read; their
    names are in lower case.
    """

    def __init__(self, handler: _Handler) -> None:
        self.at_ms = int(time.time() * 1000)
        self._began_s = time.monotonic()
        self._handler = handler
        self.connection = handler.connection
        self.method, self.protocol = handler.command, handler.request_version
        # The base class joins slashes at the beginning of the path; this is as it was sent.
        self.target = handler.requestline.split()[1]
        self.headers = tuple((name, str(value)) for name, value in handler.headers.items())
        self.trailers: dict[str, str] = {}
        self._chunked = self._silent = False
        self.status = self.size_bytes = 0

    def check(self) -> None:
        """Refuse what is malformed in the request's head.

        Raises: HttpError.
        """
        if self._handler.headers.defects or not all(
            TOKEN.fullmatch(name) and not re.search("[\r\n\0]", value)
            for name, value in self.headers
        ):
            raise HttpError("The headers are malformed.")
        if not re.fullmatch(r"[\x21-\x7e]+", self.target):
            raise HttpError("The request's target has characters that must be encoded.")

    @property
    def duration_ms(self) -> float:
        """How long ago the request came."""
        return (time.monotonic() - self._began_s) * 1000

    def value(self, name: str) -> str:
        """The first value of a header; "" without one."""
        return str(self._handler.headers.get(name, ""))

    def read(self, limit: int) -> bytes:
        """Read the body.

        Raises: TooLarge, if it has more than `limit` bytes; HttpError.
        """
        blocks, size = [], 0
        for block in self.blocks():
            size += len(block)
            if size <= limit:
                blocks.append(block)
        if size > limit:
            raise TooLarge
        return b"".join(blocks)

    def blocks(self) -> Iterator[bytes]:
        """Read the body as it comes.

        Raises: HttpError.
        """
        headers = self._handler.headers
        lengths = headers.get_all("content-length", [])
        encodings = headers.get_all("transfer-encoding", [])
        if not encodings:
            length = lengths[0].strip() if lengths else "0"
            if len(lengths) > 1 or not re.fullmatch("[0-9]{1,18}", length):
                raise HttpError("Content-Length is not one number.")
            yield from self._exactly(int(length), 0)
        elif lengths:
            raise HttpError("Transfer-Encoding and Content-Length exclude each other.")
        elif [encoding.strip().lower() for encoding in encodings] != ["chunked"]:
            raise HttpError("The only Transfer-Encoding is chunked.", 501)
        else:
            yield from self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        total = 0
        while size := self._chunk_size():
            yield from self._exactly(size, total)
            total += size
            if self._line():
                raise HttpError("A chunk of the body has another length than it states.")
        for _ in range(_MAX_TRAILERS):
            line = self._line()
            if not line:
                return
            name, _, value = line.partition(":")
            self.trailers[name.strip().lower()] = value.strip()
        raise HttpError("The body has too many trailers.")

    def _exactly(self, count: int, before: int) -> Iterator[bytes]:
        if before + count > _MAX_BODY_BYTES:
            raise HttpError(f"The body has over {_MAX_BODY_BYTES} bytes.", 413)
        while count:
            block = self._handler.rfile.read1(min(count, _BLOCK_BYTES))
            if not block:
                raise HttpError("The body ended too early.")
            count -= len(block)
            yield block

    def _chunk_size(self) -> int:
        size = self._line().partition(";")[0].strip()
        if not re.fullmatch(r"[0-9A-Fa-f]{1,16}", size):
            raise HttpError("A chunk of the body has no length.")
        return int(size, 16)

    def _line(self) -> str:
        line = self._handler.rfile.readline(_MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise HttpError("The body ended too early.")
        return line.decode("latin-1").rstrip("\r\n")

    def send(self, response: Response) -> None:
        """Write a whole response."""
        body = b"" if response.status in _WITHOUT_BODY else response.body
        # Of a 304, it would be the length of what the client has already.
        has_length = response.status not in _WITHOUT_BODY
        length = (("Content-Length", str(len(body))),) if has_length else ()
        self._write_head(response, length, b"" if self.method == "HEAD" else body)

    def begin(self, head: Response) -> None:
        """Write the head of a response whose body follows in pieces."""
        self._silent = self.method == "HEAD" or head.status in _WITHOUT_BODY
        self._chunked = self.protocol == "HTTP/1.1" and not self._silent
        if not self._chunked and not self._silent:
            self.cut()
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
        """End the connection after this; a client sees that a body that has not ended is cut."""
        self._handler.close_connection = True

    def _write_head(
        self, response: Response, own: tuple[tuple[str, str], ...], body: bytes
    ) -> None:
        self.status, self.size_bytes = response.status, len(body)
        names = {name.lower() for name, _ in response.headers}
        date = () if "date" in names else (("Date", formatdate(usegmt=True)),)
        connection: tuple[tuple[str, str], ...] = ()
        if self._handler.close_connection:
            connection = (("Connection", "close"),)
        elif self.protocol == "HTTP/1.0":
            connection = (("Connection", "keep-alive"),)
        fields = (*response.headers, *date, *own, *connection)
        head = f"HTTP/1.1 {response.status} {_phrase(response.status)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields)
        self._handler.wfile.write(head.encode("utf-8", "replace") + b"\r\n" + body)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


class Server:
    """A port of this machine, where each connection's requests are answered in a thread.

    `respond` reads a request's body and answers it. `answered` gets each request afterwards, also
    one that is malformed, and `crashed` an exception that is a bug of kappa. `admits` decides about
    a connection. A connection may do nothing for `idle_s`; a function that runs does not count.
    Raises: KappaError, if the port is in use.
    """

    def __init__(
        self,
        respond: Callable[[Exchange], None],
        *,
        port: int = 0,
        answered: Callable[[Exchange], None] = lambda _: None,
        crashed: Callable[[BaseException], None] | None = None,
        admits: Callable[[socket.socket], bool] = lambda _: True,
        idle_s: float | None = None,
    ) -> None:
        self.respond, self.answered = respond, answered
        self._crashed, self._admits, self._idle_s = crashed, admits, idle_s
        try:
            self._listener = socket.create_server((HOST, port), backlog=128)
        except OSError as error:
            raise _cannot_listen(port, error) from error
        self.port = int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Answer from now on, in threads, until close()."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no further connection."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends accept() where close() does not
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection: socket.socket, address: object) -> None:
        with connection, suppress(ConnectionError, TimeoutError):
            try:
                connection.settimeout(self._idle_s)
                if self._admits(connection):
                    _Handler(connection, address, self)
            except (ConnectionError, TimeoutError):
                raise
            except Exception as error:
                if self._crashed is None:
                    raise
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
    disable_nagle_algorithm = True

    def __init__(self, connection: socket.socket, address: object, server: Server) -> None:
        self._server = server
        super().__init__(connection, address, server)  # type: ignore[arg-type]

    def _answer(self) -> None:
        exchange = Exchange(self)
        try:
            exchange.check()
            self._server.respond(exchange)
        except HttpError as error:
            exchange.cut()
            exchange.send(plain(error.status, f"{error}\n"))
        finally:
            self._server.answered(exchange)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = _answer  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the base class cannot read, in one line."""
        text = f"{message or _phrase(code)}\n".encode()
        head = f"HTTP/1.1 {code} {_phrase(code)}\r\nConnection: close\r\nContent-Type: text/plain"
        self.wfile.write(f"{head}\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: `answered` reports a request."""
