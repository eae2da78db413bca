"""Edits and deletes: who may make them, until when, and that no old text stays."""

import pytest

from local.testkit.events import operator_record, sns_record
from store_message import NotStored
from tests.support.builders import TABLE, answer_with, calls_of, moment, row
from tests.support.chat.store import counts
from transactions import TRIES

SENT = f"{moment(0)}#c1"


def change(function, action, number=2, at_s=60.0, sub=None, **body):
    """A change of the message SENT, some seconds after it."""
    text = {"message": f"text {number}"} if action == "edit" else {}
    body = {"action": action, "id": SENT, "client_id": f"c{number}", **text, **body}
    claims = {"sub": sub} if sub else {}
    return sns_record(body, function.token(**claims), Timestamp=moment(at_s))


def texts(function):
    return [item["message"]["S"] for item in function.items() if "message" in item]


@pytest.fixture
def stored(function):
    """The function, with Ada's message in the table."""
    function.store(function.message(message="Helo"))
    return function


def test_an_edit_changes_the_row_and_tells_of_it(stored):
    before = stored.item(SENT)
    assert stored.store(change(stored, "edit", message="Hello")) == counts(changed=1)
    at = moment(60)
    assert stored.item(SENT) == before | {
        "message": {"S": "Hello"},
        "edited_at": {"S": at},
        "changed_by": {"S": f"~{at}#c2"},
    }
    assert stored.item(f"~{at}#c2") == {
        "channel": {"S": "default"},
        "id": {"S": f"~{at}#c2"},
        "kind": {"S": "edit"},
        "target": {"S": SENT},
        "user": before["user"],
        "client_id": {"S": "c2"},
        "sent_at": {"S": at},
    }


def test_a_delete_leaves_who_and_when_but_no_text(stored):
    before = stored.item(SENT)
    assert stored.store(change(stored, "delete", message="a last word")) == counts(changed=1)
    at = moment(60)
    del before["message"]
    assert stored.item(SENT) == before | {
        "deleted_at": {"S": at},
        "changed_by": {"S": f"~{at}#c2"},
    }
    assert stored.item(f"~{at}#c2")["kind"] == {"S": "delete"}
    assert texts(stored) == []


@pytest.mark.parametrize("last", ["edit", "delete"])
def test_no_text_stays_that_was_edited_or_deleted(stored, last):
    stored.store(*[change(stored, "edit", n, at_s=n) for n in (2, 3, 4)])
    stored.store(change(stored, last, 5, at_s=5))
    assert set(texts(stored)) == ({"text 5"} if last == "edit" else set())
    assert len(stored.items()) == 2


def test_a_change_lives_as_long_as_a_message(function):
    function.set_up(retention_days=1)
    function.store(function.message(message="Helo"), change(function, "delete"))
    ends = [int(item["expires_at"]["N"]) for item in function.items()]
    assert sorted(ends) == [int(function.now_s) + 86_400, int(function.now_s) + 86_460]


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_a_second_delivery_of_a_change_is_a_duplicate(stored, action):
    record = change(stored, action)
    stored.store(record)
    before = stored.items()
    assert stored.store(record, record) == counts(duplicate=2)
    assert stored.items() == before


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_a_change_of_the_moment_and_the_client_id_of_its_target_is_made(stored, action):
    assert stored.store(change(stored, action, 1, at_s=0)) == counts(changed=1)
    assert stored.item(SENT)["changed_by"] == {"S": f"~{SENT}"}


def test_a_change_that_comes_late_is_told_of_where_it_is_stored_once(stored):
    record = change(stored, "edit", 2, at_s=1)
    stored.now_s += 60
    assert stored.store(record) == counts(changed=1)
    stored.now_s += 60
    assert stored.store(record) == counts(duplicate=1)
    assert stored.item(SENT)["edited_at"] == {"S": moment(1)}
    assert stored.item(SENT)["changed_by"] == {"S": f"~{moment(60)}#c2"}
    assert len(stored.items()) == 2


def test_of_edits_the_last_sent_stands_and_is_told_of_last_however_late_they_come(stored):
    first, second, third = (change(stored, "edit", n, at_s=58 + n) for n in (0, 1, 2))
    stored.now_s += 63  # the first is late, and stands where it is stored
    last = ""
    for record in (first, third, second, third):
        stored.store(record)
        now = stored.item(SENT)["changed_by"]["S"]
        assert now >= last
        last = now
    assert stored.item(SENT)["message"] == {"S": "text 2"}
    assert last.endswith("#c2")


