import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import transcript_files
from s3_folder import Folder
from tests.support.builders import (
    BUCKET,
    NOW_S,
    TABLE,
    answer_with,
    before_each_put,
    calls_of,
    moment,
    row,
)
from transcript_files import TranscriptBusy, TranscriptFiles


def files(dynamodb, s3):
    """What one container has."""
    return TranscriptFiles(dynamodb, TABLE, Folder(s3, BUCKET, "data/"), 20, lambda: NOW_S)


@pytest.fixture
def store(dynamodb):
    def put(client_id, **attributes):
        one = row(moment(int(client_id)), client_id, **attributes)
        dynamodb.put_item(TableName=TABLE, Item=one)

    return put


def shown(s3, channel="default"):
    content = s3.get_object(Bucket=BUCKET, Key=f"data/{channel}.json")["Body"].read()
    return [message["client_id"] for message in json.loads(content)["messages"]]


def test_the_first_touch_of_a_channel_costs_one_head(dynamodb, s3, store):
    store("1")
    calls = calls_of(dynamodb, s3)
    files(dynamodb, s3).publish("default")
    assert calls == ["HeadObject", "Query", "Query", "PutObject"]


def test_a_warm_channel_costs_one_query_and_one_put(dynamodb, s3, store):
    container = files(dynamodb, s3)
    container.publish("default")
    store("1")
    calls = calls_of(dynamodb, s3)
    container.publish("default", only_new=True)
    assert calls == ["Query", "PutObject"]
    assert shown(s3) == ["1"]


def change(dynamodb, client_id, target):
    """Store a change of the message `target`, as store_message does."""
    item = row(
        moment(0), client_id, kind="delete", message=None, target=f"{moment(target)}#{target}"
    )
    dynamodb.put_item(TableName=TABLE, Item=item | {"id": {"S": f"~{item['id']['S']}"}})


def changes_in(s3):
    content = s3.get_object(Bucket=BUCKET, Key="data/default.json")["Body"].read()
    return [change["id"].partition("#")[2] for change in json.loads(content)["changes"]]


def test_what_has_been_told_of_changes_is_told_again_beside_new_messages(dynamodb, s3, store):
    container = files(dynamodb, s3)
    change(dynamodb, "a", -9)
    container.publish("default")
    store("1")
    container.publish("default", only_new=True)
    assert changes_in(s3) == ["a"]


def test_what_another_container_told_of_changes_is_not_taken_back(dynamodb, s3, other_s3, store):
    first, second = files(dynamodb, s3), files(dynamodb, other_s3)
    first.publish("default")
    change(dynamodb, "a", -9)
    second.publish("default")
    store("1")
    first.publish("default", only_new=True)
    assert changes_in(s3) == ["a"]


@pytest.mark.parametrize("warm", [(), ("first",), ("first", "second"), ("second", "first")])
def test_an_older_transcript_never_follows_a_newer_one(dynamodb, s3, other_s3, store, warm):
    containers = {"first": files(dynamodb, s3), "second": files(dynamodb, other_s3)}
    for name in warm:
        containers[name].publish("default")
    store("1")

    def overtake():
        store("2")
        containers["second"].publish("default")

    before_each_put(s3, overtake)
    containers["first"].publish("default")
    assert shown(s3) == ["1", "2"]


def test_who_was_overtaken_asks_for_the_etag_before_the_rows(dynamodb, s3, other_s3):
    other = {"Bucket": BUCKET, "Key": "data/default.json", "Body": b"{}"}
    before_each_put(s3, lambda: other_s3.put_object(**other))
    calls = calls_of(dynamodb, s3)
    files(dynamodb, s3).publish("default")
    assert calls == ["HeadObject", "Query", "Query", "PutObject"] * 2


def test_who_is_overtaken_again_and_again_gives_up(dynamodb, s3, other_s3, store):
    other, number = files(dynamodb, other_s3), iter(range(100))

    def overtake():
        store(f"{next(number):02}")
        other.publish("default")

    before_each_put(s3, overtake, times=100)
    with pytest.raises(TranscriptBusy):
        files(dynamodb, s3).publish("default")
    assert len(shown(s3)) == transcript_files.ATTEMPTS


def test_a_transcript_deleted_in_between_is_made_again(dynamodb, s3, store):
    container = files(dynamodb, s3)
    container.publish("default")
    store("1")
    s3.delete_object(Bucket=BUCKET, Key="data/default.json")
    container.publish("default")
    assert shown(s3) == ["1"]


def test_a_denied_head_of_a_missing_transcript_makes_it(dynamodb, s3, store):
    store("1")
    answer_with(s3, "HeadObject", "403", 403)
    files(dynamodb, s3).publish("default")
    assert shown(s3) == ["1"]


