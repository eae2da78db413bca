import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import publish_transcript
from channel_list import ChannelList
from publish_transcript import (
    NotPublished,
    Service,
    Settings,
    handler,
    publish,
    read_settings,
)
from tests.builders import (
    BUCKET,
    NOW_S,
    TABLE,
    answer_with,
    calls_of,
    moment,
    row,
    stream_record,
)

EVENTS = Path(__file__).parents[2] / "data" / "events"
DONE = {"batchItemFailures": []}


@pytest.fixture
def service(dynamodb, s3):
    channels = ChannelList(s3, BUCKET, "data/channels.json", lambda: NOW_S)
    return Service(Settings(TABLE, BUCKET, "data/", 20), dynamodb, s3, channels, lambda: NOW_S)


@pytest.fixture
def store(dynamodb):
    def put(*rows):
        for one in rows:
            dynamodb.put_item(TableName=TABLE, Item=one)

    return put


def run(service, *records):
    return publish({"Records": list(records)}, service, "request-1")


def published(service, name="default"):
    return json.loads(service.s3.get_object(Bucket=BUCKET, Key=f"data/{name}.json")["Body"].read())


def texts(service, name="default"):
    return [message["message"] for message in published(service, name)["messages"]]


def for_channel(name):
    return lambda params: f"/data/{name}.json" in params["url_path"]


def test_a_new_message_is_in_the_transcript(service, store):
    store(row(client_id="1"))
    assert run(service, stream_record()) == DONE
    assert texts(service) == ["text 1"]


def test_a_transcript_is_json_that_browsers_must_ask_for_again(service, store):
    store(row())
    run(service, stream_record())
    head = service.s3.head_object(Bucket=BUCKET, Key="data/default.json")
    assert (head["ContentType"], head["CacheControl"]) == ("application/json", "no-cache")


def test_a_recorded_batch_publishes_every_channel_it_touches(service, store):
    store(row(channel="default"), row(channel="tea-room"))
    batch = json.loads((EVENTS / "stream_batch.json").read_text())
    assert publish(batch, service, "request-1") == DONE
    assert texts(service) == texts(service, "tea-room") == ["text 1"]
    assert published(service, "channels")["channels"] == ["default", "tea-room"]


def test_the_newest_20_are_shown_oldest_first(service, store):
    store(*(row(moment(n * 60), f"{n:02}") for n in range(30)))
    run(service, stream_record())
    assert texts(service) == [f"text {n:02}" for n in range(10, 30)]


def test_a_lively_channel_shows_its_last_5_s(service, store):
    store(*(row(moment(n / 10), f"{n:03}") for n in range(120)))
    calls = calls_of(service.dynamodb)
    run(service, stream_record())
    assert texts(service) == [f"text {n:03}" for n in range(70, 120)]
    assert calls == ["Query", "Query"]


def test_long_messages_do_not_shorten_a_lively_transcript(service, store):
    store(*(row(moment(n / 100), f"{n:03}", message="\U0001f600" * 2000) for n in range(210)))
    run(service, stream_record())
    assert len(texts(service)) == 200


@pytest.mark.parametrize("kind", ["INSERT", "MODIFY", "REMOVE"])
def test_every_kind_of_change_publishes_its_channel(service, store, kind):
    store(row(client_id="left"))
    assert run(service, stream_record(kind=kind)) == DONE
    assert texts(service) == ["text left"]


def test_a_channel_whose_last_message_went_has_an_empty_transcript(service):
    run(service, stream_record(kind="REMOVE"))
    assert published(service)["messages"] == []


def test_a_batch_costs_one_query_and_one_put_a_channel(service, store):
    store(row(channel="default"), row(channel="tea"))
    run(service, stream_record("default"), stream_record("tea"))
    calls = calls_of(service.dynamodb, service.s3)
    batch = [stream_record(name, str(n)) for n in range(50) for name in ("default", "tea")]
    run(service, *batch)
    assert sorted(calls) == ["PutObject", "PutObject", "Query", "Query"]


def test_queries_are_consistent(service):
    sent = []
    service.dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.Query", lambda params, **_: sent.append(dict(params))
    )
    run(service, stream_record())
    assert [query["ConsistentRead"] for query in sent] == [True]


