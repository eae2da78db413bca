"""Transcripts after floods of deletions, of long texts, of rows from an earlier version."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.builders import row
from tests.support.chat.people import invoke, rows
from tests.support.waiting import wait_for

SPAM = 205
HONEST = 30


@pytest.fixture
def room():
    return f"test-{uuid.uuid4().hex[:12]}"


def transcript(chat, room):
    config = chat.config
    key = f"{config.data_prefix}{room}.json"
    s3 = chat.client("s3")
    try:
        return s3.get_object(Bucket=config.s3_bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return b'{"messages": [], "changes": []}'


def shown(chat, room):
    return json.loads(transcript(chat, room))["messages"]


def put(chat, items):
    """Write rows, 25 at a time."""
    table, client = chat.config.dynamodb_table, chat.client("dynamodb")
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        left = {table: puts}
        while left:
            left = client.batch_write_item(RequestItems=left).get("UnprocessedItems")


def said(room, count, word, minutes_ago, gap_s, **changes):
    """Rows of users who write at this interval, the last of them this long ago."""
    end = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    times = [end - timedelta(seconds=gap_s * (count - number)) for number in range(count)]
    return [
        row(
            f"{time.isoformat(timespec='milliseconds')[:23]}Z",
            f"{word}-{number}",
            channel=room,
            **{"message": f"{word} {number}"} | changes,
        )
        for number, time in enumerate(times)
    ]


def delete_all(chat, room, spam):
    """Delete these rows as an operator."""
    bodies = [{"action": "delete", "id": one["id"]["S"], "channel": room} for one in spam]
    for start in range(0, len(bodies), 50):
        answer = invoke(chat, *bodies[start : start + 50])
        assert answer["changed"] == len(bodies[start : start + 50])


def test_an_operator_deletes_205_lines_of_spam_and_30_honest_messages_stay(chat, room):
    spam = said(room, SPAM, "spam", minutes_ago=9, gap_s=1)
    honest = said(room, HONEST, "honest", minutes_ago=1, gap_s=0.1)
    put(chat, spam + honest)
    delete_all(chat, room, spam)
    wait_for(lambda: len([one for one in rows(chat, room) if "deleted_at" in one]) == SPAM)
    wanted = [f"honest {number}" for number in range(HONEST)]
    wait_for(lambda: len(json.loads(transcript(chat, room))["changes"]) == 100)
    assert [one["message"] for one in shown(chat, room)] == wanted


def test_deleted_lines_that_came_last_crowd_out_no_honest_message(chat, room):
    honest = said(room, HONEST, "honest", minutes_ago=9, gap_s=1)
    spam = said(room, SPAM, "spam", minutes_ago=1, gap_s=1)
    put(chat, honest + spam)
    delete_all(chat, room, spam)
    wait_for(lambda: not [one for one in shown(chat, room) if "spam" in one["message"]])
    texts = [one["message"] for one in shown(chat, room) if one["message"]]
    assert texts == [f"honest {number}" for number in range(HONEST - 20, HONEST)]


def test_changes_that_an_earlier_version_stored_among_the_messages_crowd_none_out(chat, room):
    honest = said(room, HONEST, "honest", minutes_ago=9, gap_s=1)
    changes = [
        one | {"kind": {"S": "edit"}, "target": honest[number % 5]["id"]}
        for number, one in enumerate(said(room, SPAM, "old", minutes_ago=1, gap_s=1))
    ]
    put(chat, changes + honest)
    wanted = [f"honest {number}" for number in range(HONEST - 20, HONEST)]
    wait_for(lambda: [one["message"] for one in shown(chat, room)] == wanted)
    new = said(room, 1, "new", minutes_ago=0, gap_s=0)
    put(chat, new)
    wait_for(lambda: [one["message"] for one in shown(chat, room)] == [*wanted[1:], "new 0"])
    assert invoke(chat, {"action": "delete", "id": new[0]["id"]["S"], "channel": room})["changed"]
    wait_for(lambda: shown(chat, room)[-1]["message"] == "")
    told = json.loads(transcript(chat, room))["changes"]
    assert {one["target"] for one in told} <= {one["id"]["S"] for one in honest}


def test_a_transcript_of_the_longest_texts_is_no_larger_than_256_kb(chat, room):
    long = said(room, 190, "long", minutes_ago=0, gap_s=0.01, message="\U0001f600" * 2_000)
    put(chat, long)
    newest = long[-1]["id"]["S"]
    wait_for(lambda: [one["id"] for one in shown(chat, room)][-1:] == [newest])
    assert 240 * 1024 < len(transcript(chat, room)) <= 256 * 1024
    found = json.loads(transcript(chat, room))
    assert found["complete"] is False
    assert len(found["messages"]) >= 20
