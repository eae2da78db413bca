import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import botocore
import pytest
from botocore.exceptions import ClientError

import aws_clients
import publish_transcript
from local.testkit.events import stream_record
from publish_settings import Settings, read_settings
from publish_transcript import (
    NotPublished,
    OldSdk,
    check_sdk,
    connected,
    handler,
    publish,
)
from tests.support.builders import BUCKET, NOW_S, TABLE, answer_with, calls_of, moment, row

EVENTS = Path(__file__).parents[2] / "data" / "events"
DONE = {"batchItemFailures": []}


SETTINGS = Settings(TABLE, BUCKET, "data/", 20)


@pytest.fixture
def service(dynamodb, s3):
    return connected(SETTINGS, dynamodb, s3, lambda: NOW_S)


@pytest.fixture
def store(dynamodb):
    def put(*rows):
        for one in rows:
            dynamodb.put_item(TableName=TABLE, Item=one)

    return put


def run(service, *records):
    return publish({"Records": list(records)}, service, "request-1")


def published(s3, name="default"):
    return json.loads(s3.get_object(Bucket=BUCKET, Key=f"data/{name}.json")["Body"].read())


def texts(s3, name="default"):
    return [message["message"] for message in published(s3, name)["messages"]]


def for_channel(name):
    return lambda params: f"/data/{name}.json" in params["url_path"]


def test_a_new_message_is_in_the_transcript(service, store, s3):
    store(row(client_id="1"))
    assert run(service, stream_record()) == DONE
    assert texts(s3) == ["text 1"]


def test_a_transcript_is_json_that_browsers_must_ask_for_again(service, store, s3):
    store(row())
    run(service, stream_record())
    head = s3.head_object(Bucket=BUCKET, Key="data/default.json")
    assert (head["ContentType"], head["CacheControl"]) == ("application/json", "no-cache")


def test_a_recorded_batch_publishes_every_channel_it_touches(service, store, s3):
    store(row(channel="default"), row(channel="tea-room"))
    batch = json.loads((EVENTS / "stream_batch.json").read_text())
    assert publish(batch, service, "request-1") == DONE
    assert texts(s3) == texts(s3, "tea-room") == ["text 1"]
    assert published(s3, "channels")["channels"] == ["default", "tea-room"]


def test_the_newest_20_are_shown_oldest_first(service, store, s3):
    store(*(row(moment(n * 60), f"{n:02}") for n in range(30)))
    run(service, stream_record())
    assert texts(s3) == [f"text {n:02}" for n in range(10, 30)]


def test_a_lively_channel_shows_its_last_5_s(service, store, s3, dynamodb):
    store(*(row(moment(n / 10), f"{n:03}") for n in range(120)))
    calls = calls_of(dynamodb)
    run(service, stream_record())
    assert texts(s3) == [f"text {n:03}" for n in range(70, 120)]
    assert calls == ["Query"] * 3  # of the changes, once a container; of the messages
    calls.clear()
    run(service, stream_record())
    assert calls == ["Query", "Query"]


def test_long_messages_make_no_transcript_of_more_than_256_kb(service, store, s3):
    store(*(row(moment(n / 100), f"{n:03}", message="\U0001f600" * 2000) for n in range(210)))
    run(service, stream_record())
    size = s3.head_object(Bucket=BUCKET, Key="data/default.json")["ContentLength"]
    assert 240 * 1024 < size <= 256 * 1024
    found = published(s3)
    newest = [one["client_id"] for one in found["messages"]]
    assert newest == [f"{n:03}" for n in range(210)][-len(newest) :]
    assert found["complete"] is False


@pytest.mark.parametrize("kind", ["INSERT", "MODIFY", "REMOVE"])
def test_every_kind_of_change_publishes_its_channel(service, store, kind, s3):
    store(row(client_id="left"))
    assert run(service, stream_record(kind=kind)) == DONE
    assert texts(s3) == ["text left"]


def test_a_channel_whose_last_message_went_has_an_empty_transcript(service, s3):
    run(service, stream_record(kind="REMOVE"))
    assert published(s3)["messages"] == []


def test_a_batch_costs_one_query_and_one_put_a_channel(service, store, s3, dynamodb):
    store(row(channel="default"), row(channel="tea"))
    run(service, stream_record("default"), stream_record("tea"))
    calls = calls_of(dynamodb, s3)
    batch = [stream_record(name, str(n)) for n in range(50) for name in ("default", "tea")]
    run(service, *batch)
    assert sorted(calls) == ["PutObject", "PutObject", "Query", "Query"]


