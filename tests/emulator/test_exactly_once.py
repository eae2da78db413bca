"""A message that is delivered twice is one row and one line.

test_activity.py tests that racing publishers never replace a transcript by an older one.
"""

import json
import time
import uuid

import pytest

from local.testkit.events import sns_record
from tests.support.builders import moment, row
from tests.support.chat.people import Page, rows
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def ada(chat):
    return Page(chat, "Ada Lovelace")


@pytest.fixture
def room():
    return f"test-{uuid.uuid4().hex[:12]}"


def invoke(chat, function, *records):
    """Deliver records to a deployed function and wait for its answer."""
    answer = chat.client("lambda").invoke(
        FunctionName=f"{chat.config.stack_name}-{function}",
        Payload=json.dumps({"Records": records}),
    )
    content = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, content
    return content


def shown(chat, room):
    """Return the texts in a channel's transcript; [] without a transcript."""
    config, s3 = chat.config, chat.client("s3")
    key = f"{config.data_prefix}{room}.json"
    try:
        found = s3.get_object(Bucket=config.s3_bucket, Key=key)
    except s3.exceptions.NoSuchKey:
        return []
    return [one["message"] for one in json.loads(found["Body"].read())["messages"]]


def test_a_notification_that_is_delivered_twice_is_one_row_and_one_line(chat, ada, room):
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    body = {"message": "once", "channel": room}
    record = sns_record(body, ada.token, MessageId=str(uuid.uuid4()), Timestamp=now)
    first = invoke(chat, "store-message", record)
    wait_for(lambda: shown(chat, room))
    second = invoke(chat, "store-message", record)
    assert (first["stored"], second["stored"], second["duplicate"]) == (1, 0, 1)
    wait_until_published(chat, ada, room)
    assert [one["message"] for one in rows(chat, room)] == ["once", "after"]
    assert shown(chat, room) == ["once", "after"]


def test_a_message_that_its_page_sends_twice_is_one_row_and_one_line(chat, ada, room):
    body = {"message": "once", "channel": room, "client_id": "0-once"}
    ada.send(**body)
    wait_for(lambda: shown(chat, room))
    time.sleep(1.1)  # the emulator's SNS has times in whole seconds: this gives another one
    ada.send(**body)
    assert sent_again(chat, ada, body)["duplicate"] == 1
    wait_until_published(chat, ada, room)
    assert [one["message"] for one in rows(chat, room)] == ["once", "after"]
    assert shown(chat, room) == ["once", "after"]


def test_a_deleted_text_stays_deleted_when_its_page_sends_it_again(chat, ada, room):
    body = {"message": "regretted", "channel": room, "client_id": "0-once"}
    ada.send(**body)
    (row_id,) = [one["id"] for one in wait_for(lambda: rows(chat, room))]
    ada.send(action="delete", channel=room, id=row_id)
    wait_for(lambda: len(rows(chat, room)) == 2)
    assert sent_again(chat, ada, body)["duplicate"] == 1
    wait_until_published(chat, ada, room)
    texts = [one["message"] for one in rows(chat, room) if "message" in one]
    assert (texts, shown(chat, room)) == (["after"], ["", "after"])


def sent_again(chat, ada, body):
    """Give the function SNS's record of a message that is sent again a minute later."""
    later = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 60))
    record = sns_record(body, ada.token, MessageId=str(uuid.uuid4()), Timestamp=later)
    return invoke(chat, "store-message", record)


def wait_until_published(chat, ada, room):
    """Wait for another message, so that all earlier ones have arrived."""
    ada.send(message="after", channel=room, client_id="z-after")
    wait_for(lambda: "after" in shown(chat, room))


def test_a_batch_that_is_given_twice_leaves_one_line(chat, room):
    one = row(moment(0), "1", channel=room)
    chat.client("dynamodb").put_item(TableName=chat.config.dynamodb_table, Item=one)
    wait_for(lambda: shown(chat, room))
    change = {"Keys": {key: one[key] for key in ("channel", "id")}, "NewImage": one}
    record = {"eventName": "INSERT", "dynamodb": change | {"SequenceNumber": "100"}}
    for _ in range(2):
        assert invoke(chat, "publish-transcript", record) == {"batchItemFailures": []}
    assert len(rows(chat, room)) == 1
    assert shown(chat, room) == ["text 1"]
