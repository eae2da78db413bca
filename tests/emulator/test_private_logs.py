"""No log contains private data after messages, refusals and forgeries."""

import json
import time
import uuid
from functools import partial
from pathlib import Path

import pytest

from local.testkit.events import id_token
from tests.support.chat.people import Page, rows
from tests.support.chat.privileges import FUNCTIONS
from tests.support.repo.secrets import leaks
from tests.support.waiting import wait_for

SECRET = f"private-{uuid.uuid4().hex}"
# the emulator logs each published message so; AWS keeps no such log
QUOTED = "[sns] SNS publish to "
CHANNEL = f"logs-{uuid.uuid4().hex[:12]}"
BODIES = (
    {"message": SECRET, "channel": CHANNEL},
    {"message": SECRET * 200},
    {"message": SECRET, "channel": f"No {SECRET}"},
    {"message": SECRET, "client_id": f"<{SECRET}>"},
    {"message": [SECRET]},
    {"message": " "},
)


@pytest.fixture(scope="module")
def logs(chat):
    """All logs, by name, after both functions have handled every kind of private data."""
    emulator = Path(chat.env["LAMBDA_CHAT_CONFIG"]).with_name("emulator.log")
    began = emulator.stat().st_size
    lines = partial(_lines, chat, round(time.time() * 1000))
    page = Page(chat, f"Ada {SECRET}", sub=f"sub-{SECRET}")
    other = chat.token(f"Eve {SECRET}", aud="9-other.apps.googleusercontent.com")
    forged = id_token(name=SECRET, email=f"{SECRET}@example.com", iss="https://evil.example")
    for body in BODIES:
        page.send(**body)
    page.send(forged, message=SECRET)
    page.send(SECRET, message=SECRET)
    page.send(other, message=SECRET)
    before = skipped(lines("publish-transcript"))
    dynamodb = chat.client("dynamodb")
    broken = {"channel": {"S": f"No {SECRET}"}, "id": {"S": SECRET}, "message": {"S": SECRET}}
    dynamodb.put_item(TableName=chat.config.dynamodb_table, Item=broken)
    bad = set(page.message_ids[1:])  # all but the first message, which is stored

    def everything():
        found = {name: lines(name) for name in FUNCTIONS}
        told = all(any(one in line for line in found["store-message"]) for one in bad)
        done = told and skipped(found["publish-transcript"]) > before
        return found if done and rows(chat, CHANNEL) else None

    found = {name: "\n".join(all_) for name, all_ in wait_for(everything).items()}
    with emulator.open("rb") as log:
        log.seek(began)
        written = log.read().decode(errors="replace").splitlines()
    found["the emulator"] = "\n".join(line for line in written if QUOTED not in line)
    return found | {"tokens": [page.token, other, forged], "bad": bad}


def skipped(log):
    return sum("malformed_record" in line for line in log)


def _lines(chat, since_ms, function):
    group = f"/aws/lambda/{chat.config.stack_name}-{function}"
    paginator = chat.client("logs").get_paginator("filter_log_events")
    pages = paginator.paginate(logGroupName=group, startTime=since_ms)
    return [event["message"] for page in pages for event in page["events"]]


@pytest.mark.parametrize("where", [*FUNCTIONS, "the emulator"])
def test_a_log_holds_no_token_address_name_or_text(logs, where):
    assert len(logs[where]) > 100
    assert leaks(logs[where], SECRET, *logs["tokens"]) == []


def test_the_log_tells_the_reasons_instead(logs):
    entries = [line for line in logs["store-message"].splitlines() if '"reason"' in line]
    told = {one["message_id"]: one["reason"] for one in map(json.loads, entries)}
    assert {told[one] for one in logs["bad"]} == {
        "bad_channel",
        "bad_client_id",
        "empty_message",
        "foreign_token",
        "malformed_message",
        "malformed_token",
        "message_too_long",
        "refused_token",
    }
