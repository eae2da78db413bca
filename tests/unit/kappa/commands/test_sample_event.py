"""Sample events: of which source, and what a function gets of it."""

import base64
import hashlib
import json
from datetime import UTC, datetime

import pytest

from kappa.commands.sample_event import KINDS, make
from kappa.config.model import Url
from kappa.errors import ConfigError
from kappa.sources.all_kinds import KINDS as SERVICES
from tests.support.builders import kappa_config

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
ACCOUNT = "461000000001"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:news"
STREAM = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/clicks"
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/rows/stream/2026-01-01T00:00:00.000"


def made(*sources, word="", body="", url=None, **config):
    function = {"sources": list(sources), "url": url}
    return make(kappa_config(function, **config), word, None, AT, body)


def event_of(*sources, **given):
    return made(*sources, **given).event


def record_of(*sources, **given):
    (record,) = event_of(*sources, **given)["Records"]
    return record


def test_a_queue_sends_a_message():
    record = record_of({"arn": QUEUE})
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", QUEUE)
    assert record["awsRegion"] == "eu-west-1"
    assert json.loads(record["body"]) == {"message": "hello"}
    assert record["attributes"]["SentTimestamp"] == "1767323045678"
    assert "MessageGroupId" not in record["attributes"]


def test_the_body_is_the_senders_and_its_checksum_fits():
    record = record_of({"arn": f"{QUEUE}.fifo"}, body="tea ä")
    assert record["body"] == "tea ä"
    assert record["md5OfBody"] == hashlib.md5("tea ä".encode()).hexdigest()
    assert record["attributes"]["MessageGroupId"] == "1"


def test_a_filter_lets_the_record_through():
    criteria = ['{"body": {"kind": ["tea"]}, "attributes": {"SenderId": ["me"]}}']
    record = record_of({"arn": QUEUE, "filter_criteria": criteria})
    assert json.loads(record["body"]) == {"kind": "tea"}
    assert record["attributes"]["SenderId"] == "me"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_a_topic_sends_a_notification_with_the_attributes_of_its_filter():
    policy = '{"kind": ["tea"], "price": [{"numeric": [">", 3]}], "gone": [{"exists": false}]}'
    record = record_of({"arn": TOPIC, "filter_policy": policy})
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"].startswith(f"{TOPIC}:")
    sns = record["Sns"]
    assert (sns["TopicArn"], sns["Timestamp"]) == (TOPIC, "2026-01-02T03:04:05.678Z")
    assert sns["MessageAttributes"] == {
        "kind": {"Type": "String", "Value": "tea"},
        "price": {"Type": "Number", "Value": "4"},
    }


def test_a_filter_of_the_body_is_about_the_message():
    source = {
        "arn": TOPIC,
        "filter_policy": '{"a": {"b": [1]}}',
        "filter_policy_scope": "MessageBody",
    }
    sns = record_of(source)["Sns"]
    assert (json.loads(sns["Message"]), sns["MessageAttributes"]) == ({"a": {"b": 1}}, {})


def test_a_bucket_notifies_of_a_key_and_an_event_that_the_config_asks_for():
    source = {
        "arn": "arn:aws:s3:::uploads",
        "events": ("s3:ObjectRemoved:*",),
        "key_filters": (_filter("prefix", "in x/"), _filter("suffix", ".jpg")),
    }
    record = record_of(source, region="eu-north-1")
    assert (record["eventName"], record["awsRegion"]) == ("ObjectRemoved:Delete", "eu-north-1")
    s3 = record["s3"]
    assert (s3["bucket"]["name"], s3["bucket"]["arn"]) == ("uploads", "arn:aws:s3:::uploads")
    assert s3["object"]["key"] == "in+x/sample.jpg"
    assert "size" not in s3["object"]


def _filter(kind, value):
    from kappa.config.model import KeyFilter

    return KeyFilter(type=kind, value=value)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("s3:ObjectCreated:*", "ObjectCreated:Put"),
        ("s3:ObjectCreated:Copy", "ObjectCreated:Copy"),
        ("s3:ReducedRedundancyLostObject", "ReducedRedundancyLostObject"),
    ],
)
def test_an_event_of_s3_is_named_as_s3_does(asked, name):
    assert record_of({"arn": "arn:aws:s3:::b", "events": (asked,)})["eventName"] == name


def test_a_stream_sends_base64():
    criteria = ['{"data": {"n": [1]}, "partitionKey": ["p"]}']
    record = record_of({"arn": STREAM, "filter_criteria": criteria})
    assert json.loads(base64.b64decode(record["kinesis"]["data"])) == {"n": 1}
    assert record["kinesis"]["partitionKey"] == "p"
    assert (record["eventSourceARN"], "data" in record) == (STREAM, False)
    text = record_of({"arn": STREAM}, body="tea")["kinesis"]["data"]
    assert base64.b64decode(text) == b"tea"


