"""Both functions at work: from a publish with web-identity credentials to the transcript."""

import json
import uuid
from functools import partial

import pytest
from botocore.exceptions import ClientError

from local.testkit.events import operator_record
from tests.support import waiting
from tests.support.builders import row

wait_for = partial(waiting.wait_for, deadline_s=30.0)


class Page:
    """The browser of a user who has just signed in."""

    def __init__(self, chat, name):
        self.config = chat.config
        # each a different user: the rate limit is per user
        self.token = chat.token(name, sub=uuid.uuid4().hex)
        self.keys = chat.web_identity(self.token)
        self.sns = chat.client("sns", **self.keys)
        self.s3 = chat.client("s3", **self.keys)

    def publish(self, message, token=None, **fields):
        """Publish with the user's token, another one, or none (""); return the client_id."""
        client_id = fields.setdefault("client_id", uuid.uuid4().hex)
        token = self.token if token is None else token
        attributes = {"id_token": {"DataType": "String", "StringValue": token}} if token else {}
        self.sns.publish(
            TopicArn=self.config.sns_topic_arn,
            Message=json.dumps({"message": message, **fields}),
            MessageAttributes=attributes,
        )
        return client_id

    def transcript(self, channel):
        """Read the transcript that the page polls; without one, no messages."""
        key = f"{self.config.data_prefix}{channel}.json"
        try:
            found = self.s3.get_object(Bucket=self.config.s3_bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
                return {"messages": []}
            raise
        return json.loads(found["Body"].read())


@pytest.fixture
def ada(chat):
    return Page(chat, "Ada Lovelace")


@pytest.fixture
def grace(chat):
    return Page(chat, "Grace Hopper")


def message(page, channel, client_id):
    """Wait until a transcript shows the message."""

    def shown():
        messages = page.transcript(channel)["messages"]
        return next((one for one in messages if one.get("client_id") == client_id), None)

    return wait_for(shown)


def log_lines(chat, function):
    """The function's log."""
    pages = (
        chat.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{chat.config.stack_name}-{function}")
    )
    return [event["message"].strip() for page in pages for event in page["events"]]


def refused(chat):
    lines = [line for line in log_lines(chat, "store-message") if '"event": "refused"' in line]
    return [json.loads(line)["reason"] for line in lines]


def channel():
    return f"test-{uuid.uuid4().hex[:12]}"


def test_a_published_message_lands_in_the_transcript_of_everybody(ada, grace):
    client_id = ada.publish("Hello, Grace")
    shown = message(grace, "default", client_id)
    assert shown["name"] == "Ada Lovelace"
    assert shown["message"] == "Hello, Grace"
    assert shown["kind"] == "user"
    assert set(shown) - {"picture"} == {
        "id",
        "name",
        "message",
        "user",
        "sent_at",
        "kind",
        "client_id",
    }


def test_two_people_answer_each_other_in_order(ada, grace):
    room = channel()
    for page, text in ((ada, "one"), (grace, "two"), (ada, "three")):
        # The emulator's SNS has times in whole seconds: within one, the client_id sorts.
        page_id = f"{len(ada.transcript(room)['messages'])}-{uuid.uuid4().hex}"
        page.publish(text, channel=room, client_id=page_id)
        message(page, room, page_id)
    messages = ada.transcript(room)["messages"]
    assert [one["message"] for one in messages] == ["one", "two", "three"]
    assert messages[0]["user"] == messages[2]["user"] != messages[1]["user"]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        (None, "no_token"),
        ({"aud": "1-another.apps.googleusercontent.com"}, "refused_token"),
        ({"expires_in_s": -60}, "expired_token"),
    ],
)
def test_a_message_without_a_valid_token_lands_nowhere(chat, ada, claims, reason):
    room = channel()
    before = refused(chat).count(reason)
    ada.publish("forged", chat.token("Eve", **claims) if claims else "", channel=room)
    wait_for(lambda: refused(chat).count(reason) > before)
    found = chat.client("dynamodb").query(
        TableName=chat.config.dynamodb_table,
        KeyConditionExpression="channel = :channel",
        ExpressionAttributeValues={":channel": {"S": room}},
    )
    assert found["Count"] == 0
    assert ada.transcript(room)["messages"] == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"}]} <img src=x onerror=alert(1)>',
        "שלום \u202e \U0001f469\u200d\U0001f680",
        "line\nline",
    ],
)
def test_a_text_arrives_as_it_was_written(ada, text):
    room = channel()
    assert message(ada, room, ada.publish(text, channel=room))["message"] == text


