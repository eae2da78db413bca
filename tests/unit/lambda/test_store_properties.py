"""Nothing lost, nothing twice, no old text: whatever arrives, in whatever order, whatever fails.

Each example has a channel and senders of its own, and finds both tables empty: one in-process AWS
serves all, and copies all rows at each transaction.
"""

import itertools
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environment import Rate
from store_message import NotStored
from tests.builders import TABLE, moment, sns_record
from tests.store import RATE_TABLE

LIMIT = Rate(3, 10)
EXAMPLES = itertools.count()
# What the next call of AWS does: it works, fails undone, fails done, or meets another write.
FAULTS = st.lists(st.sampled_from(["works", "undone", "done", "conflict"]), max_size=25)
BAD = ("no JSON", {"message": " "}, {"message": "x", "channel": "../x"}, {"action": "block"})
checked = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Faults:
    """Breaks the calls of the clients as a list says, then no more."""

    def __init__(self, *clients):
        self.left = []
        self.now = "works"
        for client in clients:
            client.meta.events.register("before-call", self.before)
            client.meta.events.register("after-call", self.after)

    def before(self, model, **_):
        self.now = self.left.pop(0) if self.left else "works"
        if self.now == "undone":
            return SimpleNamespace(status_code=500), answer("InternalServerError")
        if self.now == "conflict" and model.name == "TransactWriteItems":
            reasons = {"CancellationReasons": [{"Code": "TransactionConflict"}]}
            return SimpleNamespace(status_code=400), answer(
                "TransactionCanceledException"
            ) | reasons
        return None

    def after(self, http_response, parsed, **_):
        if self.now == "done" and http_response.status_code == 200:
            http_response.status_code = 500
            parsed.clear()
            parsed.update(answer("InternalServerError"))


def answer(code):
    return {"Error": {"Code": code, "Message": "as the test wants"}, "ResponseMetadata": {}}


@pytest.fixture
def faulty(function):
    """The function, with few messages at once, and its AWS that fails on demand."""
    function.set_up(rate=LIMIT)
    function.faults = Faults(function.dynamodb, function.sts)
    return function


def deliver(function, events):
    """Deliver each event as Lambda does: again, later, for as long as the function fails."""
    waiting = list(events)
    while waiting:
        event = waiting.pop(0)
        try:
            function.store(*event)
        except NotStored:
            waiting.append(event)


def in_events(records, order, sizes):
    """Put records into events: some more than once, in any order, each at least once."""
    queue = [records[n % len(records)] for n in order] + records if records else []
    events = []
    for size in itertools.cycle(sizes):
        if not queue:
            return events
        events.append([queue.pop(0) for _ in range(min(size, len(queue)))])
    return events


def empty(function):
    """Delete all rows of both tables."""
    for table, names in ((TABLE, ("channel", "id")), (RATE_TABLE, ("user",))):
        for row in function.items(table):
            function.dynamodb.delete_item(TableName=table, Key={name: row[name] for name in names})


def rows_of(function, channel):
    return function.dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="channel = :channel",
        ExpressionAttributeValues={":channel": {"S": channel}},
    )["Items"]


ORDER = st.lists(st.integers(0, 50), max_size=12)
SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)
SENT = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 25)), max_size=14)


@checked
@given(SENT, st.lists(st.sampled_from(BAD), max_size=3), ORDER, SIZES, FAULTS)
def test_what_is_stored_is_what_was_validly_sent_at_its_rate(
    faulty, sent, bad, order, sizes, faults
):
    example = next(EXAMPLES)
    empty(faulty)
    channel, tokens = f"c{example}", [faulty.token(sub=f"{example}-{who}") for who in (0, 1)]
    good = [
        sns_record(
            {"message": f"text {n}", "client_id": f"{n}", "channel": channel},
            tokens[who],
            Timestamp=moment(at_s),
        )
        for n, (who, at_s) in enumerate(sent)
    ]
    faulty.faults.left = list(faults)
    records = [sns_record(body, tokens[0]) for body in bad] + good
    deliver(faulty, in_events(records, order, sizes))
    faulty.faults.left = []

    stored = rows_of(faulty, channel)
    wanted = Counter((who, at_s // LIMIT.window_s) for who, at_s in sent)
    found = Counter(
        (who, at_s // LIMIT.window_s)
        for who, at_s in (sent[int(row["client_id"]["S"])] for row in stored)
    )
    assert found == {key: min(number, LIMIT.messages) for key, number in wanted.items()}
    assert len({row["client_id"]["S"] for row in stored}) == len(stored)
    for row in stored:
        assert row["message"]["S"] == f"text {row['client_id']['S']}"
        assert row["sent_at"]["S"] == moment(sent[int(row["client_id"]["S"])][1])
    assert sum(int(row["n"]["N"]) for row in faulty.items(RATE_TABLE)) == len(stored)


CHANGES = st.lists(
    st.tuples(st.sampled_from(["edit", "edit", "delete"]), st.booleans(), st.integers(1, 950)),
    max_size=8,
    unique_by=lambda change: change[2],
)


@checked
@given(CHANGES, ORDER, SIZES, FAULTS)
def test_a_message_ends_as_its_sender_left_it_and_no_other_text_stays(
    faulty, changes, order, sizes, faults
):
    faulty.set_up(rate=Rate(0, 1))
    example = next(EXAMPLES)
    empty(faulty)
    channel, tokens = f"e{example}", [faulty.token(sub=f"{example}-{who}") for who in (0, 1)]
    first = {"message": "as sent", "client_id": "first", "channel": channel}
    faulty.store(sns_record(first, tokens[0], Timestamp=moment(0)))
    target = {"id": f"{moment(0)}#first", "channel": channel}
    records = [
        sns_record(
            {**target, "action": action, "client_id": f"{n}", "message": f"text {n}"},
            tokens[0 if own else 1],
            Timestamp=moment(at_s),
        )
        for n, (action, own, at_s) in enumerate(changes)
    ]
    faulty.faults.left = list(faults)
    deliver(faulty, in_events(records, order, sizes))
    faulty.faults.left = []

    made = [
        (at_s, action, f"text {n}")
        for n, (action, own, at_s) in enumerate(changes)
        if own and at_s <= 900
    ]
    deleted = any(action == "delete" for _, action, _ in made)
    newest = max((one for one in made if one[1] == "edit"), default=(0, "", "as sent"))[2]
    rows = rows_of(faulty, channel)
    texts = {row["message"]["S"] for row in rows if "message" in row}
    assert texts == (set() if deleted else {newest})
    row = next(row for row in rows if row["kind"]["S"] == "user")
    assert ("deleted_at" in row) == deleted
    told = [row for row in rows if row["kind"]["S"] in ("edit", "delete")]
    assert len(told) == bool(made)
    assert all(one["id"] == row["changed_by"] for one in told)
