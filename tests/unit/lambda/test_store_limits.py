"""Who may write, and how fast: the rate, the block list, the allowed addresses."""

import json
from pathlib import Path

import pytest

from local.testkit.events import operator_record, sns_record
from store_message import NotStored
from store_settings import Rate, read_settings
from tests.support.builders import answer_with, calls_of
from tests.support.chat.store import ENVIRON, RATE_TABLE, conflict, counts
from transactions import TRIES


def user_of(function):
    return function.items()[0]["user"]["S"]


def counted(function):
    """The counts of senders; the table holds what was sent with a client_id too."""
    return [row for row in function.items(RATE_TABLE) if "n" in row]


def order(action, user):
    return operator_record({"action": action, "user": user})


def test_the_eleventh_message_of_ten_seconds_is_refused_and_stored_nowhere(function, refusals):
    records = [function.message(n) for n in range(11)]
    assert function.store(*records) == counts(stored=10, refused=1)
    assert refusals() == ["too_fast"]
    assert len(function.items()) == 10


def test_the_next_ten_seconds_are_counted_anew(function):
    function.store(*[function.message(n) for n in range(10)])
    assert function.store(function.message(10, at_s=9.999)) == counts(refused=1)
    assert function.store(function.message(11, at_s=10)) == counts(stored=1)


def test_senders_are_counted_apart(function):
    function.store(*[function.message(n) for n in range(10)])
    assert function.store(function.message(10, sub="2")) == counts(stored=1)


def test_what_waited_for_aws_is_not_taken_for_a_flood(function):
    records = [function.message(n, at_s=-60 * n) for n in range(50)]
    function.set_up(rate=Rate(1, 10))
    assert function.store(*records) == counts(stored=50)


def test_a_second_delivery_is_a_duplicate_however_fast_its_sender_wrote_since(function):
    records = [function.message(n) for n in range(10)]
    function.store(*records)
    assert function.store(*records) == counts(duplicate=10)


def test_a_second_delivery_is_not_counted(function):
    first = function.message(0)
    for _ in range(20):
        function.store(first)
    assert function.store(*[function.message(n) for n in range(1, 10)]) == counts(stored=9)


def test_a_message_that_its_page_sends_again_is_not_counted(function):
    for n in range(20):
        function.store(function.message(0, at_s=n / 10))
    assert function.store(*[function.message(n, at_s=3) for n in range(1, 10)]) == counts(stored=9)


def test_what_could_not_be_stored_is_not_counted(function):
    answer_with(
        function.dynamodb, "TransactWriteItems", "InternalServerError", 500, times=30 * TRIES
    )
    records = [function.message(n) for n in range(10)]
    for _ in range(3):
        with pytest.raises(NotStored):
            function.store(*records)
    assert function.store(*records) == counts(stored=10)


def test_a_count_ends_a_day_after_its_window(function):
    function.store(function.message(0, at_s=13))
    (row,) = counted(function)
    assert row["user"]["S"] == f"{user_of(function)}#{int(function.now_s) + 10}"
    assert row["expires_at"]["N"] == str(int(function.now_s) + 20 + 86_400)


def test_an_operator_has_no_limit(function):
    records = [operator_record({"message": "x", "client_id": f"{n}"}) for n in range(30)]
    assert function.store(*records) == counts(stored=30)
    assert counted(function) == []


def test_no_limit_counts_nothing_but_the_block_holds(function):
    function.set_up(rate=Rate(0, 1))
    assert function.store(*[function.message(n) for n in range(30)]) == counts(stored=30)
    assert counted(function) == []
    function.store(order("block", user_of(function)))
    assert function.store(function.message(31)) == counts(refused=1)


def test_the_rate_and_the_block_cost_no_call_of_their_own(function):
    token = function.token()
    function.store(sns_record(None, token))
    calls = calls_of(function.dynamodb, function.sts)
    function.store(sns_record({"message": "x", "client_id": "2"}, token))
    assert calls == ["TransactWriteItems"]


def test_whom_an_operator_blocks_writes_nothing_until_let_in_again(function, refusals):
    function.store(function.message(0))
    user = user_of(function)
    assert function.store(order("block", user)) == counts(changed=1)
    assert function.store(function.message(1), function.message(2, sub="2")) == counts(
        stored=1, refused=1
    )
    assert refusals() == ["blocked"]
    assert function.store(order("unblock", user)) == counts(changed=1)
    assert function.store(function.message(3)) == counts(stored=1)


def test_a_block_has_no_end_and_leaves_nothing_when_it_is_lifted(function):
    function.store(order("block", "0" * 16), order("block", "0" * 16))
    assert function.items(RATE_TABLE) == [{"user": {"S": "0" * 16}, "blocked": {"BOOL": True}}]
    function.store(order("unblock", "0" * 16))
    end = {"N": str(int(function.now_s))}
    assert function.items(RATE_TABLE) == [{"user": {"S": "0" * 16}, "expires_at": end}]
    function.store(order("block", "0" * 16))
    assert function.items(RATE_TABLE) == [{"user": {"S": "0" * 16}, "blocked": {"BOOL": True}}]


@pytest.mark.parametrize(
    ("shipped", "outcome"), [("input-block.json", "changed"), ("input-delete.json", "refused")]
)
def test_the_shipped_orders_are_read(function, refusals, shipped, outcome):
    event = json.loads(Path("lambda/sns", shipped).read_text())
    assert function.store(*event["Records"]) == counts(**{outcome: 1})
    assert refusals() == ([] if outcome == "changed" else ["not_found"])


