"""Both functions together: nothing lost, nothing twice, no old text, whatever fails on the way.

SNS delivers more than once and in any order, Lambda tries again a limited number of times, the
stream's batches come twice, cut, in turns to two containers and in any order, every call of AWS
may fail before or after it worked. What is asked for at the end is written down here anew, from
the rules in docs/handlers.md; no code of the functions is used for it.
"""

import io
import itertools
import json
from collections import Counter
from contextlib import redirect_stdout

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import publish_transcript
import store_message
import transactions
from local.testkit.events import id_token, sns_record, stream_record
from publish_transcript import NotPublished, connected, publish
from senders import Verifier
from store_message import NotStored, store
from store_settings import Rate
from tests.support.builders import BUCKET, NOW_S, TABLE, moment
from tests.support.chat.memory import Bucket, Faulty, Sts, Tables
from tests.support.chat.store import store_settings

HISTORY = 3
LIVELY_S = 5
SNS_TRIES = 3  # lambda/sns/config.yml
STREAM_TRIES = 11  # lambda/dynamodb/config.yml
ADA, GRACE, EVE = (id_token(sub=name, exp=int(NOW_S) + 3600) for name in ("ada", "grace", "eve"))
CHANNELS = ("default", "tea")


class Pipeline:
    """Both functions on one AWS; Lambda, SNS and the stream between them are this class."""

    def __init__(self, storing, publishing):
        self.storing_meets = list(storing)
        self.publishing_meets = [self.overtake if met == "overtake" else met for met in publishing]
        self.planned = Counter(map(str, self.storing_meets + self.publishing_meets))
        self.tables, self.bucket = Tables(), Bucket()
        self.waiting, self.failed, self.given_up = [], [], []
        self.accepted, self.changed, self.refused = set(), set(), set()
        self.taken, self.batches = 0, []
        wanted = store_settings(rate=Rate(0, 1))
        dynamodb, s3, sts = self.tables, self.bucket, Sts(EVE)
        verifier = Verifier(Faulty(sts, self.storing_meets), wanted, lambda: NOW_S)
        writing = Faulty(dynamodb, self.storing_meets)
        tables = transactions.Tables(writing, lambda _s: None)
        self.storing = store_message.Service(wanted, verifier, tables, lambda: NOW_S)
        about = publish_transcript.Settings(TABLE, BUCKET, "data/", HISTORY)
        reading, s3 = (Faulty(client, self.publishing_meets) for client in (dynamodb, s3))
        self.containers = [connected(about, reading, s3, lambda: NOW_S) for _ in range(2)]

    def send(self, number, record):
        """Let SNS deliver a record once more."""
        self.waiting.append((number, record, SNS_TRIES))

    def store_one(self, place):
        """Store one of the waiting deliveries; one that fails is tried again, then reported."""
        number, record, tries = self.waiting.pop(place % len(self.waiting))
        try:
            counts = store({"Records": [record]}, self.storing, "request")
        except NotStored:
            if tries > 1:
                self.waiting.append((number, record, tries - 1))
            else:
                self.failed.append((number, record))
            return
        (self.refused if counts["refused"] else self.accepted).add(number)
        if counts["changed"]:
            self.changed.add(number)

    def cut(self, size):
        """Take the stream's next records as a batch."""
        if records := self.tables.stream[self.taken : self.taken + size]:
            self.taken += len(records)
            self.batches.append((records, STREAM_TRIES))

    def publish_one(self, place, container, again):
        """Publish one of the waiting batches, as Lambda does: what fails is cut and sent again."""
        place %= len(self.batches)
        records, tries = self.batches[place] if again else self.batches.pop(place)
        rest = list(self.send_batch(records, container))
        for part in [] if again else rest:
            if tries > 1:
                self.batches.append((part, tries - 1))
            else:
                self.given_up.append(part)

    def send_batch(self, records, container):
        """Publish records; returns the parts that Lambda sends again."""
        try:
            answer = publish({"Records": records}, self.containers[container], "request")
        except NotPublished:
            middle = len(records) // 2
            return [part for part in (records[:middle], records[middle:]) if part]
        failed = [int(one["itemIdentifier"]) for one in answer["batchItemFailures"]]
        since = min(failed, default=None)
        if since is None:
            return []
        return [[one for one in records if int(one["dynamodb"]["SequenceNumber"]) >= since]]

    def overtake(self):
        """Store and publish something else while a transcript is on its way."""
        later, self.publishing_meets[:] = list(self.publishing_meets), []
        if self.waiting:
            self.store_one(0)
        self.send_batch([stream_record(name, kind="MODIFY") for name in CHANNELS], 1)
        self.publishing_meets[:] = later

    def run(self, turns, eager):
        """Do what the turns say until nothing waits; then the oldest first.

        Who is eager publishes each change before the next is stored, if there is no turn left.
        """
        turns = list(turns)
        while self.waiting or self.batches or self.taken < len(self.tables.stream):
            action, place, container = turns.pop(0) if turns else ("any", 7, 0)
            published = not self.batches and self.taken == len(self.tables.stream)
            if action == "any" and (published or not eager):
                action = "store"
            if self.waiting and (action == "store" or published):
                self.store_one(place)
            else:
                self.cut(place % 8 + 1)
                self.publish_one(place, container, action == "again")

    def replay(self, turns):
        """Let AWS work again: send what FailuresTopic got once more, as operators do."""
        self.storing_meets.clear()
        self.publishing_meets.clear()
        for number, record in self.failed:
            self.send(number, record)
        given_up, self.given_up = self.given_up, []
        self.run(turns, eager=True)
        if given_up:
            self.send_batch([stream_record(name, kind="MODIFY") for name in CHANNELS], 0)
        assert not self.given_up

    def faults(self):
        """Count what calls of AWS have met so far."""
        left = Counter(map(str, self.storing_meets + self.publishing_meets))
        return (self.planned - left).total() - (self.planned - left)["works"]

    def rows(self, *kinds):
        """Return the rows of some kinds as plain values, the oldest first."""
        rows = [
            {key: next(iter(value.values())) for key, value in row.items()}
            for row in self.tables.rows[TABLE].values()
        ]
        return sorted((one for one in rows if one["kind"] in kinds), key=lambda one: one["id"])

    def sendings(self):
        """Return of each message's row what its page sent it as."""
        rows = self.rows("user", "operator")
        clients = [(*row["client_id"].split("-"), row["channel"]) for row in rows]
        return [(who, channel, int(number)) for who, number, channel in clients]

    def transcripts(self):
        """Return each channel's transcripts as they were written, the oldest first."""
        found = {}
        for key, body in self.bucket.versions:
            name = key.removeprefix("data/").removesuffix(".json")
            found.setdefault(name, []).append(json.loads(body))
        return found


