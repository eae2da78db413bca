"""Statistics, edits and the order of transcripts, with the real handlers on the emulator."""

import json
import threading
import time
import uuid
from datetime import UTC, datetime
from functools import partial

import pytest
from botocore.exceptions import ClientError

from local.testkit.events import stream_record
from publish_settings import Settings
from publish_transcript import NotPublished, connected, publish
from tests.support import waiting
from tests.support.builders import row

wait_for = partial(waiting.wait_for, deadline_s=30.0)
ROUNDS = 15


class Reader:
    """Reads the data folder as a signed-in user's page does."""

    def __init__(self, chat):
        self._config = chat.config
        self.token = chat.token("Ada Lovelace", sub=uuid.uuid4().hex)
        self.keys = chat.web_identity(self.token)
        self._s3 = chat.client("s3", **self.keys)

    def read(self, name):
        key = f"{self._config.data_prefix}{name}.json"
        try:
            found = self._s3.get_object(Bucket=self._config.s3_bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
                return None
            raise
        return json.loads(found["Body"].read())

    def messages(self, channel):
        return (self.read(channel) or {"messages": []})["messages"]

    def today(self):
        stats = self.read("stats")
        return stats["today"] if stats else {"messages": 0, "people": 0, "channels": {}}


@pytest.fixture(scope="module")
def reader(chat):
    return Reader(chat)


@pytest.fixture
def room():
    return f"test-{uuid.uuid4().hex[:12]}"


def now():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_published_messages_are_counted_by_minute_channel_and_person(chat, reader, room):
    before = reader.today()
    sns = chat.client("sns", **reader.keys)
    for number in range(3):
        body = {"message": "Hello", "channel": room, "client_id": f"{number}"}
        sns.publish(
            TopicArn=chat.config.sns_topic_arn,
            Message=json.dumps(body),
            MessageAttributes={
                "id_token": {"DataType": "String", "StringValue": reader.token},
            },
        )
    wait_for(lambda: reader.today()["channels"].get(room) == 3)
    stats = reader.read("stats")
    assert len(reader.messages(room)) == 3
    # at least: other tests write to the same chat meanwhile
    assert stats["today"]["messages"] >= before["messages"] + 3
    assert stats["today"]["people"] >= before["people"] + 1
    assert len(stats["per_minute"]) == 60
    assert sum(stats["per_minute"][-2:]) >= 3


def test_an_edit_and_a_deletion_reach_the_transcript_and_are_not_counted(chat, reader, room):
    dynamodb, table = chat.client("dynamodb"), chat.config.dynamodb_table
    first, second = (row(now(), client_id, channel=room) for client_id in ("1", "2"))
    for one in (first, second):
        dynamodb.put_item(TableName=table, Item=one)
    wait_for(lambda: reader.today()["channels"].get(room) == 2)
    at = {"S": now()}
    told = [
        row(now(), number, channel=room, kind=kind, target=target["id"]["S"], message=None)
        for number, kind, target in (("3", "edit", first), ("4", "delete", second))
    ]
    edited, deleted = (one | {"id": {"S": f"~{one['id']['S']}"}} for one in told)
    dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": table, "Item": item}}
            for item in (
                first | {"message": {"S": "new"}, "edited_at": at, "changed_by": edited["id"]},
                second | {"deleted_at": at, "changed_by": deleted["id"]},
                edited,
                deleted,
            )
        ]
    )
    wait_for(lambda: "deleted_at" in reader.read(room)["messages"][-1])
    transcript = reader.read(room)
    assert [one["message"] for one in transcript["messages"]] == ["new", ""]
    assert [one["changed_by"] for one in transcript["messages"]] == [
        edited["id"]["S"],
        deleted["id"]["S"],
    ]
    assert (transcript["changes"], transcript["complete"]) == ([], True)
    assert reader.today()["channels"][room] == 2


def test_publishers_that_race_never_put_an_older_transcript_over_a_newer(chat, reader, room):
    config, overtaken, stop = chat.config, [], threading.Event()
    settings = Settings(config.dynamodb_table, config.s3_bucket, config.data_prefix, 20)

    def work(number):
        dynamodb, s3 = chat.client("dynamodb"), chat.client("s3")
        s3.meta.events.register(
            "after-call.s3.PutObject",
            lambda http_response, **_: (
                overtaken.append(number) if http_response.status_code == 412 else None
            ),
        )
        service = connected(settings, dynamodb, s3, time.time)
        for batch in range(ROUNDS):
            item = row(now(), f"{number}-{batch}", channel=room)
            dynamodb.put_item(TableName=config.dynamodb_table, Item=item)
            publish_until_done(service, room)

    seen = []
    watcher = threading.Thread(target=watch, args=(reader, room, seen, stop))
    workers = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in (watcher, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    watcher.join()
    assert overtaken, "the publishers never met: the test proves nothing"
    assert seen == sorted(seen)
    stored = chat.client("dynamodb").query(
        TableName=config.dynamodb_table,
        KeyConditionExpression="channel = :channel",
        ExpressionAttributeValues={":channel": {"S": room}},
        ScanIndexForward=False,
        Limit=20,
    )["Items"]
    assert len(stored) == 20
    wait_for(lambda: {one["id"] for one in reader.messages(room)} >= {x["id"]["S"] for x in stored})


def publish_until_done(service, room):
    """Send a batch until it succeeds, as Lambda does."""
    while True:
        try:
            publish({"Records": [stream_record(room, kind="MODIFY")]}, service, "test")
            return
        except NotPublished:
            pass


def watch(reader, room, seen, stop):
    """Record the newest message of each transcript that a page could have read."""
    while not stop.is_set():
        seen.extend(one["id"] for one in reader.messages(room)[-1:])