@pytest.mark.parametrize("user", [None, 5, "", "Ada", "0" * 15, "A" * 16, "0" * 16 + "#1"])
def test_only_a_users_id_can_be_blocked(function, refusals, user):
    assert function.store(order("block", user)) == counts(refused=1)
    assert refusals() == ["bad_user"]


@pytest.mark.parametrize("action", ["block", "unblock", "EDIT", "", 5, [], {}, True])
def test_nobody_but_an_operator_blocks(function, refusals, action):
    body = {"action": action, "user": "0" * 16, "message": "x"}
    assert function.store(function.record(body)) == counts(refused=1)
    assert refusals() == ["unknown_action"]
    assert function.items(RATE_TABLE) == []


def test_a_block_that_fails_is_raised(function):
    answer_with(function.dynamodb, "TransactWriteItems", "InternalServerError", 500)
    with pytest.raises(NotStored):
        function.store(order("block", "0" * 16))


def test_a_block_gets_through_while_its_user_writes(function):
    conflict(function, 3)
    assert function.store(order("block", "0" * 16)) == counts(changed=1)


@pytest.mark.parametrize(
    "code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_a_write_that_another_or_a_busy_table_cancels_is_made_a_moment_later(function, code):
    conflict(function, 5, code)
    assert function.store(function.message(0)) == counts(stored=1)
    assert len(function.pauses) == 5
    assert 0 <= sum(function.pauses) < 2


def test_a_write_that_never_gets_through_is_raised(function):
    conflict(function, 6)
    with pytest.raises(NotStored):
        function.store(function.message(0))
    assert function.store(function.message(0)) == counts(stored=1)


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"email": "ada@example.com", "email_verified": True}, "stored"),
        ({"email": "ADA@EXAMPLE.COM", "email_verified": True}, "stored"),
        ({"email": "grace@example.org", "email_verified": True}, "stored"),
        ({"email": "ada@example.org", "email_verified": True}, "refused"),
        ({"email": "ada@sub.example.com", "email_verified": True}, "refused"),
        ({"email": "ada@example.com.evil.example", "email_verified": True}, "refused"),
        ({"email": "ada@notexample.com", "email_verified": True}, "refused"),
        ({"email": "example.com", "email_verified": True}, "refused"),
        ({"email": "@example.com", "email_verified": True}, "refused"),
        ({"email": "ada@ex\u0101mple.com", "email_verified": True}, "refused"),
        ({"email": "ada@example.\u212aom", "email_verified": True}, "refused"),
        ({"email": "ada@example.com"}, "refused"),
        ({"email": "ada@example.com", "email_verified": False}, "refused"),
        ({"email": "ada@example.com", "email_verified": "true"}, "refused"),
        ({"email": None, "email_verified": True}, "refused"),
        ({"email": ["ada@example.com"], "email_verified": True}, "refused"),
        ({"email": None, "hd": "example.com", "email_verified": True}, "refused"),
        ({"email": "eve@evil.example", "hd": "example.com", "email_verified": True}, "refused"),
    ],
)
def test_only_a_verified_address_on_the_list_may_write(function, claims, outcome):
    function.set_up(allowed=frozenset({"example.com", "grace@example.org", "example.kom"}))
    assert function.store(sns_record(None, function.token(**claims))) == counts(**{outcome: 1})
    assert len(function.items()) == (outcome == "stored")


def test_who_may_not_write_is_refused_by_the_verdict_too(function, refusals):
    function.set_up(allowed=frozenset({"example.org"}))
    calls = calls_of(function.sts, function.dynamodb)
    record = function.record()
    assert function.store(record, record) == counts(refused=2)
    assert refusals() == ["not_allowed", "not_allowed"]
    assert calls == ["AssumeRoleWithWebIdentity"]
    assert "ada@example.com" not in repr(function.service.verifier._verdicts)


def test_a_token_that_sts_refuses_never_learns_who_may_write(function, refusals):
    function.set_up(allowed=frozenset({"example.org"}))
    answer_with(function.sts, "AssumeRoleWithWebIdentity", "InvalidIdentityToken")
    function.store(function.record())
    assert refusals() == ["refused_token"]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", set()),
        ("example.com", {"example.com"}),
        (" Example.COM, ada@example.org  x.io ", {"example.com", "ada@example.org", "x.io"}),
    ],
)
def test_a_list_of_who_may_write_is_read(text, allowed):
    assert read_settings(ENVIRON | {"ALLOWED_DOMAINS": text}).allowed == allowed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_DOMAINS", "example"),
        ("ALLOWED_DOMAINS", "['example.com']"),
        ("ALLOWED_DOMAINS", "example.com; example.org"),
        ("ALLOWED_DOMAINS", "@example.com"),
        ("ALLOWED_DOMAINS", "example.com ada@"),
        ("RATE_LIMIT", "10"),
        ("RATE_LIMIT", "10/0s"),
        ("RATE_LIMIT", "0/10s"),
        ("RATE_LIMIT", "-1/10s"),
        ("RATE_LIMIT", "10/10"),
        ("RATE_LIMIT", "off"),
        ("RATE_TABLE", ""),
        ("GOOGLE_CLIENT_ID", ""),
        ("GOOGLE_CLIENT_ID", "x.example.com"),
    ],
)
def test_a_limit_that_cannot_be_read_stops_the_function(name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        read_settings(ENVIRON | {name: value})


@pytest.mark.parametrize(
    ("text", "rate"), [("10/10s", Rate(10, 10)), ("3/60s", Rate(3, 60)), ("0", Rate(0, 1))]
)
def test_a_rate_is_read(text, rate):
    assert read_settings(ENVIRON | {"RATE_LIMIT": text}).rate == rate
