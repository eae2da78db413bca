import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.testkit.events import sns_record
from messages import BadMessage, Message, read_delivery, read_request
from store_message import store
from tests.support.chat.store import counts

KEYS = st.sampled_from(
    ["Message", "MessageId", "Timestamp", "MessageAttributes", "message", "action", "id"]
)


@pytest.mark.parametrize(
    ("timestamp", "sent_at"),
    [
        ("2026-01-01T12:00:00.123Z", "2026-01-01T12:00:00.123Z"),
        ("2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000Z"),
        ("2026-01-01T12:00:00.5Z", "2026-01-01T12:00:00.500Z"),
        ("2026-01-01T13:00:00+01:00", "2026-01-01T12:00:00.000Z"),
        ("2026-01-01T12:00:00", "2026-01-01T12:00:00.000Z"),
    ],
)
def test_times_have_one_form_so_that_ids_sort(function, timestamp, sent_at):
    function.store(function.record(Timestamp=timestamp))
    assert function.items()[0]["sent_at"] == {"S": sent_at}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "  two\n\tlines  ",
        '"}],"x":{"N":"1"}',
        "\u202egnp.exe",
        "Z\u0337\u0321a\u0335\u0322l\u0337g\u0336o",
        "\U0001f469\u200d\U0001f680 שלום",
        "x" * 2000,
        "\U0001f600" * 2000,
        "0",
        "\x01\x1f\x7f.",
    ],
)
def test_a_text_is_kept_as_it_was_written(function, text):
    assert function.store(function.record({"message": text}))["stored"] == 1
    assert function.items()[0]["message"] == {"S": text}


def test_what_no_table_can_hold_becomes_a_replacement_character(function):
    function.store(
        function.record('{"message": "cut \\ud83d, end \\udc00, \\ud83d\\ude00, nul \\u0000"}')
    )
    assert function.items()[0]["message"] == {"S": "cut \ufffd, end \ufffd, \U0001f600, nul \ufffd"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "malformed_message"),
        ("no JSON", "malformed_message"),
        ("[]", "malformed_message"),
        ("null", "malformed_message"),
        ('"text"', "malformed_message"),
        ("[" * 30_000, "malformed_message"),
        ('{"message": ' + "9" * 5_000 + "}", "malformed_message"),
        ("{}", "malformed_message"),
        ('{"message": null}', "malformed_message"),
        ('{"message": ["x"]}', "malformed_message"),
        ('{"message": {"S": "x"}}', "malformed_message"),
        ('{"message": NaN}', "malformed_message"),
        ({"message": ""}, "empty_message"),
        ({"message": " \n\t\u3000"}, "empty_message"),
        ({"message": "\u200b\u2060\ufeff\x00"}, "empty_message"),
        ({"message": "\u3164 \u115f"}, "empty_message"),
        ({"message": "\u2800\u2800"}, "empty_message"),
        ({"message": "\u0301\u0336\u20dd"}, "empty_message"),
        ({"message": "\u202e\u2066\U000e0041"}, "empty_message"),
        ({"message": "x" * 2001}, "message_too_long"),
        ("x" * 300_000, "message_too_long"),
        ({"message": "x", "channel": None}, "bad_channel"),
        ({"message": "x", "channel": ""}, "bad_channel"),
        ({"message": "x", "channel": 1}, "bad_channel"),
        ({"message": "x", "channel": "../config"}, "bad_channel"),
        ({"message": "x", "channel": "default\n"}, "bad_channel"),
        ({"message": "x", "channel": "Default"}, "bad_channel"),
        ({"message": "x", "channel": "-x"}, "bad_channel"),
        ({"message": "x", "channel": "c" * 65}, "bad_channel"),
        ({"message": "x", "channel": "٣"}, "bad_channel"),
        ({"message": "x", "channel": "channels"}, "reserved_channel"),
        ({"message": "x", "channel": "stats"}, "reserved_channel"),
        ({"message": "x", "client_id": 5}, "bad_client_id"),
        ({"message": "x", "client_id": ""}, "bad_client_id"),
        ({"message": "x", "client_id": "a#b"}, "bad_client_id"),
        ({"message": "x", "client_id": "a\n"}, "bad_client_id"),
        ({"message": "x", "client_id": "c" * 65}, "bad_client_id"),
        ({"message": "x", "client_id": "\ud800"}, "bad_client_id"),
    ],
)
def test_a_bad_message_is_refused_with_its_reason(function, refusals, body, reason):
    assert function.store(function.record(body)) == counts(refused=1)
    assert refusals() == [reason]
    assert function.items() == []


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "record",
        {},
        {"EventSource": ["aws:sns"], "Sns": {}},
        {"EventSource": "aws:s3", "s3": {}},
        {"EventSource": "aws:sns"},
        {"EventSource": "aws:sns", "Sns": None},
        {"EventSource": "aws:sns", "Sns": {"Message": 1}},
        sns_record(Message=None),
        sns_record(Timestamp=None),
        sns_record(Timestamp="yesterday"),
        sns_record(Timestamp=1),
        sns_record(Timestamp="0001-01-01T00:00:00+14:00"),
        sns_record(MessageId=None),
        sns_record(MessageId="a#b"),
    ],
)
def test_a_malformed_record_is_refused_and_never_raises(function, refusals, record):
    assert function.store(record)["refused"] == 1
    assert refusals()[0] in ("malformed_record", "unknown_source")


@pytest.mark.parametrize("broken", [None, [], {}, {"Records": None}, {"Records": "x"}])
def test_an_event_without_records_is_refused(function, refusals, broken):
    assert store(broken, function.service, "request-1")["refused"] == 1
    assert refusals() == ["malformed_event"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON, st.sampled_from(["aws:sns", "lambda-chat:operator"]))
def test_any_record_is_read_or_refused_and_never_raises(anything, source):
    records = (anything, {"EventSource": source, "Sns": anything})
    for record in records:
        with suppress(BadMessage):
            read_request(read_delivery(record, datetime.now(UTC), "id"))


@settings(deadline=None)
@given(st.fixed_dictionaries({"message": st.text(max_size=2100)}, optional={"channel": JSON}))
def test_what_is_read_can_always_be_stored(payload):
    with suppress(BadMessage):
        record = sns_record(json.dumps(payload))
        read = read_request(read_delivery(record, datetime.now(UTC), "id"))
        assert isinstance(read, Message)
        assert 0 < len(read.text.encode()) <= 4 * 2000
        assert read.channel.isascii()
