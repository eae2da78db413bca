"""Whatever an event holds: both handlers answer or say that it may pass, and log nothing of it.

The services behind them refuse every call, as if AWS were down. The inputs are the same each run.
"""

import json

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import publish_transcript
import store_message
from local.testkit.events import id_token, operator_record, sns_record, stream_record
from pushes import payload
from senders import Verifier
from stream_batch import read_rows
from tests.support.builders import BUCKET, NOW_S, TABLE
from tests.support.chat.store import store_settings
from transactions import Tables

REPEATABLE = settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SECRET = "zq7-secret-text"
KEYS = (
    "Records", "EventSource", "Sns", "Message", "MessageAttributes", "id_token", "Value",
    "Timestamp", "MessageId", "dynamodb", "Keys", "channel", "S", "SequenceNumber", "eventName",
    "message",
)  # fmt: skip
values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6).map(lambda text: SECRET + text)
    | st.sampled_from(
        ["aws:sns", "lambda-chat:operator", "default", "2026-01-01T12:00:00.123Z", "1"]
    )
)
trees = st.recursive(
    values,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=15,
)
TOKEN = id_token(iat=int(NOW_S), exp=int(NOW_S) + 3600, name=SECRET, email=f"{SECRET}@example.com")


def damaged(record):
    """A sound record with one of its values replaced; the place is drawn."""
    places = list(walk(record))
    return st.tuples(st.sampled_from(places), trees).map(lambda drawn: replaced(record, *drawn))


def walk(node, at=()):
    for key, value in node.items() if isinstance(node, dict) else ():
        yield (*at, key)
        yield from walk(value, (*at, key))


def replaced(record, place, value):
    copy = json.loads(json.dumps(record))
    node = copy
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return copy


def down(*_args, **_keywords):
    raise ClientError({"Error": {"Code": "InternalServerError", "Message": SECRET}}, "Any")


class Down:
    """A client of a service that is down."""

    def __getattr__(self, name):
        return down


def message_records():
    texts = trees.map(lambda tree: json.dumps(tree)) | st.text(max_size=30)
    sound = [sns_record({"message": SECRET}, TOKEN), operator_record({"message": SECRET})]
    return (
        trees
        | st.sampled_from(sound)
        | damaged(sound[0])
        | damaged(sound[1])
        | texts.map(lambda text: sns_record(text or "{}", TOKEN))
        | texts.map(lambda token: sns_record({"message": SECRET}, token))
    )


def test_store_message_survives_any_event(capsys, figure):
    wanted = store_settings()
    tables = Tables(Down(), lambda _s: None)
    service = store_message.Service(
        wanted, Verifier(Down(), wanted, lambda: NOW_S), tables, lambda: NOW_S
    )
    seen = {"answered": 0, "may pass": 0}

    @REPEATABLE
    @given(
        trees
        | st.lists(message_records(), min_size=1, max_size=3).map(lambda all_: {"Records": all_})
    )
    def check(event):
        try:
            counts = store_message.store(event, service, "request-1")
        except store_message.NotStored:
            seen["may pass"] += 1
        else:
            seen["answered"] += 1
            assert set(counts) == {"stored", "changed", "duplicate", "refused"}
        assert_clean(capsys.readouterr().out)

    check()
    figure(told("store_message", seen))
    assert min(seen.values()) > 0


EMPTY = b'{"channel":"default","generated_at":"","complete":true,"messages":[],"changes":[]}'


@REPEATABLE
@given(st.lists(trees | damaged(stream_record()) | st.just(stream_record()), max_size=3))
def test_any_records_that_a_transcript_does_not_show_make_a_notice(records):
    for rows in read_rows(records).values():
        assert json.loads(payload(EMPTY, rows, "Tea/channel/default")) == {
            "channel": "default",
            "changed": "",
        }


def test_publish_transcript_survives_any_event(capsys, figure):
    wanted = publish_transcript.Settings(TABLE, BUCKET, "data/", 20)
    service = publish_transcript.connected(wanted, Down(), Down(), lambda: NOW_S)
    seen = {"answered": 0, "may pass": 0}

    @REPEATABLE
    @given(
        trees
        | st.lists(trees | damaged(stream_record()) | st.just(stream_record()), max_size=3).map(
            lambda all_: {"Records": all_}
        )
    )
    def check(event):
        try:
            answer = publish_transcript.publish(event, service, "request-1")
        except publish_transcript.NotPublished:
            seen["may pass"] += 1
        else:
            seen["answered"] += 1
            assert list(answer) == ["batchItemFailures"]
        assert_clean(capsys.readouterr().out)

    check()
    figure(told("publish_transcript", seen))
    assert min(seen.values()) > 0


def told(function, seen):
    return (
        f"bad input, events of {function}: {sum(seen.values())} tried, {seen['answered']} answered,"
        f" {seen['may pass']} raised to be tried again"
    )


def assert_clean(out):
    assert SECRET not in out
    assert TOKEN not in out
    for line in out.splitlines():
        assert isinstance(json.loads(line), dict)
