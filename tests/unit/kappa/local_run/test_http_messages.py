"""The little of HTTP that runtime clients speak."""

import io

import pytest

from kappa.local_run.http_messages import BadRequest, answer, read_request


def read(text):
    return read_request(io.BufferedReader(io.BytesIO(text)))


def test_a_request_is_read_up_to_its_body():
    request = read(b"POST /x HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\n\r\nabcGET")
    assert (request.method, request.path, request.headers["host"]) == ("POST", "/x", "a:1")
    assert b"".join(request.blocks()) == b"abc"


def test_chunks_come_one_by_one_and_trailers_after_them():
    head = b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = read(head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nError-Type: Late\r\n\r\n")
    assert list(request.blocks()) == [b"abc", b"de"]
    assert request.trailers == {"error-type": "Late"}


def test_a_closed_connection_is_no_request():
    assert read(b"") is None


@pytest.mark.parametrize(
    "text",
    [
        b"hello\r\n\r\n",
        b"GET / SSH-2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab",
    ],
)
def test_what_is_not_http_is_refused(text):
    with pytest.raises(BadRequest):
        list(read(text).blocks())


def test_an_answer_has_its_length():
    assert answer(202, b"ok", {"A": "b"}) == (
        b"HTTP/1.1 202 Accepted\r\nA: b\r\nContent-Length: 2\r\n\r\nok"
    )
