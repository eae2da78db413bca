"""Answer one request to the function's URL: refuse it, or have the function invoked.

It knows neither how the function runs nor how HTTP is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec.structs import replace

from kappa.config.model import Cors
from kappa.local_run.gate import headers_for, preflight, refusal
from kappa.local_run.server import Exchange
from kappa.local_run.url_event import Request, Url, payload
from kappa.local_run.url_response import (
    FAILED,
    MAX_REQUEST_BYTES,
    Malformed,
    Response,
    Stream,
    failed,
    response,
    too_large,
)


class Site(msgspec.Struct, frozen=True):
    """What the config sets for the URL; `streams`: its invoke_mode is RESPONSE_STREAM."""

    url: Url
    cors: Cors | None = None
    streams: bool = False


class Call(msgspec.Struct, frozen=True):
    """An invocation to make: its id and its event."""

    request_id: str
    payload: bytes


class Sink(Protocol):
    """Takes a function's answer as it comes."""

    def begin(self, content_type: str, *, is_streamed: bool) -> None: ...  # noqa: D102
    def take(self, piece: bytes) -> None: ...  # noqa: D102


# Runs the function. None: the sink got a complete answer. Otherwise: the text of a 502.
Invoke = Callable[[Call, Sink], str | None]


def turned_away(site: Site, request: Request) -> Response | None:
    """Answer what the function never sees: a foreign page's request, or a preflight request."""
    return refusal(request, site.url.port, site.cors) or preflight(site.cors, request)


def answer(
    site: Site, request: Request, exchange: Exchange, call_id: tuple[str, int], invoke: Invoke
) -> str:
    """Invoke the function with a request, and write what it answers.

    `call_id`: the invocation's id, and when the request came (epoch milliseconds). Returns a note
    for the developer if AWS would not answer as the function intends, otherwise "".
    """
    call = Call(call_id[0], payload(request, site.url, *call_id))
    added = (("x-amzn-RequestId", call.request_id), *headers_for(site.cors, request))
    if len(call.payload) > MAX_REQUEST_BYTES:
        exchange.send(_with(too_large(), added))
        return f"The event has {len(call.payload)} bytes; the limit is {MAX_REQUEST_BYTES}."
    sink = _Streamed(exchange, added) if site.streams else _Whole(exchange, added)
    return sink.finish(invoke(call, sink))


def _with(response: Response, headers: tuple[tuple[str, str], ...]) -> Response:
    return replace(response, headers=(*response.headers, *headers))


class _Whole:
    """BUFFERED: the answer is turned into a response when it is complete."""

    def __init__(self, exchange: Exchange, added: tuple[tuple[str, str], ...]) -> None:
        self._exchange, self._added = exchange, added
        self._pieces: list[bytes] = []
        self._is_streamed = False

    def begin(self, content_type: str, *, is_streamed: bool) -> None:
        self._is_streamed = is_streamed

    def take(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def finish(self, failure: str | None) -> str:
        note, answered = "", failed(failure or FAILED)
        if failure is None:
            try:
                answered = response(b"".join(self._pieces))
            except Malformed as error:
                hint = ""
                if self._is_streamed:
                    hint = " It streams: set `invoke_mode: RESPONSE_STREAM` in lambda.url."
                note = f"The function's answer {error}, so the URL answers 502.{hint}"
        self._exchange.send(_with(answered, self._added))
        return note


class _Streamed:
    """RESPONSE_STREAM: the answer is passed on as it comes."""

    def __init__(self, exchange: Exchange, added: tuple[tuple[str, str], ...]) -> None:
        self._exchange, self._added = exchange, added
        self._stream = Stream("")
        self._is_begun = False
        self._malformed: Malformed | None = None
        self._gone: OSError | None = None
        self._note = ""

    def begin(self, content_type: str, *, is_streamed: bool) -> None:
        self._stream = Stream(content_type)
        if not is_streamed:
            self._note = (
                "The function returned its answer instead of streaming it: with invoke_mode "
                "RESPONSE_STREAM the URL sends it as it is, with status 200."
            )

    def take(self, piece: bytes) -> None:
        if self._malformed or self._gone:
            return
        try:
            body = self._stream.feed(piece)
        except Malformed as error:
            self._malformed = error
            return
        # The function goes on when its client has left, as on AWS.
        try:
            self._write_head()
            self._exchange.write(body)
        except OSError as error:
            self._gone = error

    def _write_head(self) -> None:
        if self._stream.head and not self._is_begun:
            self._is_begun = True
            self._exchange.begin(_with(self._stream.head, self._added))

    def finish(self, failure: str | None) -> str:
        if self._gone:
            raise self._gone
        if failure is None and not self._malformed:
            try:
                self._stream.end()
            except Malformed as error:
                self._malformed = error
        if failure is None and not self._malformed:
            self._write_head()
            self._exchange.end()
            return self._note
        if self._is_begun:
            self._exchange.cut()
        else:
            self._exchange.send(_with(failed(failure or FAILED), self._added))
        if failure is None:
            return f"The function's answer {self._malformed}, so the URL answers 502."
        return ""
