"""republish.py publishes a transcript that lacks messages."""

import json
import subprocess
import sys
import uuid

from tests.support.builders import row
from tests.support.waiting import wait_for


def republish(chat, *arguments):
    return subprocess.run(
        [sys.executable, "lambda/dynamodb/republish.py", *arguments],
        env=chat.env,
        capture_output=True,
        text=True,
        timeout=120,
    )


def transcript(chat, room):
    config = chat.config
    where = {"Bucket": config.s3_bucket, "Key": f"{config.data_prefix}{room}.json"}
    s3 = chat.client("s3")
    try:
        return json.loads(s3.get_object(**where)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return {"messages": []}


def left_behind(chat):
    """Return a channel whose transcript lacks its last message, as after a discarded batch."""
    room = f"test-{uuid.uuid4().hex[:12]}"
    config = chat.config
    put = {"TableName": config.dynamodb_table, "Item": row(channel=room)}
    chat.client("dynamodb").put_item(**put)
    wait_for(lambda: transcript(chat, room)["messages"])
    old = json.dumps({"channel": room, "messages": [], "changes": []})
    key = f"{config.data_prefix}{room}.json"
    chat.client("s3").put_object(Bucket=config.s3_bucket, Key=key, Body=old)
    return room


def test_named_channels_are_published_anew_and_that_may_be_repeated(chat):
    rooms = [left_behind(chat) for _ in range(2)]
    for _ in range(2):
        done = republish(chat, *rooms)
        assert done.stdout.splitlines() == [f"published  {room}" for room in rooms]
        assert (done.returncode, done.stderr) == (0, "2 published, 0 failed.\n")
        for room in rooms:
            assert [one["message"] for one in transcript(chat, room)["messages"]] == ["text 1"]


def test_a_mistyped_channel_is_not_made(chat):
    room, mistyped = left_behind(chat), f"no-{uuid.uuid4().hex[:12]}"
    done = republish(chat, room, mistyped)
    assert done.stdout.splitlines() == [
        f"skipped  {mistyped}: no messages; is it mistyped?",
        f"published  {room}",
    ]
    assert (done.returncode, done.stderr) == (1, "1 published, 0 failed.\n")
    assert mistyped not in transcript(chat, "channels")["channels"]
    keys = chat.client("s3").list_objects_v2(
        Bucket=chat.config.s3_bucket, Prefix=f"{chat.config.data_prefix}{mistyped}"
    )
    assert keys["KeyCount"] == 0


def test_all_listed_channels_are_published_anew(chat):
    room = left_behind(chat)
    listed = wait_for(lambda: room in (names := transcript(chat, "channels")["channels"]) and names)

    def finished():
        """Other tests write to their channels meanwhile: a busy one is published by a next run."""
        done = republish(chat)
        assert f"published  {room}" in done.stdout.splitlines()
        return done.returncode == 0 and done

    done = wait_for(finished)
    assert {f"published  {name}" for name in listed} <= set(done.stdout.splitlines())
    assert [one["message"] for one in transcript(chat, room)["messages"]] == ["text 1"]


def test_a_wrong_profile_is_said(chat):
    done = republish(chat, "--profile=nobody", "default")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody" in done.stderr
    assert "Traceback" not in done.stderr
