"""One request, from the gate to the response, with a function that is a table of pieces."""

import json

import pytest

from kappa.config.model import Cors
from kappa.local_run.url_answer import Site, answer, turned_away
from kappa.local_run.url_event import Request, Url
from kappa.local_run.url_response import MAX_REQUEST_BYTES, PRELUDE_TYPE

URL = Url("greeter", 9000)
PAGE = "https://app.example.com"
CORS = Cors(allow_origins=(PAGE,), allow_methods=("GET",))
ID = ("0f3fa5f6-9ac1-4d8d-8ff8-8cd6d5f1c3d1", 1_631_055_022_677)


class Written:
    """A writer that keeps what it was given; `leaves` is after how many pieces the client goes."""

    def __init__(self, leaves=None):
        self.head, self.body, self.end_of_it, self.leaves = None, b"", "", leaves

    def send(self, response):
        self.head, self.body, self.end_of_it = response, response.body, "sent"

    def begin(self, head):
        assert self.head is None
        self.head = head

    def write(self, piece):
        if self.leaves == 0:
            raise BrokenPipeError
        self.leaves = None if self.leaves is None else self.leaves - 1
        self.body += piece

    def end(self):
        self.end_of_it = "ended"

    def cut(self):
        self.end_of_it = "cut"


def asked(*headers, method="GET", target="/", body=b""):
    return Request(method, target, (("Host", "localhost:9000"), *headers), body)


def run(*pieces, streams=False, kind="application/json", failure=None, request=None, **more):
    writer, calls = Written(more.get("leaves")), []

    def invoke(call, sink):
        calls.append(call)
        if pieces:
            sink.begin(kind, is_streamed=more.get("is_streamed", streams))
        for piece in pieces:
            sink.take(piece)
        return failure

    note = answer(Site(URL, CORS, streams), request or asked(), writer, ID, invoke)
    return writer, note, calls


def test_the_function_gets_the_event_and_its_answer_is_the_response():
    request = asked(("Origin", PAGE), target="/a?b=c")
    writer, note, calls = run(b'{"statusCode":201,', b'"body":"hi"}', request=request)
    assert json.loads(calls[0].payload)["rawPath"] == "/a"
    assert (writer.head.status, writer.body, note) == (201, b"hi", "")
    assert writer.head.headers == (
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", ID[0]),
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", PAGE),
    )


FAILED = b"Internal Server Error"
TEXT, PRELUDE = "text/plain", PRELUDE_TYPE
HEAD, ZEROS = b'{"statusCode":202}', bytes(8)


@pytest.mark.parametrize(
    ("streams", "kind", "pieces", "failure", "written", "words"),
    [
        # a function that fails is a 502 as on AWS, or with the text for its developer
        (False, TEXT, (), "", (502, FAILED, "sent"), ""),
        (False, TEXT, (), "line 3: oops", (502, b"line 3: oops", "sent"), ""),
        (True, TEXT, (), "line 3: oops", (502, b"line 3: oops", "sent"), ""),
        # a malformed answer is one too, and the developer learns why
        (False, TEXT, (b'{"statusCode":"no"}',), None, (502, FAILED, "sent"), 'statusCode "no"'),
        (True, PRELUDE, (b"[]" + ZEROS, b"more"), None, (502, FAILED, "sent"), "prelude"),
        (True, PRELUDE, (b"{}",), None, (502, FAILED, "sent"), "prelude"),
        # a stream is passed on; one that fails is cut, so that nobody takes it for complete
        (True, PRELUDE, (HEAD, ZEROS + b"a", b"b"), None, (202, b"ab", "ended"), ""),
        (True, "", (b"",), None, (200, b"", "ended"), ""),
        (True, TEXT, (b"one",), "", (200, b"one", "cut"), ""),
        (True, PRELUDE, (HEAD,), "", (502, FAILED, "sent"), ""),
    ],
)  # fmt: skip
def test_an_answer_becomes_a_response(streams, kind, pieces, failure, written, words):
    writer, note, _ = run(*pieces, streams=streams, kind=kind, failure=failure)
    assert (writer.head.status, writer.body, writer.end_of_it) == written
    assert ("x-amzn-RequestId", ID[0]) in writer.head.headers
    assert words in note
    assert bool(words) == bool(note)


@pytest.mark.parametrize(
    ("streams", "is_streamed", "written", "words"),
    [
        (False, True, (502, FAILED), "invoke_mode: RESPONSE_STREAM"),
        (True, False, (200, b"<html>"), "instead of streaming"),
    ],
)
def test_a_function_and_a_url_of_different_modes_have_a_note(streams, is_streamed, written, words):
    writer, note, _ = run(b"<html>", streams=streams, is_streamed=is_streamed)
    assert (writer.head.status, writer.body) == written
    assert words in note


def test_an_event_over_the_limit_never_reaches_the_function():
    # In base64 it is a third longer than it was sent.
    request = asked(method="POST", body=b"\xff" * (MAX_REQUEST_BYTES * 3 // 4))
    writer, note, calls = run(b"{}", request=request)
    assert (writer.head.status, calls) == (413, [])
    assert "the limit is 6291456" in note


def test_the_function_goes_on_when_its_client_leaves():
    with pytest.raises(BrokenPipeError):
        run(b"one", b"two", b"three", streams=True, kind="text/plain", leaves=1)


def test_foreign_pages_and_preflight_requests_are_turned_away():
    site = Site(URL, CORS)
    assert turned_away(site, asked(("Origin", "https://evil.test"))).status == 403
    preflight = asked(("Origin", PAGE), ("Access-Control-Request-Method", "GET"), method="OPTIONS")
    assert turned_away(site, preflight).status == 200
    assert turned_away(site, asked(method="OPTIONS")) is None
