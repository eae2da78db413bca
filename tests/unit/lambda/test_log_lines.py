"""The metrics in the log, against CloudWatch's specification of the embedded metric format."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.testkit.events import operator_record, sns_record, stream_record
from log_lines import metric_line
from publish_settings import Settings
from publish_transcript import NotPublished, connected, publish
from tests.support.builders import BUCKET, NOW_S, TABLE, answer_with, moment, row
from tools.cost.model import METRICS
from transactions import TRIES

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
    answer_with(function.dynamodb, "TransactWriteItems", "InternalServerError", 500, times=TRIES)
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


PUBLISH = {"function": "publish-transcript"}


@pytest.fixture
def publisher(dynamodb, s3):
    """A function that publishes records and takes 250 ms to read a table."""
    now_s = [NOW_S]
    dynamodb.meta.events.register("after-call.dynamodb.Query", lambda **_: take(now_s, 0.25))
    service = connected(Settings(TABLE, BUCKET, "data/", 20), dynamodb, s3, lambda: now_s[0])
    return lambda *records: publish({"Records": list(records)}, service, "request-1")


def take(now_s, passing_s):
    now_s[0] += passing_s


def changed(sent_s, created_s=None, channel="default", kind="INSERT", **attributes):
    """The record of a row of that time; the stream says whole seconds."""
    record = stream_record(channel, kind=kind)
    record["dynamodb"]["NewImage"] = row(moment(sent_s), channel=channel, **attributes)
    if created_s is not None:
        record["dynamodb"]["ApproximateCreationDateTime"] = NOW_S + created_s
    return record


def test_a_batch_is_measured_to_its_oldest_record_and_to_its_transcripts(publisher, metrics):
    publisher(changed(-3, -2), changed(-1, 0), changed(-9, -1, kind="MODIFY"))
    values = {"batch_size": 3, "channels": 1, "published": 1}
    ages = {"iterator_age_ms": [2_000], "delay_ms": [3_500, 1_500]}
    assert metrics() == [(PUBLISH, values | ages)]


def test_edits_and_what_sns_sent_ahead_of_the_clock_make_no_wrong_delay(publisher, metrics):
    publisher(changed(0, 1, kind="REMOVE"), changed(0, id="no time"), changed(2))
    ((_, values),) = metrics()
    assert (values["iterator_age_ms"], values["delay_ms"]) == ([0], [0])


@pytest.mark.parametrize("time", ["1", None, float("nan"), float("inf"), -1, 10**400, [], {}])
def test_a_record_without_a_time_has_no_age(publisher, metrics, time):
    record = stream_record()
    record["dynamodb"]["ApproximateCreationDateTime"] = time
    publisher(record)
    assert "iterator_age_ms" not in metrics()[0][1]


def test_each_message_has_one_delay_though_its_batch_is_sent_again(publisher, metrics, s3):
    answer_with(
        s3, "PutObject", "SlowDown", 503, times=2, when=lambda one: "tea" in one["url_path"]
    )
    batch = [changed(0), changed(0, channel="tea")]
    batch[0]["dynamodb"]["SequenceNumber"] = "99"
    publisher(*batch)
    with pytest.raises(NotPublished):
        publisher(batch[1])
    publisher(batch[1])
    found = [values for _, values in metrics()]
    assert [one.get("failed", 0) for one in found] == [1, 1, 0]
    assert [one.get("delay_ms") for one in found] == [[1_000], None, [2_000]]


def test_what_is_left_out_is_counted(publisher, metrics, s3):
    answer_with(s3, "PutObject", "SlowDown", 503, when=lambda one: "stats" in one["url_path"])
    publisher(None, stream_record("stats"), changed(0), changed(0))
    assert metrics()[0][1].items() >= {"skipped": 2, "uncounted": 2, "batch_size": 4}.items()


def test_a_chat_that_only_talks_has_as_many_metrics_as_cost_md_counts(function, publisher, metrics):
    """CloudWatch bills each name with its dimensions; ten of an account are free."""
    function.store(function.record())
    publisher(changed(-1, 0))
    billed = {(name, *about.items()) for about, values in metrics() for name in values}
    assert len(billed) == METRICS


def test_a_channel_is_no_dimension_and_no_part_of_the_metrics(publisher, capsys):
    publisher(changed(0, channel="tea-room", message="psst"))
    (line,) = capsys.readouterr().out.splitlines()
    check(line)
    for private in ("tea-room", "psst", "Ada", "0123456789abcdef"):
        assert private not in line


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
