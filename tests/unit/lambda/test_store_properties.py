"""Nothing lost, nothing twice, no old text: whatever arrives, in whatever order, whatever fails.

Of store_message alone, in events of several records. test_pipeline_properties.py has both.
"""

import io
import itertools
from collections import Counter
from contextlib import redirect_stdout

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import transactions
from local.testkit.events import id_token, sns_record
from senders import Verifier
from store_message import NotStored, Service, store
from store_settings import Rate
from tests.support.builders import NOW_S, TABLE, moment
from tests.support.chat.memory import Faulty, Sts, Tables
from tests.support.chat.store import RATE_TABLE, store_settings

LIMIT = Rate(3, 10)
TOKENS = [id_token(sub=who, exp=int(NOW_S) + 3600) for who in "01"]
# What the next call of AWS does: it works, fails undone, fails done, or meets another write.
FAULTS = st.lists(st.sampled_from(["works", "undone", "done", "conflict"]), max_size=25)
BAD = ("no JSON", {"message": " "}, {"message": "x", "channel": "../x"}, {"action": "block"})
checked = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Storing:
    """A container on tables of its own whose AWS fails as a list says."""

    def __init__(self, rate, faults):
        left = list(faults)
        self.tables = Tables()
        dynamodb, sts = Faulty(self.tables, left), Faulty(Sts(), left)
        wanted = store_settings(rate=rate)
        verifier = Verifier(sts, wanted, lambda: NOW_S)
        self._service = Service(
            wanted, verifier, transactions.Tables(dynamodb, lambda _s: None), lambda: NOW_S
        )

    def store(self, *records):
        with redirect_stdout(io.StringIO()):
            return store({"Records": list(records)}, self._service, "request-1")

    def rows(self, table=TABLE):
        return list(self.tables.rows[table].values())


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


ORDER = st.lists(st.integers(0, 50), max_size=12)
SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)
SENT = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 25)), max_size=14)


@checked
@given(SENT, st.lists(st.sampled_from(BAD), max_size=3), ORDER, SIZES, FAULTS)
def test_what_is_stored_is_what_was_validly_sent_at_its_rate(sent, bad, order, sizes, faults):
    storing = Storing(LIMIT, faults)
    good = [
        sns_record(
            {"message": f"text {n}", "client_id": f"{n}"},
            TOKENS[who],
            Timestamp=moment(at_s),
        )
        for n, (who, at_s) in enumerate(sent)
    ]
    records = [sns_record(body, TOKENS[0]) for body in bad] + good
    deliver(storing, in_events(records, order, sizes))

    stored = storing.rows()
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
    counted = [int(row["n"]["N"]) for row in storing.rows(RATE_TABLE) if "n" in row]
    assert sum(counted) == len(stored)


CHANGES = st.lists(
    st.tuples(st.sampled_from(["edit", "edit", "delete"]), st.booleans(), st.integers(1, 950)),
    max_size=8,
    unique_by=lambda change: change[2],
)


@checked
@given(CHANGES, ORDER, SIZES, FAULTS)
def test_a_message_ends_as_its_sender_left_it_and_no_other_text_stays(
    changes, order, sizes, faults
):
    storing = Storing(Rate(0, 1), faults)
    first = {"message": "as sent", "client_id": "first"}
    deliver(storing, [[sns_record(first, TOKENS[0], Timestamp=moment(0))]])
    target = {"id": f"{moment(0)}#first"}
    records = [
        sns_record(
            {**target, "action": action, "client_id": f"{n}", "message": f"text {n}"},
            TOKENS[0 if own else 1],
            Timestamp=moment(at_s),
        )
        for n, (action, own, at_s) in enumerate(changes)
    ]
    deliver(storing, in_events(records, order, sizes))

    made = [
        (at_s, action, f"text {n}")
        for n, (action, own, at_s) in enumerate(changes)
        if own and at_s <= 900
    ]
    deleted = any(action == "delete" for _, action, _ in made)
    newest = max((one for one in made if one[1] == "edit"), default=(0, "", "as sent"))[2]
    rows = storing.rows()
    texts = {row["message"]["S"] for row in rows if "message" in row}
    assert texts == (set() if deleted else {newest})
    row = next(row for row in rows if row["kind"]["S"] == "user")
    assert ("deleted_at" in row) == deleted
    told = [row for row in rows if row["kind"]["S"] in ("edit", "delete")]
    assert len(told) == bool(made)
    assert all(one["id"] == row["changed_by"] for one in told)
