"""The Runtime API as a runtime meets it."""

import base64
import http.client
import json
import threading

import pytest

from kappa.local_run import runtime_api as api
from kappa.local_run.runtime_api import (
    Begun,
    Chunk,
    Ended,
    Failed,
    Invocation,
    Ready,
    RuntimeApi,
    Taken,
)

ROOT = "/2018-06-01/runtime"
INVOCATION = Invocation("id-1", b'{"tea": 1}', {"Lambda-Runtime-Aws-Request-Id": "id-1"})


@pytest.fixture
def server():
    running = RuntimeApi()
    yield running
    running.close()


@pytest.fixture
def call(server):
    """Make requests over one connection."""
    connection = http.client.HTTPConnection(server.address, timeout=5)

    def request(method, path, body=None, headers=None, **more):
        connection.request(method, ROOT + path, body, headers or {}, **more)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    yield request
    connection.close()


@pytest.fixture
def begun(server, call):
    """An invocation that the runtime has taken."""
    server.offer(INVOCATION)
    call("GET", "/invocation/next", headers={"User-Agent": "test/1"})
    assert events(server) == [Ready("test/1"), Taken()]


def events(server):
    return [server.events.get(timeout=5) for _ in range(server.events.qsize())]


def test_next_waits_for_an_invocation_and_hands_it_out(server, call):
    threading.Timer(0.05, server.offer, [INVOCATION]).start()
    status, headers, body = call("GET", "/invocation/next")
    assert (status, headers["Lambda-Runtime-Aws-Request-Id"], body) == (200, "id-1", b'{"tea": 1}')


@pytest.mark.usefixtures("begun")
def test_a_response_is_passed_on_whole(server, call):
    assert call("POST", "/invocation/id-1/response", b"[1]")[0] == 202
    assert events(server) == [Begun("", is_streamed=False), Chunk(b"[1]"), Ended()]


@pytest.mark.usefixtures("begun")
def test_a_streamed_response_is_passed_on_as_it_comes(server, call):
    headers = {
        "Content-Type": "text/plain",
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
    }
    answer = call(
        "POST", "/invocation/id-1/response", iter([b"a", b"b"]), headers, encode_chunked=True
    )
    assert answer[0] == 202
    begin = Begun("text/plain", is_streamed=True)
    assert events(server) == [begin, Chunk(b"a"), Chunk(b"b"), Ended()]


def test_the_trailers_of_a_stream_hold_its_error():
    body = base64.b64encode(b'{"errorType": "Late"}').decode()
    name = "lambda-runtime-function-error"
    assert (
        api._trailing_error({f"{name}-type": "Late", f"{name}-body": body})
        == b'{"errorType": "Late"}'
    )
    assert b"Late" in api._trailing_error({f"{name}-type": "Late", f"{name}-body": "!"})
    assert api._trailing_error({}) == b""


@pytest.mark.usefixtures("begun")
def test_an_error_is_passed_on(server, call):
    assert call("POST", "/invocation/id-1/error", b'{"errorType": "E"}')[0] == 202
    assert events(server) == [Failed(b'{"errorType": "E"}')]


def test_an_error_of_the_start_is_passed_on(server, call):
    assert call("POST", "/init/error", b"{}")[0] == 202
    assert events(server) == [Failed(b"{}")]


@pytest.mark.usefixtures("begun")
def test_a_response_that_is_too_long_is_an_error(server, call):
    answer = call("POST", "/invocation/id-1/response", b"x" * (api.MAX_RESPONSE_BYTES + 1))
    assert answer[0] == 413
    (failed,) = events(server)
    error = json.loads(failed.error)
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert "exceeded maximum allowed payload size (6291556 bytes)" in error["errorMessage"]


@pytest.mark.usefixtures("begun")
def test_the_longest_response_is_none(server, call):
    assert call("POST", "/invocation/id-1/response", b"x" * api.MAX_RESPONSE_BYTES)[0] == 202


@pytest.mark.usefixtures("begun")
def test_one_invocation_is_answered_before_the_next(call):
    assert call("GET", "/invocation/next")[0] == 403


@pytest.mark.usefixtures("begun")
def test_only_the_invocation_that_runs_is_answered(server, call):
    assert call("POST", "/invocation/id-2/response", b"1")[0] == 400
    assert call("POST", "/invocation/id-1/response", b"1")[0] == 202
    assert call("POST", "/invocation/id-1/response", b"1")[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/init/error"), ("POST", "/invocation/id-1/else"), ("PUT", "/x/y/z")],
)
def test_other_paths_are_not_there(call, method, path):
    assert call(method, path)[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil"},
        {"Host": "evil:80"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Referer": "http://evil/"},
    ],
)
def test_a_page_in_a_browser_cannot_take_an_invocation(server, call, headers):
    server.offer(INVOCATION)
    assert call("GET", "/invocation/next", headers=headers)[0] == 403
    assert events(server) == []


def test_another_users_request_is_refused(server, call, monkeypatch):
    monkeypatch.setattr(server._server, "_admits", lambda connection: False)
    server.offer(INVOCATION)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        call("GET", "/invocation/next")
    assert events(server) == []


def test_a_closed_server_ends_what_waits(server, call):
    threading.Timer(0.05, server.close).start()
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        call("GET", "/invocation/next")
    server.put(Taken())  # nobody reads it, and nobody waits
