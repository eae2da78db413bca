"""A write that AWS does not answer is made again: at a new place, once, and counted as stored."""

import json
import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

import aws_clients
import rows
import transactions
from aws_clients import ONE_TRY
from store_message import NotStored
from store_settings import Rate
from tests.support.builders import NOW_S, answer_with, moment
from tests.support.chat.store import RATE_TABLE, counts

LATE_S = rows.LATE.total_seconds()
URL = {"endpoint_url": "https://dynamodb.example"}


@pytest.fixture
def swallowing(monkeypatch):
    """A DynamoDB that answers no call before the third; each call, and when it came (epoch s)."""
    calls, go_on = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls.append((time.time(), body))
            if len(calls) < 3:
                go_on.wait()
                return
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    (client,) = aws_clients.make_clients({"dynamodb": ONE_TRY})
    yield client, calls
    go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_no_write_reaches_aws_with_a_place_that_open_pages_have_passed(function, swallowing):
    client, calls = swallowing
    page = Path("s3-website/public/js/state/messages.js").read_text()
    late_ms = int(re.findall(r"const LATE_MS = ([0-9_]+);", page)[0])
    sent_s = time.time()
    function.now_s = sent_s  # the verdict on the token is made now
    function.service = function.service._replace(
        tables=transactions.Tables(client, time.sleep), clock=time.time
    )
    sent_at = datetime.fromtimestamp(sent_s - LATE_S / 2, UTC).isoformat()
    assert function.store(function.record(Timestamp=sent_at)) == counts(stored=1)
    assert len(calls) == 3
    for came_s, body in calls:
        row = body["TransactItems"][0]["Put"]["Item"]
        place = datetime.fromisoformat(row["id"]["S"].partition("#")[0])
        assert (came_s - place.timestamp()) * 1000 < late_ms
    tokens = {body["ClientRequestToken"] for _, body in calls}
    assert len(tokens) == 3  # each is a transaction of its own


@contextmanager
def lost(function, error, operation="TransactWriteItems", times=1):
    """Let AWS do what it is asked, and its answer get lost."""
    left = [times]

    def lose(**_):
        if left[0]:
            left[0] -= 1
            raise error

    events = function.dynamodb.meta.events
    events.register(f"after-call.dynamodb.{operation}", lose)
    yield
    events.unregister(f"after-call.dynamodb.{operation}", lose)
    assert not left[0]


LOST = [ReadTimeoutError(**URL), ConnectionClosedError(**URL)]


@pytest.mark.parametrize("late_s", [0, LATE_S + 1])
@pytest.mark.parametrize("error", LOST)
def test_a_message_whose_answer_gets_lost_is_stored_once_and_told_as_stored(
    function, error, late_s
):
    clock = iter(range(100))  # each look at it is a second later: the next try stands elsewhere
    function.service = function.service._replace(clock=lambda: NOW_S + late_s + next(clock))
    with lost(function, error):
        assert function.store(function.message()) == counts(stored=1)
    assert len(function.items()) == 1
    assert [row["n"] for row in function.items(RATE_TABLE) if "n" in row] == [{"N": "1"}]
    assert function.store(function.message()) == counts(duplicate=1)


@pytest.mark.parametrize("late_s", [0, LATE_S + 1])
@pytest.mark.parametrize("action", ["edit", "delete"])
def test_a_change_whose_answer_gets_lost_is_made_once_though_it_was_the_last_its_sender_may(
    function, refusals, action, late_s
):
    function.set_up(rate=Rate(2, 60))
    function.store(function.message())
    clock = iter(range(100))
    function.service = function.service._replace(clock=lambda: NOW_S + late_s + next(clock))
    change = function.message(
        action=action, id=f"{moment(0)}#c1", message="better", client_id="change"
    )
    with lost(function, ReadTimeoutError(**URL)):
        assert function.store(change) == counts(changed=1)
    assert refusals() == []
    assert len(function.items()) == 2
    assert [row["n"] for row in function.items(RATE_TABLE) if "n" in row] == [{"N": "2"}]
    assert function.store(change) == counts(duplicate=1)


def test_a_read_whose_answer_gets_lost_is_made_again(function):
    function.store(function.message())
    change = function.message(action="delete", id=f"{moment(0)}#c1", client_id="change")
    with lost(function, ReadTimeoutError(**URL), "GetItem", times=2):
        assert function.store(change) == counts(changed=1)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("ThrottlingException", 400),
    ],
)
def test_a_call_that_fails_for_a_moment_is_made_again(function, code, status):
    answer_with(function.dynamodb, "TransactWriteItems", code, status, times=5)
    assert function.store(function.message()) == counts(stored=1)
    assert len(function.pauses) == 5


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_call_that_can_only_fail_is_made_once(function, code):
    answer_with(function.dynamodb, "TransactWriteItems", code, times=1)
    with pytest.raises(NotStored):
        function.store(function.message())
    assert function.pauses == []


def test_a_duplicate_stays_one_where_no_try_reached_aws(function):
    function.store(function.message())
    left = [EndpointConnectionError(**URL)]

    def unreachable(**_):
        if left:
            raise left.pop()

    function.dynamodb.meta.events.register("before-call.dynamodb.TransactWriteItems", unreachable)
    assert function.store(function.message()) == counts(duplicate=1)
    assert len(function.pauses) == 1
