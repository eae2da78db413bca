"""Edits, deletes, limits and blocks as the deployed function makes them."""

import uuid
from collections import Counter

import pytest
from botocore.exceptions import ClientError

from tests.support.chat.people import Page, invoke, log_lines, refused, rows
from tests.support.waiting import wait_for


@pytest.fixture
def ada(chat):
    return Page(chat, "Ada Lovelace", sub=uuid.uuid4().hex)


@pytest.fixture
def eve(chat):
    return Page(chat, "Eve", sub=uuid.uuid4().hex)


@pytest.fixture
def room():
    return f"test-{uuid.uuid4().hex[:12]}"


def stored(chat, room, client_id):
    """Wait for a message's row."""
    return wait_for(
        lambda: next((r for r in rows(chat, room) if r.get("client_id") == client_id), None)
    )


def row_of(chat, room, row_id):
    return next((row for row in rows(chat, room) if row["id"] == row_id), None)


def test_a_sender_edits_then_deletes_and_no_text_stays(chat, ada, room):
    sent = stored(chat, room, ada.send(message="Helo", channel=room))
    edit = {"action": "edit", "id": sent["id"], "channel": room, "message": "Hello"}
    ada.send(**edit)
    wait_for(lambda: row_of(chat, room, sent["id"]).get("message") == "Hello")
    told = next(row for row in rows(chat, room) if row["kind"] == "edit")
    assert (told["target"], told["id"][0]) == (sent["id"], "~")
    assert "message" not in told
    ada.send(action="delete", id=sent["id"], channel=room)
    deleted = wait_for(lambda: "deleted_at" in row_of(chat, room, sent["id"]) and rows(chat, room))
    assert not [row for row in deleted if "message" in row]
    assert {row["kind"] for row in deleted} == {"user", "delete"}


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_nobody_changes_another_persons_message(chat, ada, eve, room, action):
    sent = stored(chat, room, ada.send(message="mine", channel=room))
    before = refused(chat).count("not_yours")
    eve.send(action=action, id=sent["id"], channel=room, message="hers")
    wait_for(lambda: refused(chat).count("not_yours") > before)
    assert row_of(chat, room, sent["id"])["message"] == "mine"


def test_an_operator_deletes_a_message(chat, ada, room):
    sent = stored(chat, room, ada.send(message="spam", channel=room))
    answer = invoke(chat, {"action": "delete", "id": sent["id"], "channel": room})
    assert answer == {"stored": 0, "changed": 1, "duplicate": 0, "refused": 0}
    assert "message" not in row_of(chat, room, sent["id"])


def test_whom_an_operator_blocks_writes_no_more(chat, room):
    spammer = Page(chat, "Spammer", sub=f"spammer-{room}")
    user = stored(chat, room, spammer.send(message="spam", channel=room))["user"]
    assert invoke(chat, {"action": "block", "user": user})["changed"] == 1
    before = refused(chat).count("blocked")
    spammer.send(message="more", channel=room)
    wait_for(lambda: refused(chat).count("blocked") > before)
    assert invoke(chat, {"action": "unblock", "user": user})["changed"] == 1
    stored(chat, room, spammer.send(message="better", channel=room))
    assert {row["message"] for row in rows(chat, room)} == {"spam", "better"}


def test_a_flood_is_stored_at_the_rate(chat, room):
    flooder = Page(chat, "Flooder", sub=f"flooder-{room}")
    before = refused(chat).count("too_fast")
    for _ in range(25):
        flooder.send(message="flood", channel=room)
    wait_for(lambda: refused(chat).count("too_fast") > before)
    windows = Counter(row["sent_at"][:18] for row in rows(chat, room))  # without the last second
    assert max(windows.values()) == 10


def test_a_signed_in_person_can_neither_block_nor_write_the_tables(chat, ada, room):
    before = refused(chat).count("unknown_action")
    ada.send(action="block", user="0" * 16, channel=room)
    wait_for(lambda: refused(chat).count("unknown_action") > before)
    with pytest.raises(ClientError, match="AccessDenied"):
        chat.client("dynamodb", **ada.keys).update_item(
            TableName=chat.config.rate_table, Key={"user": {"S": "0" * 16}}
        )


def test_a_stolen_token_speaks_for_its_owner_whoever_publishes(chat, ada, eve, room):
    sent = stored(chat, room, eve.send(token=ada.token, message="as Ada", channel=room))
    assert sent["name"] == "Ada Lovelace"


def test_the_metrics_lines_are_written(chat, ada, room):
    stored(chat, room, ada.send(message="x", channel=room))
    lines = wait_for(lambda: [one for one in log_lines(chat, '"event": "done"') if one["stored"]])
    assert lines[-1]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "LambdaChat"
    assert lines[-1]["function"] == f"{chat.config.stack_name}-store-message"
    assert len(lines[-1]["delay_ms"]) == 1