def test_a_denied_head_never_replaces_a_transcript(dynamodb, s3, other_s3, store):
    store("1")
    files(dynamodb, other_s3).publish("default")
    answer_with(s3, "HeadObject", "403", 403)
    store("2")
    with pytest.raises(TranscriptBusy):
        files(dynamodb, s3).publish("default")
    assert shown(s3) == ["1"]


def test_after_a_fault_of_the_write_the_etag_is_asked_for_again(dynamodb, s3, store):
    container = files(dynamodb, s3)
    container.publish("default")
    answer_with(s3, "PutObject", "InternalError", 500, times=1)
    with pytest.raises(Exception, match="InternalError"):
        container.publish("default")
    calls = calls_of(s3)
    container.publish("default")
    assert calls == ["HeadObject", "PutObject"]


def test_etags_are_kept_of_the_channels_written_last(dynamodb, s3, monkeypatch):
    monkeypatch.setattr(transcript_files, "MAX_KEPT", 2)
    container = files(dynamodb, s3)
    for channel in ("a", "b", "a", "c"):
        container.publish(channel)
    calls = calls_of(s3)
    container.publish("a")
    container.publish("b")
    assert calls == ["PutObject", "HeadObject", "PutObject"]


class Turns:
    """Runs workers in threads, one step at a time; `schedule` says whose turn it is."""

    def __init__(self, schedule):
        self._schedule = list(schedule)
        self._parked = threading.Semaphore(0)
        self._me = threading.local()

    def step(self):
        """Wait for a turn; each call of AWS begins with it."""
        self._parked.release()
        self._me.turn.acquire()

    def run(self, *workers):
        turns = [threading.Semaphore(0) for _ in workers]
        live = list(range(len(workers)))
        ended = set()

        def run(number):
            self._me.turn = turns[number]
            turns[number].acquire()
            try:
                workers[number]()
            finally:
                ended.add(number)
                self._parked.release()

        threads = [threading.Thread(target=run, args=(number,)) for number in live]
        for thread in threads:
            thread.start()
        while live:
            chosen = live[(self._schedule.pop() if self._schedule else 0) % len(live)]
            turns[chosen].release()
            self._parked.acquire()
            live = [number for number in live if number not in ended]
        for thread in threads:
            thread.join()


class FakeAws:
    """A table and one object, by the documented rules; each call is one step."""

    def __init__(self, turns):
        self._turns = turns
        self.rows = []
        self.written = []

    def put(self, one):
        self._turns.step()
        self.rows.append(one)

    def query(self, **_):
        self._turns.step()
        return {"Items": self.rows[::-1]}

    def etag(self, _name):
        self._turns.step()
        return str(len(self.written) or "")

    def write(self, _name, content, replaced):
        self._turns.step()
        if replaced != str(len(self.written) or ""):
            return ""
        self.written.append([one["client_id"] for one in json.loads(content)["messages"]])
        return str(len(self.written))


@settings(deadline=None)
@given(
    schedule=st.lists(st.integers(0, 2), max_size=60),
    batches=st.lists(st.integers(1, 3), min_size=2, max_size=3),
)
def test_in_whatever_order_containers_take_turns_no_message_goes_back(schedule, batches):
    turns = Turns(schedule)
    aws = FakeAws(turns)

    def container(number, count):
        transcripts = TranscriptFiles(aws, TABLE, aws, 20, lambda: NOW_S)
        for batch in range(count):
            aws.put(row(moment(10 * batch + number), f"{number}-{batch}"))
            while True:
                try:
                    transcripts.publish("default")
                    break
                except TranscriptBusy:
                    pass  # Lambda sends the batch again

    turns.run(*(lambda n=n, c=c: container(n, c) for n, c in enumerate(batches)))
    for older, newer in zip(aws.written, aws.written[1:], strict=False):
        assert set(older) <= set(newer)
    assert len(aws.written[-1]) == sum(batches)


class Anything:
    """A folder and a table that take everything."""

    def etag(self, _name):
        return "old"

    def write(self, _name, _content, _replaced):
        return "new"

    def query(self, **_):
        return {"Items": []}


def test_many_channels_side_by_side_are_forgotten_without_a_fault(monkeypatch):
    monkeypatch.setattr(transcript_files, "MAX_KEPT", 2)
    container = TranscriptFiles(Anything(), TABLE, Anything(), 20, lambda: NOW_S)
    switches_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns at almost every step
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(container.publish, [f"c{number % 7}" for number in range(3_000)]))
    finally:
        sys.setswitchinterval(switches_s)
    assert len(container._written) <= 2