def inserted(one, sequence="100"):
    """The record of a new row, as the table's stream delivers it."""
    record = stream_record(one["channel"]["S"], sequence)
    record["dynamodb"] |= {"NewImage": one, "Keys": {key: one[key] for key in ("channel", "id")}}
    return record


def today(s3):
    return published(s3, "stats")["today"]


def test_a_batch_of_new_messages_costs_one_write_more(service, store, dynamodb, s3):
    rows = [row(moment(n), str(n), channel=name) for n in range(50) for name in ("default", "tea")]
    store(*rows)
    calls = calls_of(dynamodb, s3)
    run(service, *(inserted(one) for one in rows))
    first = ["GetObject"] * 2 + ["HeadObject"] * 2 + ["Query"] * 2
    warm = ["PutObject"] * 3 + ["Query"] * 2
    assert sorted(calls) == sorted(first + warm + ["PutObject"])
    calls.clear()
    run(service, *(inserted(one) for one in rows))
    assert sorted(calls) == warm


def test_new_messages_are_counted(service, s3):
    rows = [row(moment(0), "1"), row(moment(-60), "2", channel="tea", user="f" * 16)]
    run(service, *(inserted(one) for one in rows), inserted(row(moment(0), "3", kind="operator")))
    assert published(s3, "stats")["per_minute"][-2:] == [1, 2]
    assert today(s3)["channels"] == {"default": 2, "tea": 1}
    assert (today(s3)["messages"], today(s3)["people"]) == (3, 2)


def test_edits_deletions_and_what_names_no_channel_are_not_counted(service, s3):
    changed = [stream_record(kind=kind) for kind in ("MODIFY", "REMOVE")]
    changed[0]["dynamodb"]["NewImage"] = row()
    told = [inserted(row(kind=kind, target="1")) for kind in ("edit", "delete")]
    reserved, unnamed = inserted(row(channel="stats")), inserted(row(channel="No Channel"))
    shapeless = stream_record() | {"dynamodb": stream_record()["dynamodb"] | {"NewImage": 5}}
    run(service, *changed, *told, reserved, unnamed, shapeless, None, inserted(row()))
    assert today(s3)["messages"] == 1


def test_stats_are_written_after_the_transcripts_and_the_list(service, s3):
    keys = []
    s3.meta.events.register(
        "before-parameter-build.s3.PutObject", lambda params, **_: keys.append(params["Key"])
    )
    run(service, inserted(row()), inserted(row(channel="tea")))
    assert keys == [f"data/{name}.json" for name in ("default", "tea", "channels", "stats")]


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_a_fault_of_the_stats_fails_nothing(service, store, s3, capsys, operation):
    store(row())
    answer_with(s3, operation, "InternalError", 500, when=for_channel("stats"))
    assert run(service, inserted(row())) == DONE
    assert texts(s3) == ["text 1"]
    first, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert done["uncounted"] == 1
    assert first == {
        "level": "WARN",
        "event": "uncounted",
        "request_id": "request-1",
        "error": "InternalError",
    }


def test_what_lambda_sends_again_is_counted_then(service, s3):
    answer_with(s3, "PutObject", "SlowDown", 503, times=1, when=for_channel("tea"))
    batch = [
        inserted(row(channel="default"), "101"),
        inserted(row(channel="tea"), "102"),
        inserted(row(moment(1), channel="default"), "103"),
    ]
    assert run(service, *batch) == {"batchItemFailures": [{"itemIdentifier": "102"}]}
    assert today(s3)["channels"] == {"default": 1}
    assert run(service, *batch[1:]) == DONE
    assert today(s3)["channels"] == {"default": 2, "tea": 1}


def test_a_batch_that_is_sent_again_whole_is_counted_then(service, s3):
    answer_with(s3, "PutObject", "SlowDown", 503, times=1, when=for_channel("tea"))
    batch = [inserted(row()), inserted(row(channel="tea"), "")]
    assert run(service, *batch) == {"batchItemFailures": [{"itemIdentifier": ""}]}
    answer_with(s3, "PutObject", "SlowDown", 503, times=2, when=for_channel("tea"))
    answer_with(s3, "PutObject", "SlowDown", 503, times=2, when=for_channel("default"))
    for _ in range(2):
        with pytest.raises(NotPublished):
            run(service, *batch)
    assert run(service, *batch) == DONE
    assert today(s3)["messages"] == 2