def test_a_row_that_an_earlier_version_changed_can_be_changed_again(stored):
    old = row(moment(60), "c2", kind="edit", target=SENT, message="old edit", name=None)
    stored.dynamodb.put_item(TableName=TABLE, Item=old)
    message = stored.item(SENT)
    message |= {"changed_by": old["id"], "edited_at": old["sent_at"], "message": old["message"]}
    stored.dynamodb.put_item(TableName=TABLE, Item=message)
    older, again = change(stored, "edit", 3, at_s=50), change(stored, "edit", 2, at_s=60)
    assert stored.store(older, again) == counts(duplicate=2)
    assert stored.store(change(stored, "edit", 4, at_s=70)) == counts(changed=1)
    assert texts(stored) == ["text 4"]
    assert {item["id"]["S"] for item in stored.items()} == {SENT, f"~{moment(70)}#c4"}


def test_edits_out_of_order_end_at_the_newest(stored):
    older, newer = (change(stored, "edit", n, at_s=n) for n in (2, 3))
    assert stored.store(newer, older, newer) == counts(changed=1, duplicate=2)
    assert stored.item(SENT)["message"] == {"S": "text 3"}


def test_a_delete_is_final_though_a_later_edit_came_before_it(stored, refusals):
    delete, edit = change(stored, "delete", 2, at_s=2), change(stored, "edit", 3, at_s=3)
    assert stored.store(edit, delete) == counts(changed=2)
    assert stored.store(delete) == counts(duplicate=1)
    assert stored.store(change(stored, "edit", 4, at_s=4)) == counts(refused=1)
    assert refusals() == ["already_deleted"]
    assert texts(stored) == []


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_nobody_changes_what_another_wrote(stored, refusals, action):
    before = stored.items()
    assert stored.store(change(stored, action, sub="220")) == counts(refused=1)
    assert refusals() == ["not_yours"]
    assert stored.items() == before


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_a_sender_may_change_for_fifteen_minutes(stored, refusals, action):
    assert stored.store(change(stored, action, 2, at_s=900.001)) == counts(refused=1)
    assert refusals() == ["too_late"]
    assert stored.store(change(stored, action, 3, at_s=900)) == counts(changed=1)


def test_a_change_sent_in_time_may_arrive_late(stored):
    record = change(stored, "edit", at_s=800)
    stored.now_s += 3000
    assert stored.store(record) == counts(changed=1)


def test_an_operator_deletes_whatever_its_age(stored):
    stored.now_s += 86_400 * 30
    body = {"action": "delete", "id": SENT, "channel": "default"}
    assert stored.store(operator_record(body)) == counts(changed=1)
    assert texts(stored) == []


def test_an_operator_deletes_what_another_edit_left(stored):
    stored.store(change(stored, "edit"))
    stored.now_s += 120
    stored.store(operator_record({"action": "delete", "id": SENT}))
    assert texts(stored) == []
    assert len(stored.items()) == 2


def test_an_operator_deletes_an_announcement_and_nobody_else_does(function, refusals):
    function.store(operator_record({"message": "Noon", "client_id": "c1"}))
    assert function.store(change(function, "delete")) == counts(refused=1)
    assert refusals() == ["not_yours"]
    assert function.store(operator_record({"action": "delete", "id": SENT})) == counts(changed=1)


def test_an_operator_edits_nothing(stored, refusals):
    body = {"action": "edit", "id": SENT, "message": "words put into a mouth"}
    assert stored.store(operator_record(body)) == counts(refused=1)
    assert refusals() == ["unknown_action"]


@pytest.mark.parametrize(
    "body",
    [
        {"id": f"{moment(0)}#other"},
        {"id": f"{moment(1)}#c1"},
        {"channel": "elsewhere"},
    ],
)
def test_what_is_not_there_cannot_be_changed(stored, refusals, body):
    before = stored.items()
    assert stored.store(change(stored, "delete", **body)) == counts(refused=1)
    assert refusals() == ["not_found"]
    assert stored.items() == before


