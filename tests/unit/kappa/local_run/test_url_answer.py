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


def test_a_function_that_fails_is_502_as_on_aws():
    writer, note, _ = run(failure="")
    assert (writer.head.status, writer.body, note) == (502, b"Internal Server Error", "")


def test_a_failure_can_be_told_to_the_client():
    for streams in (False, True):
        assert run(failure="line 3: oops", streams=streams)[0].body == b"line 3: oops"


def test_a_malformed_answer_is_502_and_the_developer_learns_why():
    writer, note, _ = run(b'{"statusCode":"no"}')
    assert (writer.head.status, writer.body) == (502, b"Internal Server Error")
    assert 'the statusCode "no"' in note


def test_a_stream_to_a_buffered_url_names_the_setting():
    _, note, _ = run(b"<html>", is_streamed=True)
    assert "invoke_mode: RESPONSE_STREAM" in note


def test_an_event_over_the_limit_never_reaches_the_function():
    # In base64 it is a third longer than it was sent.
    request = asked(method="POST", body=b"\xff" * (MAX_REQUEST_BYTES * 3 // 4))
    writer, note, calls = run(b"{}", request=request)
    assert (writer.head.status, calls) == (413, [])
    assert "the limit is 6291456" in note


def test_a_stream_is_passed_on_with_its_head():
    pieces = (b'{"statusCode":202,"headers":{"X-A":"b"}}', bytes(8) + b"one", b"two")
    writer, note, _ = run(*pieces, streams=True, kind=PRELUDE_TYPE)
    assert (writer.head.status, writer.body, writer.end_of_it) == (202, b"onetwo", "ended")
    assert ("x-amzn-RequestId", ID[0]) in writer.head.headers
    assert note == ""


def test_an_empty_stream_is_an_empty_response():
    writer, _, _ = run(b"", streams=True, kind="")
    assert (writer.head.status, writer.body, writer.end_of_it) == (200, b"", "ended")


def test_a_stream_that_fails_is_cut_so_that_nobody_takes_it_for_complete():
    writer, _, _ = run(b"one", streams=True, kind="text/plain", failure="")
    assert (writer.body, writer.end_of_it) == (b"one", "cut")


@pytest.mark.parametrize("pieces", [(), (b'{"statusCode":202',)])
def test_a_stream_that_fails_before_its_body_is_502(pieces):
    writer, note, _ = run(*pieces, streams=True, kind=PRELUDE_TYPE, failure="")
    assert (writer.head.status, note) == (502, "")


@pytest.mark.parametrize("pieces", [(b"[]" + bytes(8), b"more"), (b"{}",)])
def test_a_malformed_prelude_is_502_and_the_developer_learns_why(pieces):
    writer, note, _ = run(*pieces, streams=True, kind=PRELUDE_TYPE)
    assert writer.head.status == 502
    assert "prelude" in note


def test_an_answer_that_is_returned_to_a_streaming_url_is_sent_as_it_is_with_a_note():
    writer, note, _ = run(b'{"statusCode":404}', streams=True, is_streamed=False)
    assert (writer.head.status, writer.body) == (200, b'{"statusCode":404}')
    assert writer.head.headers[0] == ("Content-Type", "application/json")
    assert "instead of streaming" in note


def test_the_function_goes_on_when_its_client_leaves():
    with pytest.raises(BrokenPipeError):
        run(b"one", b"two", b"three", streams=True, kind="text/plain", leaves=1)


def test_foreign_pages_and_preflight_requests_are_turned_away():
    site = Site(URL, CORS)
    assert turned_away(site, asked(("Origin", "https://evil.test"))).status == 403
    preflight = asked(("Origin", PAGE), ("Access-Control-Request-Method", "GET"), method="OPTIONS")
    assert turned_away(site, preflight).status == 200
    assert turned_away(site, asked(method="OPTIONS")) is None
