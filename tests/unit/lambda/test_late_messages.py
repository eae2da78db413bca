"""A message that AWS brings late, into a channel where others go on writing: it is shown, once."""

import io
import json
from contextlib import redirect_stdout

from hypothesis import given, settings
from hypothesis import strategies as st

import publish_transcript
import store_message
import transactions
from local.testkit.events import id_token, sns_record
from publish_transcript import connected, publish
from senders import Verifier
from store_settings import Rate
from tests.support.builders import BUCKET, NOW_S, TABLE, moment
from tests.support.chat.memory import Bucket, Sts, Tables
from tests.support.chat.store import store_settings

HISTORY = 3
ADA, GRACE = (id_token(sub=name, exp=int(NOW_S) + 3600) for name in ("ada", "grace"))


class Chat:
    """Both functions on one AWS, and its time."""

    def __init__(self):
        self.now_s = NOW_S
        self.tables, self.bucket = Tables(), Bucket()
        wanted = store_settings(rate=Rate(0, 1))
        clock = lambda: self.now_s  # noqa: E731
        self.storing = store_message.Service(
            wanted,
            Verifier(Sts(), wanted, clock),
            transactions.Tables(self.tables, lambda _s: None),
            clock,
        )
        about = publish_transcript.Settings(TABLE, BUCKET, "data/", HISTORY)
        self.publishing = connected(about, self.tables, self.bucket, clock)
        self.published = 0

    def deliver(self, record):
        """Store a record, publish what it changed; return whether it was stored."""
        with redirect_stdout(io.StringIO()):
            counts = store_message.store({"Records": [record]}, self.storing, "request")
            records = self.tables.stream[self.published :]
            self.published += len(records)
            if records:
                publish({"Records": records}, self.publishing, "request")
        return counts["stored"] == 1

    def others_write(self, number, name):
        """Let so many messages come in time."""
        for one in range(number):
            body = {"message": "busy", "client_id": f"{name}-{one}"}
            self.deliver(sns_record(body, GRACE, Timestamp=moment(self.now_s - NOW_S)))

    def shown(self):
        _, body = next(one for one in reversed(self.bucket.versions) if "default" in one[0])
        return {one["client_id"]: one for one in json.loads(body)["messages"]}


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 2, 3, 10, 70, 3_000])), min_size=1),
    st.integers(0, 6),
)
def test_whenever_it_comes_it_is_stored_once_and_shown_at_once(deliveries, busy):
    chat, stored = Chat(), set()
    for number, (client, late_s) in enumerate(sorted(deliveries, key=lambda one: one[1])):
        chat.now_s = NOW_S + late_s
        chat.others_write(busy, f"busy-{number}")
        body = {"message": f"text {client}", "client_id": f"late-{client}"}
        new = chat.deliver(sns_record(body, ADA, Timestamp=moment(0)))
        assert new == (client not in stored)
        stored.add(client)
        if new:
            found = chat.shown()[f"late-{client}"]
            assert (found["sent_at"], found["message"]) == (moment(0), f"text {client}")
    rows = [row for row in chat.tables.rows[TABLE].values() if "late" in row["client_id"]["S"]]
    assert len(rows) == len(stored)