def test_a_change_is_no_message_that_can_be_changed(stored, refusals):
    stored.store(change(stored, "edit"))
    again = change(stored, "delete", 3, at_s=70, id=f"{moment(60)}#c2")
    assert stored.store(again) == counts(refused=1)
    assert refusals() == ["not_found"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"id": None}, "bad_id"),
        ({"id": ["x"]}, "bad_id"),
        ({"id": ""}, "bad_id"),
        ({"id": "c1"}, "bad_id"),
        ({"id": f"{moment(0)}#c1\n"}, "bad_id"),
        ({"id": f"{moment(0)}#a#b"}, "bad_id"),
        ({"id": "2026-13-01T12:00:00.000Z#c1"}, "bad_id"),
        ({"id": "2026-01-01T99:00:00.000Z#c1"}, "bad_id"),
        ({"channel": "../x"}, "bad_channel"),
        ({"channel": "channels"}, "reserved_channel"),
        ({"client_id": "a b"}, "bad_client_id"),
        ({"message": None}, "malformed_message"),
        ({"message": " "}, "empty_message"),
        ({"message": "x" * 2001}, "message_too_long"),
    ],
)
def test_a_malformed_edit_is_refused_before_anybody_is_asked(stored, refusals, body, reason):
    calls = calls_of(stored.dynamodb, stored.sts)
    assert stored.store(change(stored, "edit", **body)) == counts(refused=1)
    assert refusals() == [reason]
    assert calls == []


def test_changes_count_at_the_senders_rate_and_refused_ones_change_nothing(stored, refusals):
    stored.store(*[change(stored, "edit", n, at_s=60 + n / 100) for n in range(10, 20)])
    before = stored.items()
    assert stored.store(change(stored, "delete", 20, at_s=61)) == counts(refused=1)
    assert refusals() == ["too_fast"]
    assert stored.items() == before


def test_who_is_blocked_changes_nothing(stored, refusals):
    user = stored.item(SENT)["user"]["S"]
    stored.store(operator_record({"action": "block", "user": user}))
    assert stored.store(change(stored, "edit")) == counts(refused=1)
    assert refusals() == ["blocked"]


def test_a_change_costs_one_read_and_one_write(stored):
    stored.store(change(stored, "edit"))
    token = stored.token()
    stored.store(sns_record({"message": "x", "client_id": "warm"}, token))
    calls = calls_of(stored.dynamodb, stored.sts)
    body = {"action": "delete", "id": SENT, "client_id": "c9"}
    stored.store(sns_record(body, token, Timestamp=moment(70)))
    assert calls == ["GetItem", "TransactWriteItems"]


def interfere(function, record, times):
    """Let another container make a change between this one's read and its write."""
    left = [times]

    def before(**_):
        if left[0]:
            left[0] -= 1
            by = {"S": f"{moment(1)}#race{left[0]}"}
            function.dynamodb.update_item(
                TableName=TABLE,
                Key={"channel": {"S": "default"}, "id": {"S": SENT}},
                UpdateExpression="SET changed_by = :by",
                ExpressionAttributeValues={":by": by},
            )

    function.dynamodb.meta.events.register("before-call.dynamodb.TransactWriteItems", before)
    return function.store(record)


def test_a_change_that_another_one_overtook_is_made_after_it(stored):
    assert interfere(stored, change(stored, "edit"), times=2) == counts(changed=1)
    assert stored.item(SENT)["message"] == {"S": "text 2"}


def test_a_change_that_is_overtaken_again_and_again_is_raised(stored):
    record = change(stored, "edit")
    with pytest.raises(NotStored):
        interfere(stored, record, times=3)
    assert stored.item(SENT)["message"] == {"S": "Helo"}
    assert stored.store(record) == counts(changed=1)


@pytest.mark.parametrize("operation", ["GetItem", "TransactWriteItems"])
def test_a_change_that_aws_fails_is_raised_and_made_by_the_next_try(stored, operation):
    answer_with(stored.dynamodb, operation, "InternalServerError", 500, times=TRIES)
    record = change(stored, "delete")
    with pytest.raises(NotStored):
        stored.store(record)
    assert texts(stored) == ["Helo"]
    assert stored.store(record) == counts(changed=1)


def test_a_row_that_its_retention_took_cannot_be_changed(stored, refusals):
    stored.dynamodb.delete_item(
        TableName=TABLE, Key={"channel": {"S": "default"}, "id": {"S": SENT}}
    )
    assert stored.store(change(stored, "edit")) == counts(refused=1)
    assert refusals() == ["not_found"]
    assert stored.items() == []


def test_a_row_that_store_message_did_not_write_cannot_be_changed(function, refusals):
    function.dynamodb.put_item(TableName=TABLE, Item=row(moment(0), "c1", kind=""))
    assert function.store(change(function, "delete")) == counts(refused=1)
    assert refusals() == ["not_found"]