def check_transcript(shown, rows, changes):
    """Hold a channel's transcript against all its rows, by the rule of the window."""
    by_id = {row["id"]: row for row in rows}
    ids = [one["id"] for one in shown["messages"]]
    assert ids == sorted(set(ids))
    for one in shown["messages"]:
        assert one["message"] == by_id[one["id"]].get("message", "")
        assert one.get("deleted_at") == by_id[one["id"]].get("deleted_at")
    newest = max(by_id)
    texts = sorted(one for one, row in by_id.items() if "deleted_at" not in row)
    since = texts[-HISTORY] if len(texts) >= HISTORY else ""
    wanted = [one for one in by_id if one >= since or seconds(newest) - seconds(one) < LIVELY_S]
    assert ids == sorted(wanted)
    assert not shown["complete"] or ids == sorted(by_id)
    told = [
        {key: one[key] for key in ("id", "target", "kind")}
        for one in changes
        if one["target"] < ids[0]
    ]
    assert shown["changes"] == told
    for one in shown["messages"]:  # what stands in it shows its own state
        assert one.get("changed_by") == by_id[one["id"]].get("changed_by")


def seconds(row_id):
    """Return a row's time within the test's hour; all times are whole seconds."""
    return int(row_id[14:16]) * 60 + int(row_id[17:19])


def check_never_back(versions):
    """Hold a channel's transcripts against each other: nothing that was shown goes back.

    No text that was replaced comes back, and what is newer than the oldest shown stays.
    """
    shown = [[one["id"] for one in version["messages"]] for version in versions]
    for older, newer in itertools.pairwise(shown):
        assert newer or not older
        assert {one for one in older if one >= newer[0]} <= set(newer)
    latest = {}
    for one in (message for version in versions for message in version["messages"]):
        state = (one.get("deleted_at") is not None, one.get("edited_at", ""), one["message"])
        assert state >= latest.get(one["id"], state)
        latest[one["id"]] = state


WHO = {"ada": ADA, "grace": GRACE}
BAD = st.sampled_from(
    [
        ("no JSON", ADA),
        ({"message": " "}, ADA),
        ({"message": "x", "channel": "../x"}, ADA),
        ({"message": "x", "channel": "stats"}, ADA),
        ({"action": "block"}, ADA),
        ({"message": "forged"}, EVE),
        ({"message": "forged"}, None),
    ]
)
SENT = st.lists(
    st.tuples(
        st.sampled_from(sorted(WHO)),
        st.sampled_from(CHANNELS),
        st.integers(0, 12),  # the second
        st.integers(0, 5),  # the client_id: the same one may be sent again
    ),
    max_size=8,
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "delete"]),
        st.sampled_from(sorted(WHO)),
        st.integers(0, 7),  # the message
        st.integers(13, 60),
    ),
    max_size=6,
    unique_by=lambda one: one[3],
)
AGAIN = st.lists(st.integers(0, 20), max_size=6)
TURNS = st.lists(
    st.tuples(st.sampled_from(["store", "publish", "again"]), st.integers(0, 9), st.integers(0, 1)),
    max_size=30,
)
STORING = st.lists(st.sampled_from(["works", "undone", "done", "conflict"]), max_size=20)
PUBLISHING = st.lists(
    st.sampled_from(["works", "undone", "done", "conflict", "overtake"]), max_size=30
)


