"""What replay.py makes of the records that FailuresTopic gets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.testkit.events import ACCOUNT, id_token, operator_record, sns_record
from tests.support.builders import NOW_S, failed_invocation

SCRIPT = Path("lambda/sns/replay.py")
NAME = "Lambda-Chat-store-message"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}"


def live(**changes):
    return sns_record(None, id_token(exp=int(NOW_S) + 60), **changes)


def wrapped(record):
    """What a queue gets that is subscribed without raw delivery."""
    return json.dumps({"Type": "Notification", "MessageId": "1", "Message": json.dumps(record)})


def reason(replay, text):
    with pytest.raises(replay.NotReplayed) as left:
        replay.read_event(text, FUNCTION, NOW_S)
    return str(left.value)


@pytest.mark.parametrize("form", [json.dumps, wrapped])
def test_the_event_is_the_one_that_sns_sent(replay, form):
    event = replay.read_event(form(failed_invocation(live())), FUNCTION, NOW_S)
    assert event == {"Records": [live()]}


def test_a_token_that_ended_is_left_and_said_when(replay):
    ended = sns_record(None, id_token(exp=int(NOW_S)))
    why = reason(replay, json.dumps(failed_invocation(ended)))
    assert why == "its token expired at 2026-01-01 12:00:00 UTC: nothing proves its sender"


@pytest.mark.parametrize("token", [None, "x", "a.b.c", id_token(exp="soon"), id_token(exp=2**60)])
def test_what_the_token_does_not_tell_is_left_to_the_function(replay, token):
    text = json.dumps(failed_invocation(sns_record(None, token)))
    assert replay.read_event(text, FUNCTION, NOW_S)["Records"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a record"),
        ("{", "not a record"),
        ("[]", "not a record"),
        ("{}", "not a record"),
        ('{"Type": "Notification"}', "not a record"),
        (json.dumps({"requestContext": {"functionArn": 5}}), "not a record"),
        (json.dumps(failed_invocation(requestPayload=None)), "too large for SNS"),
        (
            json.dumps(failed_invocation(DDBStreamBatchInfo={"shardId": "1"})),
            "run lambda/dynamodb/republish.py",
        ),
        (json.dumps(failed_invocation(requestPayload={"Records": []})), "too large for SNS"),
    ],
)
def test_what_cannot_be_replayed_is_left_with_its_reason(replay, text, why):
    assert why in reason(replay, text)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (NAME, "Lambda-Chat-publish-transcript"),
        (ACCOUNT, "999999999999"),
        ("us-east-1", "eu-west-1"),
        ("arn:aws:lambda", "arn:aws:iam"),
        (":function:", ":layer:"),
    ],
)
@pytest.mark.parametrize("operator", [True, False])
def test_a_record_of_another_function_or_account_is_left(replay, ours, theirs, operator):
    text = json.dumps(failed_invocation(live())).replace(ours, theirs)
    with pytest.raises(
        replay.NotReplayed, match=f"^it belongs to .*{theirs}.*, not to {FUNCTION}$"
    ):
        replay.read_event(text, FUNCTION, NOW_S, operator)


@pytest.mark.parametrize("source", ["lambda-chat:operator", "", None, 5, "aws:sqs", ["aws:sns"]])
def test_a_record_that_did_not_come_through_sns_is_left(replay, source):
    forged = operator_record({"action": "block", "user": "0" * 16}) | {"EventSource": source}
    for records in ([forged], [live(), forged]):
        why = reason(replay, json.dumps(failed_invocation(*records)))
        assert why.startswith("it did not come through SNS: an operator's events need --operator")


def test_what_operators_sent_is_replayed_only_when_that_is_said(replay):
    text = json.dumps(failed_invocation(operator_record()))
    assert replay.read_event(text, FUNCTION, NOW_S, True) == {"Records": [operator_record()]}
    other = json.dumps(failed_invocation(operator_record() | {"EventSource": "aws:sqs"}))
    with pytest.raises(replay.NotReplayed, match="did not come through SNS"):
        replay.read_event(other, FUNCTION, NOW_S, True)


def test_a_record_is_named_by_its_ids_alone(replay):
    text = wrapped(failed_invocation(live(MessageId="m1"), live(MessageId="m2")))
    assert replay.name_of(text) == "m1, m2"
    assert replay.name_of(json.dumps(failed_invocation())) == "e4b46cbf-b738-4880-8880-a18cdf61200e"
    assert replay.name_of("junk") == "?"


@given(st.text(max_size=200) | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_any_text_is_left_and_never_raises(replay, text):
    assert reason(replay, text)
    assert replay.name_of(text)


@pytest.mark.parametrize(
    "arguments", [[], ["--queue"], ["--queue=q", "f"], ["f", "g"], ["--force", "f"]]
)
def test_arguments_that_do_not_fit_are_exit_code_2(arguments):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Usage:" in done.stderr


def test_a_missing_file_is_said_in_one_line(tmp_path, monkeypatch):
    config = tmp_path / "config.yml"
    config.write_text(
        "s3_bucket: chat-page\ngoogle_oauth_client_id: 1-a.apps.googleusercontent.com\n"
        "region: us-east-1\n"
    )
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(config))
    arguments = [sys.executable, SCRIPT, str(tmp_path / "none")]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