@pytest.mark.parametrize(
    ("criteria", "images"),
    [
        (None, ["NewImage"]),
        ('{"eventName": ["MODIFY"]}', ["NewImage", "OldImage"]),
        ('{"eventName": ["REMOVE"], "dynamodb": {"OldImage": {"k": {"S": ["v"]}}}}', ["OldImage"]),
    ],
)
def test_a_table_sends_the_images_of_the_change(criteria, images):
    record = record_of({"arn": TABLE, "filter_criteria": (criteria,) if criteria else None})
    change = record["dynamodb"]
    assert sorted(key for key in change if key.endswith("Image")) == images
    assert change[images[-1]]["id"] == change["Keys"]["id"] == {"S": "1"}
    assert record["eventSourceARN"] == TABLE
    if criteria and "OldImage" in criteria:
        assert change["OldImage"]["k"] == {"S": "v"}


def test_a_schedule_sends_its_rule_or_its_own_input():
    source = {"name": "nightly", "schedule": "rate(1 day)"}
    event = event_of(source, {"arn": QUEUE}, word="schedule", region="eu-west-1")
    rule = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/greeter-nightly"
    assert (event["resources"], event["source"]) == ([rule], "aws.events")
    assert (event["detail-type"], event["time"]) == ("Scheduled Event", "2026-01-02T03:04:05Z")
    assert event_of({**source, "input": '{"a": [1]}'}) == {"a": [1]}


def test_a_pattern_matches_the_event_of_its_rule():
    pattern = '{"source": ["my.app"], "detail": {"n": [3]}, "resources": ["arn:x"]}'
    event = event_of({"name": "mine", "pattern": pattern})
    assert (event["source"], event["detail"]) == ("my.app", {"n": 3})
    assert event["resources"] == ["arn:x"]


def test_a_url_gets_a_request_of_format_2():
    event = event_of(url=Url(auth="NONE"), region="eu-west-1")
    context = event["requestContext"]
    assert (event["version"], context["http"]["method"]) == ("2.0", "GET")
    assert context["accountId"] == "anonymous"
    assert event["headers"]["host"] == context["domainName"] == "sample.lambda-url.eu-west-1.on.aws"
    assert "body" not in event
    signed = event_of({"arn": QUEUE}, word="url", url=Url(auth="AWS_IAM"), body="{}")
    assert (signed["body"], signed["requestContext"]["http"]["method"]) == ("{}", "POST")
    assert signed["requestContext"]["authorizer"]["iam"]["accountId"] == ACCOUNT


def test_without_a_kind_it_is_the_only_source_or_an_error_with_the_kinds():
    with pytest.raises(ConfigError, match="no event source, so name a kind") as none:
        made()
    assert none.value.hint == f"Kinds: {', '.join(KINDS)}."
    with pytest.raises(ConfigError, match="several event sources, so name a kind") as several:
        made({"arn": QUEUE}, {"arn": TOPIC}, url=Url(auth="NONE"))
    assert several.value.hint == "Its kinds: sqs, sns, url."


def test_a_source_may_be_named():
    other = f"{QUEUE}-2"
    sample = made({"arn": QUEUE}, {"arn": other}, word="orders-2")
    assert sample.event["Records"][0]["eventSourceARN"] == other
    sample = made({"arn": QUEUE}, {"arn": other}, word="sqs")
    assert sample.event["Records"][0]["eventSourceARN"] == QUEUE
    assert sample.note == (
        "This event is from the first sqs source; name another to use it: orders-2."
    )


@pytest.mark.parametrize("word", KINDS)
def test_a_kind_that_the_config_lacks_is_generic_and_said_so(word):
    sample = made(word=word, region="eu-west-3")
    assert sample.note == f"config.yml has no {word} source, so this is a generic event."
    assert "eu-west-3" in json.dumps(sample.event)


def test_every_kind_of_source_has_a_sample():
    without = {name for name, kind in SERVICES.items() if kind.sample is None}
    assert without == {"kafka", "mq", "rds"}
    assert set(SERVICES) - without - {"events"} == set(KINDS) - {"rule", "schedule", "url"}


def test_a_kind_without_a_sample_is_an_error_that_says_so():
    with pytest.raises(ConfigError, match="kappa has no sample event of mq"):
        made({"arn": "arn:aws:mq:eu-west-1:123456789012:broker:b:b-1", "queues": ["q"]})


def test_what_is_neither_a_kind_nor_a_source_is_an_error():
    with pytest.raises(ConfigError, match="sqss is neither an event source") as caught:
        made({"arn": QUEUE}, word="sqss")
    assert caught.value.hint == "Did you mean `sqs`?"


def test_a_body_is_for_messages_and_requests_only():
    with pytest.raises(ConfigError, match="a sample event of s3 has no body") as caught:
        made(word="s3", body="x")
    assert caught.value.hint == "It is for kinesis, sns, sqs, url."
