"""The metrics in the log, against CloudWatch's specification of the embedded metric format."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emf import metric_line
from tests.builders import NOW_S, answer_with, moment, operator_record, sns_record

UNITS = {"Count", "Milliseconds"}
RESERVED = {"level", "event", "request_id", "message_id", "error", "code"}


def check(line):
    """Hold a log line against the specification; returns its metrics as (dimensions, values).

    Source: CloudWatch guide, "Specification: Embedded metric format".
    """
    assert "\n" not in line
    assert len(line.encode()) <= 256 * 1024
    root = json.loads(line)
    about = root.pop("_aws")
    assert set(about) == {"Timestamp", "CloudWatchMetrics"}
    assert type(about["Timestamp"]) is int
    assert about["Timestamp"] > 1_500_000_000_000
    found = []
    for directive in about["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert re.fullmatch(r"[A-Za-z0-9._/#-]{1,255}", directive["Namespace"])
        assert not directive["Namespace"].startswith("AWS/")
        assert 1 <= len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            check_metric(metric, root)
        assert directive["Dimensions"]
        for dimensions in directive["Dimensions"]:
            check_dimensions(dimensions, root)
            values = {one["Name"]: root[one["Name"]] for one in directive["Metrics"]}
            found.append(({name: root[name] for name in dimensions}, values))
        names = [one["Name"] for one in directive["Metrics"]]
        assert len(set(names)) == len(names)
        assert not set(names) & (set().union(*directive["Dimensions"]) | RESERVED)
    return found


def check_metric(metric, root):
    assert set(metric) <= {"Name", "Unit", "StorageResolution"}
    assert 1 <= len(metric["Name"]) <= 1024
    assert metric["Unit"] in UNITS
    value = root[metric["Name"]]
    values = value if isinstance(value, list) else [value]
    assert 1 <= len(values) <= 100
    assert all(type(one) in (int, float) for one in values)


def check_dimensions(dimensions, root):
    assert len(dimensions) <= 30
    assert len(set(dimensions)) == len(dimensions)
    for name in dimensions:
        assert 1 <= len(name) <= 250
        assert not name.startswith(":")
        assert isinstance(root[name], str)
        assert 1 <= len(root[name]) <= 1024
        assert root[name].isascii()
        assert root[name].strip()


@pytest.fixture
def metrics(capsys):
    """What CloudWatch would count of the log so far."""

    def read():
        lines = capsys.readouterr().out.splitlines()
        return [found for line in lines if "_aws" in line for found in check(line)]

    return read


STORE = {"function": "store-message"}


def test_a_stored_message_is_counted_with_its_delay(function, metrics):
    record = function.record(Timestamp=moment(0))
    function.now_s += 0.25
    function.store(record)
    assert metrics() == [(STORE, {"stored": 1, "delay_ms": [250]})]


def test_a_duplicate_has_no_delay(function, metrics):
    record = function.record()
    function.store(record)
    metrics()
    function.store(record)
    assert metrics() == [(STORE, {"duplicate": 1})]


def test_a_refusal_is_counted_by_its_reason_and_with_all_others(function, metrics):
    function.store(function.record("no JSON"), sns_record())
    assert metrics() == [
        (STORE | {"reason": "malformed_message"}, {"refused": 1}),
        (STORE | {"reason": "no_token"}, {"refused": 1}),
        (STORE, {"refused": 2}),
    ]


def test_an_event_that_is_none_is_counted(function, metrics):
    function.store()
    assert metrics() == []


def test_a_failure_is_counted(function, metrics):
    answer_with(function.dynamodb, "TransactWriteItems", "InternalServerError", 500, times=1)
    with pytest.raises(Exception, match="1 of 1"):
        function.store(function.record())
    assert metrics() == [(STORE, {"failed": 1})]


def test_a_change_is_counted(function, metrics):
    function.store(operator_record({"action": "block", "user": "0" * 16}))
    assert metrics() == [(STORE, {"changed": 1})]


def test_a_clock_behind_that_of_sns_makes_no_negative_delay(function, metrics):
    function.store(function.record(Timestamp=moment(2)))
    assert metrics() == [(STORE, {"stored": 1, "delay_ms": [0]})]


def test_two_chats_of_one_account_are_counted_apart(function, metrics):
    function.set_up(function="Tea-store-message")
    function.store(function.record())
    assert metrics()[0][0] == {"function": "Tea-store-message"}


@given(
    st.dictionaries(
        st.sampled_from(["stored", "refused", "failed", "delay_ms"]),
        st.integers(0, 10_000) | st.lists(st.integers(0, 4_000_000), max_size=300),
    )
)
def test_every_line_is_of_the_format_or_has_no_metrics(values):
    line = json.dumps(metric_line(NOW_S, STORE, values))
    if any(values.values()):
        check(line)
    else:
        assert "_aws" not in line