def test_publishing_a_batch_twice_changes_nothing(service, store):
    store(row())
    run(service, stream_record())
    before = published(service)
    run(service, stream_record())
    assert published(service) == before


@pytest.mark.parametrize("operation", ["Query", "PutObject"])
def test_a_failed_batch_is_raised_and_succeeds_when_sent_again(service, store, operation):
    store(row())
    client = service.dynamodb if operation == "Query" else service.s3
    answer_with(client, operation, "InternalError", 500, times=1)
    with pytest.raises(NotPublished):
        run(service, stream_record())
    assert run(service, stream_record()) == DONE
    assert texts(service) == ["text 1"]


def test_a_failed_channel_is_reported_by_its_first_record_and_delays_no_other(service, store):
    store(row(channel="default"), row(channel="tea"), row(channel="coffee"))
    answer_with(service.s3, "PutObject", "SlowDown", 503, when=for_channel("tea"))
    result = run(
        service,
        stream_record("default", "101"),
        stream_record("tea", "102"),
        stream_record("coffee", "103"),
        stream_record("tea", "104"),
    )
    assert result == {"batchItemFailures": [{"itemIdentifier": "102"}]}
    assert texts(service) == texts(service, "coffee") == ["text 1"]
    assert published(service, "channels")["channels"] == ["coffee", "default"]


def test_a_list_that_cannot_be_written_fails_only_what_is_not_in_it(service, store):
    run(service, stream_record("default"))
    answer_with(service.s3, "PutObject", "SlowDown", 503, when=for_channel("channels"))
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
def test_a_malformed_record_is_logged_and_blocks_nothing(service, store, capsys, record):
    store(row())
    assert run(service, record, stream_record()) == DONE
    assert texts(service) == ["text 1"]
    assert json.loads(capsys.readouterr().out.splitlines()[0])["reason"] == "malformed_record"


@pytest.mark.parametrize("event", [None, [], {}, {"Records": None}, {"Records": [None]}])
def test_an_event_without_records_does_nothing(service, event):
    calls = calls_of(service.dynamodb, service.s3)
    assert publish(event, service, "request-1") == DONE
    assert calls == []


@pytest.mark.parametrize("name", ["channels", "stats"])
def test_a_channel_never_overwrites_another_file_of_the_folder(service, name):
    calls = calls_of(service.s3)
    assert run(service, stream_record(name)) == DONE
    assert calls == []


def test_the_shipped_input_publishes_the_default_channel(service, store):
    store(row())
    shipped = json.loads(Path("lambda/dynamodb/input.json").read_text())
    assert publish(shipped, service, "request-1") == DONE
    assert texts(service) == ["text 1"]


def test_no_name_or_text_reaches_the_log(service, store, capsys):
    store(row(message="my secret"), row(channel="tea", message="my secret"))
    answer_with(service.s3, "PutObject", "SlowDown", 503, when=for_channel("tea"))
    run(service, stream_record(), stream_record("tea"), stream_record("my secret"), None)
    written = capsys.readouterr()
    for private in ("my secret", "Ada", "0123456789abcdef"):
        assert private not in written.out + written.err
    lines = [json.loads(line) for line in written.out.splitlines()]
    assert [line["event"] for line in lines] == ["skipped", "skipped", "failed", "done"]
    assert {line["request_id"] for line in lines} == {"request-1"}


def test_a_wrong_environment_is_told_in_one_line():
    with pytest.raises(ValueError, match=r"TABLE_NAME .*BUCKET .*DATA_PREFIX .*HISTORY "):
        read_settings({"DATA_PREFIX": "data", "HISTORY": "201"})


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


def test_the_handler_publishes_as_its_environment_says(container, service, store):
    store(*(row(moment(n * 60), str(n)) for n in range(5)))
    event = {"Records": [stream_record()]}
    assert handler(event, SimpleNamespace(aws_request_id="request-2")) == DONE
    assert texts(service) == ["text 3", "text 4"]


def test_clients_are_made_once_a_container(container):
    assert container() is container()
