"""What the functions' logs tell after messages, refusals and forgeries: nothing about a person."""

import json
import uuid

import pytest

from tests.builders import id_token
from tests.privileges import FUNCTIONS
from tests.secrets import leaks
from tests.store_page import Page, wait_for

SECRET = f"private-{uuid.uuid4().hex}"
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
    """All that both functions have written, once they have seen private things of every kind."""
    page = Page(chat, f"Ada {SECRET}", sub=f"sub-{SECRET}")
    other = chat.token(f"Eve {SECRET}", aud="9-other.apps.googleusercontent.com")
    forged = id_token(name=SECRET, email=f"{SECRET}@example.com", iss="https://evil.example")
    for body in BODIES:
        page.send(**body)
    page.send(forged, message=SECRET)
    page.send(SECRET, message=SECRET)
    page.send(other, message=SECRET)
    dynamodb = chat.client("dynamodb")
    broken = {"channel": {"S": f"No {SECRET}"}, "id": {"S": SECRET}, "message": {"S": SECRET}}
    dynamodb.put_item(TableName=chat.config.dynamodb_table, Item=broken)

    def everything():
        found = {name: "\n".join(lines(chat, name)) for name in FUNCTIONS}
        done = found["store-message"].count('"event": "refused"') >= len(BODIES) - 1 + 3
        return found if done and "malformed_record" in found["publish-transcript"] else None

    return wait_for(everything) | {"tokens": [page.token, other, forged]}


def lines(chat, function):
    pages = (
        chat.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{chat.config.stack_name}-{function}")
    )
    return [event["message"] for page in pages for event in page["events"]]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_log_holds_no_token_address_name_or_text(logs, function):
    assert leaks(logs[function], SECRET, *logs["tokens"]) == []


def test_the_log_tells_the_reasons_instead(logs):
    entries = [line for line in logs["store-message"].splitlines() if '"refused"' in line]
    reasons = {json.loads(line).get("reason") for line in entries if '"reason"' in line}
    assert {"message_too_long", "bad_channel", "bad_client_id", "empty_message"} <= reasons