def message_of(who, channel, at_s, number):
    body = {"message": f"{who} {number}", "channel": channel, "client_id": f"{who}-{number}"}
    return sns_record(body, WHO[who], Timestamp=moment(at_s))


def place_of(who, channel, at_s, number):
    """Return the key of the row that a message makes."""
    return channel, f"{moment(at_s)}#{who}-{number}"


def sending_of(who, channel, at_s, number):
    """Return what makes a message one, however often its page sends it."""
    return who, channel, number


def change_of(number, change, sent):
    """Return the record of a change, the place of the row that it wants, whether it may."""
    action, who, chosen, at_s = change
    author = sent[chosen % len(sent)]
    channel, target = place_of(*author)
    body = {"action": action, "channel": channel, "id": target, "client_id": f"change-{number}"}
    body |= {"message": f"edit {number}"} if action == "edit" else {}
    return sns_record(body, WHO[who], Timestamp=moment(at_s)), (channel, target), who == author[0]


def left_as(row, records):
    """Return what a row's text must be after the changes that were made to it, None if deleted."""
    bodies = [json.loads(one["Sns"]["Message"]) for one in sorted(records, key=time_of)]
    if any(one["action"] == "delete" for one in bodies):
        return None
    return bodies[-1]["message"] if bodies else row["client_id"].replace("-", " ")


def time_of(record):
    return record["Sns"]["Timestamp"]


@pytest.fixture
def tally(figure):
    """What was tried in all examples."""
    counts = Counter()
    yield counts
    told = ", ".join(f"{number} {what}" for what, number in counts.items())
    figure(f"both functions in memory: {told}; nothing lost, nothing twice")


@settings(
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@example(  # sent again before the first copy arrives, and too old then to be shown
    sent=[
        ("grace", "tea", 0, 0),
        ("ada", "tea", 0, 0),
        ("ada", "tea", 0, 2),
        ("ada", "tea", 1, 0),
        ("ada", "tea", 5, 1),
    ],
    changes=[("edit", "grace", 0, 13)],
    bad=[],
    again=[0],
    turns=[],
    eager=True,
    storing=[],
    publishing=[],
)
@given(SENT, CHANGES, st.lists(BAD, max_size=3), AGAIN, TURNS, st.booleans(), STORING, PUBLISHING)
def test_what_is_shown_is_what_was_validly_sent_as_it_was_left(
    tally, sent, changes, bad, again, turns, eager, storing, publishing
):
    pipeline = Pipeline(storing, publishing)
    changed = [change_of(n, one, sent) for n, one in enumerate(changes)] if sent else []
    records = [message_of(*one) for one in sent] + [one[0] for one in changed]
    good = len(records)
    records += [sns_record(*one) for one in bad]
    with redirect_stdout(io.StringIO()):
        for number in [*range(len(records)), *(n % len(records) for n in again if records)]:
            pipeline.send(number, records[number])
        pipeline.run(turns, eager)
        valid = {sending_of(*one) for one in sent}
        stored = pipeline.sendings()
        told = {sending_of(*sent[number]) for number, _ in pipeline.failed if number < len(sent)}
        assert set(stored) <= valid
        assert valid - set(stored) <= told  # what is not stored was raised: FailuresTopic has it
        tally["histories"] += 1
        tally["deliveries"] += len(records) + len(again if records else [])
        tally["faults injected"] += pipeline.faults()
        pipeline.replay(turns)

    assert pipeline.accepted | pipeline.refused == set(range(len(records)))
    assert max(pipeline.accepted, default=-1) < good  # nothing bad is accepted,
    assert min(pipeline.refused, default=good) >= len(sent)  # and no message that is sound refused
    assert sorted(pipeline.sendings()) == sorted(valid)  # each once
    rows = pipeline.rows("user", "operator")
    assert {(row["channel"], row["id"]) for row in rows} <= {place_of(*one) for one in sent}
    own = {n for n, one in enumerate(changed, len(sent)) if one[2]}
    assert pipeline.changed <= own
    for row in rows:
        made = [
            one[0]
            for n, one in enumerate(changed, len(sent))
            if n in own & pipeline.accepted and one[1] == (row["channel"], row["id"])
        ]
        assert row.get("message") == left_as(row, made)
        assert ("deleted_at" in row) == (left_as(row, made) is None)
    check_files(pipeline, {channel for _, channel, _ in valid})


def check_files(pipeline, channels):
    """Hold every transcript and the list of channels against the rows."""
    versions = pipeline.transcripts()
    for name in channels:
        rows, changes = (
            [row for row in pipeline.rows(*kinds) if row["channel"] == name]
            for kinds in (["user"], ["edit", "delete"])
        )
        check_transcript(versions[name][-1], rows, changes)
        check_never_back(versions[name])
        assert name in versions["channels"][-1]["channels"]