def test_a_channel_that_is_always_overtaken_is_reported(service, store, s3):
    store(row(), row(channel="tea"))
    run(service, stream_record(), stream_record("tea"))
    answer_with(s3, "PutObject", "PreconditionFailed", 412, when=for_channel("tea"))
    result = run(service, stream_record("default", "101"), stream_record("tea", "102"))
    assert result == {"batchItemFailures": [{"itemIdentifier": "102"}]}


def test_queries_are_consistent(service, dynamodb):
    sent = []
    dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.Query", lambda params, **_: sent.append(dict(params))
    )
    run(service, stream_record())
    assert [query["ConsistentRead"] for query in sent] == [True, True]


def test_publishing_a_batch_twice_changes_nothing(service, store, s3):
    store(row())
    run(service, stream_record())
    before = published(s3)
    run(service, stream_record())
    assert published(s3) == before


@pytest.mark.parametrize("operation", ["Query", "PutObject"])
def test_a_failed_batch_is_raised_and_succeeds_when_sent_again(
    service, store, operation, s3, dynamodb
):
    store(row())
    client = dynamodb if operation == "Query" else s3
    answer_with(client, operation, "InternalError", 500, times=1)
    with pytest.raises(NotPublished):
        run(service, stream_record())
    assert run(service, stream_record()) == DONE
    assert texts(s3) == ["text 1"]


def test_a_failed_channel_is_reported_by_its_first_record_and_delays_no_other(service, store, s3):
    store(row(channel="default"), row(channel="tea"), row(channel="coffee"))
    answer_with(s3, "PutObject", "SlowDown", 503, when=for_channel("tea"))
    result = run(
        service,
        stream_record("default", "101"),
        stream_record("tea", "102"),
        stream_record("coffee", "103"),
        stream_record("tea", "104"),
    )
    assert result == {"batchItemFailures": [{"itemIdentifier": "102"}]}
    assert texts(s3) == texts(s3, "coffee") == ["text 1"]
    assert published(s3, "channels")["channels"] == ["coffee", "default"]


def test_a_list_that_cannot_be_written_fails_only_what_is_not_in_it(service, store, s3):
    run(service, stream_record("default"))
    answer_with(s3, "PutObject", "SlowDown", 503, when=for_channel("channels"))
    result = run(service, stream_record("default", "101"), stream_record("tea", "102"))
    assert result == {"batchItemFailures": [{"itemIdentifier": "102"}]}


@pytest.mark.parametrize(
    "record",
    [
        None,
        "record",
        {},
        {"dynamodb": None},
        {"dynamodb": {"Keys": {}}},
        {"dynamodb": {"Keys": {"channel": {"N": "1"}}}},
        {"dynamodb": {"Keys": {"channel": {"S": 5}}}},
        stream_record("../config"),
        stream_record("Default"),
        stream_record(""),
        stream_record("default\n"),
    ],
)
def test_a_malformed_record_is_logged_and_blocks_nothing(service, store, capsys, record, s3):
    store(row())
    assert run(service, record, stream_record()) == DONE
    assert texts(s3) == ["text 1"]
    assert json.loads(capsys.readouterr().out.splitlines()[0])["reason"] == "malformed_record"


@pytest.mark.parametrize("event", [None, [], {}, {"Records": None}, {"Records": [None]}])
def test_an_event_without_records_does_nothing(service, event, s3, dynamodb):
    calls = calls_of(dynamodb, s3)
    assert publish(event, service, "request-1") == DONE
    assert calls == []


@pytest.mark.parametrize("name", ["channels", "stats"])
def test_a_channel_never_overwrites_another_file_of_the_folder(service, name, s3):
    calls = calls_of(s3)
    assert run(service, stream_record(name)) == DONE
    assert calls == []


def test_the_shipped_input_publishes_the_default_channel(service, store, s3, dynamodb):
    store(row())
    shipped = json.loads(Path("lambda/dynamodb/input.json").read_text())
    assert publish(shipped, service, "request-1") == DONE
    assert texts(s3) == ["text 1"]


