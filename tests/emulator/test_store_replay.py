"""Failed events, replayed from a queue that is subscribed to FailuresTopic.

The emulator reports no failed invocation, so the tests publish Lambda's record themselves.
"""

import json
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.testkit.events import sns_record
from tests.support.chat.people import rows
from tests.support.waiting import wait_for

RECORDED = Path(__file__).parents[1] / "data" / "events" / "failed_invocation.json"


@pytest.fixture
def room():
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def queue(chat):
    """A queue subscribed to FailuresTopic, without raw message delivery."""
    topic = chat.config.failures_topic_arn
    sqs, sns = chat.client("sqs"), chat.client("sns")
    url = sqs.create_queue(QueueName=f"failures-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = arn["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy(arn, topic))})
    # batches of the stream, which other tests of this chat let fail, have another condition
    wanted = {"requestContext": {"condition": ["RetriesExhausted"]}}
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicyScope": "MessageBody", "FilterPolicy": json.dumps(wanted)},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    yield url
    sns.unsubscribe(SubscriptionArn=subscription)
    sqs.delete_queue(QueueUrl=url)


def policy(queue_arn, topic_arn):
    """Let only this topic send to the queue, as docs/operations.md shows."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def failed(chat, room, number, token):
    """Publish to FailuresTopic the record of a message of this room that was not stored."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"message": f"text {number}", "channel": room, "client_id": f"c{number}"}
    event = {"Records": [sns_record(body, token, MessageId=f"m{number}", Timestamp=at)]}
    record = json.loads(RECORDED.read_text()) | {"requestPayload": event}
    name = f"{chat.config.stack_name}-store-message"
    text = json.dumps(record).replace("Lambda-Chat-store-message", name)
    text = text.replace(":123456789012:function:", f":{chat.env['AWS_ACCESS_KEY_ID']}:function:")
    chat.client("sns").publish(TopicArn=chat.config.failures_topic_arn, Message=text)
    return text


def replay(chat, *arguments, stdin=""):
    return subprocess.run(
        [sys.executable, "lambda/sns/replay.py", *arguments],
        env=chat.env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )


def waiting(chat, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = chat.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
    return [int(found["Attributes"][name]) for name in names]


def test_a_replay_stores_what_failed_and_empties_the_queue(chat, queue, room):
    token = chat.token("Ada Lovelace", sub=room)
    for number in (1, 2):
        failed(chat, room, number, token)
    wait_for(lambda: waiting(chat, queue) == [2, 0])
    tried = replay(chat, f"--queue={queue}", "--dry-run")
    assert (tried.returncode, rows(chat, room), waiting(chat, queue)) == (0, [], [2, 0])
    done = replay(chat, f"--queue={queue}")
    assert sorted(done.stdout.splitlines()) == ["stored  m1", "stored  m2"]
    assert (done.returncode, done.stderr) == (0, "2 stored, 0 left.\n")
    assert {row["message"] for row in rows(chat, room)} == {"text 1", "text 2"}
    assert waiting(chat, queue) == [0, 0]


def test_a_replay_may_be_repeated(chat, room):
    text = failed(chat, room, 1, chat.token("Ada Lovelace", sub=room))
    first, second = (replay(chat, "-", stdin=f"{text}\n") for _ in range(2))
    assert (first.stdout, second.stdout) == ("stored  m1\n", "duplicate  m1\n")
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(rows(chat, room)) == 1


def test_what_cannot_be_proved_or_is_refused_stays_in_the_queue(chat, queue, room):
    failed(chat, room, 1, chat.token("Ada Lovelace", sub=room, expires_in_s=1))
    failed(chat, room, 2, chat.token("Eve", sub=room, aud="1-another.apps.googleusercontent.com"))
    failed(chat, room, 3, chat.token("Ada Lovelace", sub=room))
    wait_for(lambda: waiting(chat, queue) == [3, 0])
    time.sleep(1.1)
    done = replay(chat, f"--queue={queue}")
    assert done.returncode == 1
    said = sorted(done.stdout.splitlines())
    assert said[0].startswith("left  m1: its token expired at ")
    assert said[1:] == ["left  m2: refused: refused_token", "stored  m3"]
    assert [row["message"] for row in rows(chat, room)] == ["text 3"]
    assert waiting(chat, queue) == [2, 0]


def test_whoever_writes_to_the_queue_becomes_no_operator(chat, queue, room):
    text = failed(chat, room, 1, chat.token("Mallory", sub=room))
    forged = text.replace('"EventSource": "aws:sns"', '"EventSource": "lambda-chat:operator"')
    foreign = text.replace(":function:", ":function:Another-")
    chat.client("sqs").purge_queue(QueueUrl=queue)
    for body in (forged, foreign):
        chat.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
    done = replay(chat, f"--queue={queue}")
    said = sorted(done.stdout.splitlines())
    assert said[0].startswith("left  m1: it belongs to arn:aws:lambda:us-east-1:")
    assert said[1].startswith(
        "left  m1: it did not come through SNS: an operator's events need --operator"
    )
    assert (done.returncode, done.stderr) == (1, "2 left.\n")
    assert rows(chat, room) == []
    assert waiting(chat, queue) == [2, 0]


def test_an_unreachable_queue_is_said_and_nothing_is_lost(chat):
    done = replay(chat, f"--queue={chat.endpoint_url}/{chat.env['AWS_ACCESS_KEY_ID']}/none")
    assert done.returncode == 1
    assert "none" in done.stderr
    assert "Traceback" not in done.stderr
