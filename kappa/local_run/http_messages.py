"""The little of HTTP/1.1 that runtime clients speak: read a request, write an answer.

http.server, which url_http uses, would take longer to import than the rest of a local invocation.
It knows nothing of Lambda.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import msgspec

_MAX_LINE_BYTES = 65536
_MAX_HEADERS = 200
_BLOCK_BYTES = 1 << 16
_REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}


class BadRequest(Exception):
    """What arrived is not HTTP, or it ended too early."""


class Request(msgspec.Struct):
    """A request whose body has not been read yet. Names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    stream: BinaryIO
    trailers: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks, with trailers at its end."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    def blocks(self) -> Iterator[bytes]:
        """Read the body as it comes; afterwards `trailers` are known.

        Raises: BadRequest.
        """
        if self.is_chunked:
            yield from self._chunks()
            return
        left = _number(self.headers.get("content-length", "0"), 10)
        while left:
            block = self.stream.read(min(left, _BLOCK_BYTES))
            if not block:
                raise BadRequest("the body ends too early")
            left -= len(block)
            yield block

    def _chunks(self) -> Iterator[bytes]:
        while size := _number(_line(self.stream).partition(";")[0], 16):
            left = size
            while left:
                block = self.stream.read1(min(left, _BLOCK_BYTES))  # type: ignore[attr-defined]
                if not block:
                    raise BadRequest("the body ends too early")
                left -= len(block)
                yield block
            _line(self.stream)
        self.trailers = _headers(self.stream)


def read_request(stream: BinaryIO) -> Request | None:
    """Read a request up to its body; None if the client has closed the connection.

    Raises: BadRequest.
    """
    first = stream.readline(_MAX_LINE_BYTES)
    if not first:
        return None
    words = first.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("not a request of HTTP/1.1")
    return Request(words[0], words[1], _headers(stream), stream)


def answer(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Write an answer."""
    lines = [
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
        "\r\n",
    ]
    return "\r\n".join(lines).encode("latin-1") + body


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        line = _line(stream)
        if not line:
            return headers
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    raise BadRequest("too many headers")


def _line(stream: BinaryIO) -> str:
    line = stream.readline(_MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BadRequest("a line without an end")
    return line.decode("latin-1").rstrip("\r\n")


def _number(text: str, base: int) -> int:
    try:
        number = int(text.strip(), base)
    except ValueError as error:
        raise BadRequest(f"{text!r} is not a length") from error
    if number < 0:
        raise BadRequest("a negative length")
    return number