def test_a_channel_beyond_the_list_is_published_and_counted(service, store, capsys, s3):
    names = [f"m{n:04}" for n in range(1_000)]
    body = json.dumps({"channels": names})
    s3.put_object(Bucket=BUCKET, Key="data/channels.json", Body=body)
    store(*[row(channel=name) for name in ("aaa", "zzz", "m0001")])
    answer = run(service, *[stream_record(name) for name in ("aaa", "zzz", "m0001")])
    assert answer == {"batchItemFailures": []}
    assert texts(s3, "aaa") == texts(s3, "zzz") == ["text 1"]
    assert published(s3, "channels")["channels"] == names
    (done,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (done["unlisted"], done["published"]) == (2, 3)


def test_no_name_or_text_reaches_the_log(service, store, capsys, s3):
    store(row(message="my secret"), row(channel="tea", message="my secret"))
    answer_with(s3, "PutObject", "SlowDown", 503, when=for_channel("tea"))
    answer_with(s3, "PutObject", "SlowDown", 503, when=for_channel("stats"))
    new = inserted(row(message="my secret"))
    run(service, new, stream_record("tea"), stream_record("my secret"), None)
    written = capsys.readouterr()
    for private in ("my secret", "Ada", "0123456789abcdef"):
        assert private not in written.out + written.err
    lines = [json.loads(line) for line in written.out.splitlines()]
    assert [line["event"] for line in lines] == [
        "skipped",
        "skipped",
        "failed",
        "uncounted",
        "done",
    ]
    assert {line["request_id"] for line in lines} == {"request-1"}


def test_a_wrong_environment_is_told_in_one_line():
    with pytest.raises(ValueError, match=r"TABLE_NAME .*BUCKET .*DATA_PREFIX .*HISTORY "):
        read_settings({"DATA_PREFIX": "data", "HISTORY": "201"})


HOST = "a1b2-ats.iot.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("endpoint", "topics", "reason"),
    [
        (HOST, "", "need each other"),
        ("", "Tea/channel/*", "need each other"),
        (f"https://{HOST}", "Tea/channel/*", "PUSH_ENDPOINT must be a host"),
        (f"{HOST}/mqtt", "Tea/channel/*", "PUSH_ENDPOINT must be a host"),
        (HOST, "*", "PUSH_TOPICS must be topics"),
        (HOST, "/channel/*", "PUSH_TOPICS must be topics"),
        (HOST, "Tea/channel/#", "PUSH_TOPICS must be topics"),
        (HOST, "Tea/channel/", "PUSH_TOPICS must be topics"),
        (HOST, "Tea/+/channel/*", "PUSH_TOPICS must be topics"),
    ],
)
def test_push_needs_a_host_and_topics(endpoint, topics, reason):
    environ = {"TABLE_NAME": TABLE, "BUCKET": BUCKET}
    with pytest.raises(ValueError, match=reason):
        read_settings({**environ, "PUSH_ENDPOINT": endpoint, "PUSH_TOPICS": topics})


@pytest.mark.parametrize("host", [HOST, "a1b2-ats.iot.us-east-1.localhost:4566"])
def test_push_has_a_host_perhaps_with_a_port_and_topics(host):
    environ = {"TABLE_NAME": TABLE, "BUCKET": BUCKET}
    found = read_settings({**environ, "PUSH_ENDPOINT": host, "PUSH_TOPICS": "Tea/channel/*"})
    assert (found.push_endpoint, found.push_topics) == (host, "Tea/channel/*")


def test_prefix_and_history_have_defaults():
    environ = {"TABLE_NAME": TABLE, "BUCKET": BUCKET}
    assert read_settings(environ) == Settings(TABLE, BUCKET, "data/", 20)