def test_a_name_in_the_message_is_ignored(ada):
    client_id = ada.publish("It is me", name="Grace Hopper", kind="operator")
    shown = message(ada, "default", client_id)
    assert (shown["name"], shown["kind"]) == ("Ada Lovelace", "user")


def test_a_message_published_twice_is_shown_once(ada):
    room = channel()
    first = ada.publish("once", channel=room, client_id="a")
    ada.publish("once", channel=room, client_id=first)
    message(ada, room, ada.publish("after", channel=room, client_id="b"))
    assert [one["message"] for one in ada.transcript(room)["messages"]] == ["once", "after"]


def test_one_batch_publishes_every_channel_that_it_touches(chat, ada):
    rooms = [channel(), channel()]
    rows = [{"PutRequest": {"Item": row(channel=room)}} for room in rooms]
    chat.client("dynamodb").batch_write_item(RequestItems={chat.config.dynamodb_table: rows})
    for room in rooms:
        assert message(ada, room, "1")["message"] == "text 1"
    wait_for(lambda: set(rooms) <= set(ada.transcript("channels").get("channels", [])))


def test_a_deleted_message_leaves_the_transcript(chat, ada):
    room = channel()
    shown = message(ada, room, ada.publish("regretted", channel=room))
    chat.client("dynamodb").delete_item(
        TableName=chat.config.dynamodb_table,
        Key={"channel": {"S": room}, "id": {"S": shown["id"]}},
    )
    wait_for(lambda: ada.transcript(room)["messages"] == [])


def test_a_bad_message_delays_no_good_one(chat, ada):
    room = channel()
    before = refused(chat).count("empty_message")
    ada.publish(" ", channel=room)
    message(ada, room, ada.publish("good", channel=room))
    wait_for(lambda: refused(chat).count("empty_message") > before)


def test_an_operator_announces_by_invoking_the_function(chat, ada):
    room = channel()
    record = operator_record({"message": "Noon", "name": "Janitor", "channel": room})
    chat.client("lambda").invoke(
        FunctionName=f"{chat.config.stack_name}-store-message",
        Payload=json.dumps({"Records": [record]}),
    )
    shown = wait_for(lambda: ada.transcript(room)["messages"])
    assert [(one["name"], one["kind"]) for one in shown] == [("Janitor", "operator")]


@pytest.mark.parametrize("function", ["store-message", "publish-transcript"])
def test_a_signed_in_person_may_not_invoke_a_function(chat, ada, function):
    with pytest.raises(ClientError, match="AccessDenied"):
        chat.client("lambda", **ada.keys).invoke(
            FunctionName=f"{chat.config.stack_name}-{function}", Payload="{}"
        )


def test_the_logs_hold_nothing_personal(chat, ada):
    secret = uuid.uuid4().hex
    message(ada, "default", ada.publish(f"psst {secret}"))
    ada.publish(f"psst {secret}", channel="Not A Channel")
    wait_for(lambda: "bad_channel" in refused(chat))
    lines = log_lines(chat, "store-message") + log_lines(chat, "publish-transcript")
    for private in (secret, ada.token, ada.token.split(".")[1][:40], "Ada", "@"):
        assert not [line for line in lines if private in line]
