"""The HTTP response that a function's answer becomes: payload format 2.0, and streams. Pure.

Source: AWS Lambda guide, "Invoking Lambda function URLs"; "Response streaming for Lambda
functions". Where they are silent, the response is as AWS was seen to make it: a text that is
returned is the body itself, other JSON is written without spaces, a status may be a text of digits,
and a body without a content type is JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

import msgspec

from kappa.texts import read_json

# Of the event, not of the body alone. Source: AWS Lambda guide, "Lambda quotas".
MAX_REQUEST_BYTES = 6 * 1024 * 1024
FAILED = "Internal Server Error"
PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"
_STREAM_TYPE = "application/octet-stream"
_PRELUDE_END = bytes(8)
_MAX_PRELUDE_BYTES = 1024 * 1024
# The server's own: they tell where the body ends, and what becomes of the connection.
_OURS = frozenset(
    {"connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"}
)
# A header's name. Source: RFC 9110, "HTTP Semantics", "Tokens".
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Visible characters, spaces and tabs: none that would end a header.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")


class Malformed(ValueError):
    """The function's answer is not a response; the text is why, as the end of a sentence."""


class Response(msgspec.Struct, frozen=True):
    """An HTTP response, without the headers that are the server's own."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def plain(status: int, text: str, *headers: tuple[str, str]) -> Response:
    """A response of one text."""
    kind = ("Content-Type", "text/plain; charset=utf-8")
    return Response(status, (kind, *headers), text.encode())


def failed(text: str = FAILED) -> Response:
    """The 502 of AWS for a function that fails, times out, or gives a malformed answer.

    Source: AWS Lambda guide, "Monitoring Lambda function URLs", for 5XX. The text is what AWS was
    seen to send.
    """
    return plain(502, text)


def too_large() -> Response:
    """What AWS answers to a request over its limit."""
    message = (
        f"Request must be smaller than {MAX_REQUEST_BYTES} bytes for the InvokeFunction operation"
    )
    headers = (
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", "RequestEntityTooLargeException"),
    )
    return Response(413, headers, json.dumps({"Message": message}).encode())


def response(payload: bytes) -> Response:
    """Turn what a function returned into a response.

    Raises: Malformed.
    """
    try:
        answer = read_json(payload)
    except ValueError as error:
        raise Malformed(f"is not JSON: {error}") from error
    if isinstance(answer, dict) and "statusCode" in answer:
        return Response(_status(answer), _headers(answer, "application/json"), _body(answer))
    text = answer if isinstance(answer, str) else _compact(answer)
    return Response(200, (("Content-Type", "application/json"),), _encoded(text))


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _encoded(text: str) -> bytes:
    """JSON can name half of a pair of UTF-16, which no text in UTF-8 has."""
    return text.encode("utf-8", "replace")


def _status(answer: dict[str, Any]) -> int:
    status = answer["statusCode"]
    if isinstance(status, str) and re.fullmatch("[0-9]{3}", status):
        status = int(status)
    if type(status) is not int or not 200 <= status <= 599:
        raise Malformed(f"has the statusCode {_compact(status)}, not a number from 200 to 599")
    return status


def _headers(answer: dict[str, Any], content_type: str) -> tuple[tuple[str, str], ...]:
    given = answer.get("headers") or {}
    if not isinstance(given, dict):
        raise Malformed("has headers that are not an object")
    headers = [
        (name, _header_value(name, value))
        for name, value in given.items()
        if name.lower() not in _OURS
    ]
    cookies = answer.get("cookies") or []
    if not isinstance(cookies, list):
        raise Malformed("has cookies that are not a list")
    headers += [("Set-Cookie", _header_value("cookies", cookie)) for cookie in cookies]
    if all(name.lower() != "content-type" for name, _ in headers):
        headers.insert(0, ("Content-Type", content_type))
    return tuple(headers)


def _header_value(name: str, value: object) -> str:
    if not TOKEN.fullmatch(name):
        raise Malformed(f"has a header that no response can have: {_compact(name)}")
    if isinstance(value, dict | list) or value is None:
        raise Malformed(f"has a header that is not a text: {name}")
    text = value if isinstance(value, str) else _compact(value)
    if not _VALUE.fullmatch(text):
        raise Malformed(f"has a header with a line break or control character: {name}")
    return text


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return _encoded(_compact(body))
    if answer.get("isBase64Encoded") is not True:
        return _encoded(body)
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("has isBase64Encoded, but a body that is not base64") from error


class Stream:
    """Splits a streamed answer into its response's head and the pieces of its body.

    A stream whose content type is not that of a prelude is the body itself.
    """

    def __init__(self, content_type: str) -> None:
        self._begun = b""
        self.head: Response | None = None
        if content_type.partition(";")[0].strip().lower() != PRELUDE_TYPE:
            kind = content_type if _VALUE.fullmatch(content_type) else ""
            self.head = Response(200, (("Content-Type", kind or _STREAM_TYPE),))

    def feed(self, piece: bytes) -> bytes:
        """Take a piece of the stream; return what of it is the body's.

        Raises: Malformed.
        """
        if self.head is not None:
            return piece
        self._begun += piece
        prelude, end, rest = self._begun.partition(_PRELUDE_END)
        if not end:
            if len(self._begun) > _MAX_PRELUDE_BYTES:
                raise Malformed("has no end of its prelude, 8 zero bytes")
            return b""
        self.head, self._begun = _head(prelude), b""
        return rest

    def end(self) -> Response:
        """Return the head of a stream that is complete.

        Raises: Malformed, if the stream ended in its prelude.
        """
        if self.head is None:
            raise Malformed("ended before the end of its prelude, 8 zero bytes")
        return self.head


def _head(prelude: bytes) -> Response:
    try:
        answer = read_json(prelude)
    except ValueError as error:
        raise Malformed(f"has a prelude that is not JSON: {error}") from error
    if not isinstance(answer, dict):
        raise Malformed("has a prelude that is not an object")
    status = _status(answer) if "statusCode" in answer else 200
    return Response(status, _headers(answer, _STREAM_TYPE))