@pytest.fixture
def container(service, monkeypatch):
    """What a fresh container makes of its environment."""
    environ = {
        "TABLE_NAME": TABLE,
        "BUCKET": BUCKET,
        "DATA_PREFIX": "data/",
        "HISTORY": "2",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    publish_transcript.service.cache_clear()
    yield publish_transcript.service
    publish_transcript.service.cache_clear()


def test_the_handler_publishes_as_its_environment_says(container, service, store, s3):
    store(*(row(moment(n * 60), str(n)) for n in range(5)))
    event = {"Records": [stream_record()]}
    assert handler(event, SimpleNamespace(aws_request_id="request-2")) == DONE
    assert texts(s3) == ["text 3", "text 4"]


def test_clients_are_made_once_a_container(container):
    assert container() is container()


def test_the_channels_of_a_batch_are_published_side_by_side(monkeypatch):
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("BUCKET", BUCKET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    container = publish_transcript.service.__wrapped__()
    gc.unfreeze()
    all_there = threading.Barrier(publish_transcript.SIDE_BY_SIDE, timeout=10)

    def meet(channel):
        all_there.wait()  # breaks, if one waits for another to end

    channels = [f"c{number}" for number in range(publish_transcript.SIDE_BY_SIDE)]
    assert list(container.each(meet, channels)) == [None] * len(channels)


def test_many_channels_side_by_side_are_all_published_and_only_what_failed_is_sent_again(
    dynamodb, s3, store
):
    channels = [f"c{number}" for number in range(40)]
    store(*[row(channel=channel, client_id=channel) for channel in channels])
    answer_with(s3, "PutObject", "InternalError", status=500, when=for_channel("c7"))
    records = [stream_record(channel, str(place)) for place, channel in enumerate(channels)]
    with ThreadPoolExecutor(8) as pool:
        service = connected(SETTINGS, dynamodb, s3, lambda: NOW_S, pool.map)
        assert run(service, *records) == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert [texts(s3, one) for one in channels if one != "c7"] == [
        [f"text {one}"] for one in channels if one != "c7"
    ]


def test_a_message_that_came_late_into_a_busy_channel_is_in_the_transcript(service, store, s3):
    store(*[row(moment(-number), f"{number}") for number in range(30)])
    store(row(moment(0), "late") | {"sent_at": {"S": moment(-600)}})
    run(service, stream_record())
    newest = published(s3)["messages"][-1]
    assert (newest["client_id"], newest["sent_at"]) == ("late", moment(-600))


def test_the_delay_of_a_late_message_counts_from_when_it_was_sent(service, capsys):
    image = row(moment(0), "late") | {"sent_at": {"S": moment(-600)}}
    record = stream_record()
    record["dynamodb"]["NewImage"] = image
    run(service, record)
    (done,) = [line for line in capsys.readouterr().out.splitlines() if '"done"' in line]
    assert json.loads(done)["delay_ms"] == [600_000]


def without_if_match(s3):
    """A client as a botocore before 1.35.69 makes it."""
    members = dict(s3.meta.service_model.operation_model("PutObject").input_shape.members)
    del members["IfMatch"]
    operation = SimpleNamespace(input_shape=SimpleNamespace(members=members))
    model = SimpleNamespace(operation_model=lambda _name: operation)
    return SimpleNamespace(meta=SimpleNamespace(service_model=model))


def test_a_botocore_that_cannot_write_on_condition_is_told_of_at_the_start_with_its_version(s3):
    check_sdk(s3)
    with pytest.raises(OldSdk, match=rf"botocore {botocore.__version__} .*1\.35\.69"):
        check_sdk(without_if_match(s3))


def test_a_new_container_logs_the_version_of_its_sdk(dynamodb, monkeypatch, capsys):
    for name, value in {"TABLE_NAME": TABLE, "BUCKET": BUCKET}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    publish_transcript.service.__wrapped__()
    gc.unfreeze()
    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert line == {"level": "INFO", "event": "started", "botocore": botocore.__version__}


class Broker:
    """A client of iot-data: keeps what is published, and may fail."""

    def __init__(self, fails=lambda _topic: False, before=lambda: None):
        self.published = []
        self._fails = fails
        self._before = before

    def publish(self, topic, qos, payload):
        self._before()
        if self._fails(topic):
            error = {"Code": "ServiceUnavailableException", "Message": "as the test wants"}
            raise ClientError({"Error": error}, "Publish")
        self.published.append((topic, qos, json.loads(payload)))

    @property
    def topics(self):
        return [topic for topic, _, _ in self.published]


PUSHING = SETTINGS._replace(push_endpoint=HOST, push_topics="Tea/channel/*")


def pushing(dynamodb, s3, broker, each=map):
    """A container of a chat with push."""
    return connected(PUSHING, dynamodb, s3, lambda: NOW_S, each, broker)


def test_a_new_message_is_pushed_to_its_channel_s_topic(dynamodb, s3, store):
    broker = Broker()
    rows = [row(moment(0), "1"), row(moment(1), "2")]
    store(*rows)
    assert run(pushing(dynamodb, s3, broker), inserted(rows[1])) == DONE
    ((topic, qos, content),) = broker.published
    assert (topic, qos) == ("Tea/channel/default", 0)
    assert content == {
        "channel": "default",
        "generated_at": moment(0),
        "after": rows[0]["id"]["S"],
        "messages": published(s3)["messages"][1:],
    }


def test_each_channel_of_a_batch_is_pushed_once(dynamodb, s3, store):
    rows = [row(moment(n), str(n), channel=name) for n in range(5) for name in ("a", "b", "c")]
    store(*rows)
    broker = Broker()
    with ThreadPoolExecutor(8) as pool:
        run(pushing(dynamodb, s3, broker, pool.map), *map(inserted, rows))
    assert sorted(broker.topics) == [f"Tea/channel/{name}" for name in ("a", "b", "c")]


def test_a_push_follows_its_transcript(dynamodb, s3, store):
    seen = []
    store(row())
    broker = Broker(before=lambda: seen.append(texts(s3)))
    run(pushing(dynamodb, s3, broker), inserted(row()))
    assert seen == [["text 1"]]


def test_a_channel_whose_transcript_was_not_written_is_not_pushed_until_it_is(dynamodb, s3, store):
    rows = [row(), row(channel="tea")]
    store(*rows)
    broker = Broker()
    service = pushing(dynamodb, s3, broker)
    answer_with(s3, "PutObject", "SlowDown", 503, times=1, when=for_channel("tea"))
    run(service, inserted(rows[0], "101"), inserted(rows[1], "102"))
    assert broker.topics == ["Tea/channel/default"]
    run(service, inserted(rows[1], "102"))
    assert broker.topics == ["Tea/channel/default", "Tea/channel/tea"]


def test_a_batch_that_is_sent_again_is_pushed_again(dynamodb, s3, store):
    store(row())
    broker = Broker()
    service = pushing(dynamodb, s3, broker)
    for _ in range(2):
        run(service, inserted(row()))
    first, second = broker.published
    assert first == second


def test_a_failing_push_is_logged_and_counted_and_fails_nothing(dynamodb, s3, store, capsys):
    rows = [row(), row(channel="tea")]
    store(*rows)
    broker = Broker(fails=lambda topic: topic.endswith("/tea"))
    assert run(pushing(dynamodb, s3, broker), *map(inserted, rows)) == DONE
    assert texts(s3) == texts(s3, "tea") == ["text 1"]
    assert broker.topics == ["Tea/channel/default"]
    first, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "level": "WARN",
        "event": "unpushed",
        "request_id": "request-1",
        "channel": "tea",
        "error": "ServiceUnavailableException",
    }
    assert (done["unpushed"], done["published"], done["failed"]) == (1, 2, 0)
    metrics = done["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert {"Name": "unpushed", "Unit": "Count"} in metrics


def test_all_pushes_may_fail(dynamodb, s3, store):
    store(row())
    assert run(pushing(dynamodb, s3, Broker(fails=lambda _topic: True)), inserted(row())) == DONE
    assert texts(s3) == ["text 1"]


@pytest.mark.parametrize("push", [True, False])
def test_pushes_are_counted_only_with_push(dynamodb, s3, service, store, capsys, push):
    store(row())
    run(pushing(dynamodb, s3, Broker()) if push else service, inserted(row()))
    done = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert done.get("unpushed") == (0 if push else None)


def test_a_push_reads_and_writes_nothing_more(dynamodb, s3, store):
    rows = [row(moment(n), str(n)) for n in range(50)]
    store(*rows)
    broker = Broker()
    service = pushing(dynamodb, s3, broker)
    run(service, inserted(rows[0]))
    calls = calls_of(dynamodb, s3)
    run(service, *map(inserted, rows))
    assert sorted(calls) == ["PutObject", "PutObject", "Query"]
    assert len(broker.published) == 2


def test_a_container_makes_a_client_of_iot_only_with_push(container, monkeypatch):
    loaded = []
    load = aws_clients._PlainFiles.load_file
    monkeypatch.setattr(
        aws_clients._PlainFiles,
        "load_file",
        lambda self, path: loaded.append(path) or load(self, path),
    )
    assert container().topics is None
    assert not [path for path in loaded if "iot" in path]
    assert [path for path in loaded if "s3" in path]
    container.cache_clear()
    monkeypatch.setenv("PUSH_ENDPOINT", HOST)
    monkeypatch.setenv("PUSH_TOPICS", "Tea/channel/*")
    assert container().topics._iot.meta.endpoint_url == f"https://{HOST}"
    assert [path for path in loaded if "iot-data" in path]
    gc.unfreeze()
