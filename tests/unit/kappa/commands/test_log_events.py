"""The events of a log: those of a time, the last ones, and new ones."""

import pytest

from kappa.commands.log_events import Event, Query, follow, read_events, read_last
from kappa.errors import Denied, NotFound, Unavailable
from kappa.plan.step import Clock, Step
from tests.support.builders import assert_valid


def test_an_event_tells_its_time_in_utc():
    assert Event(1_767_268_800_123, "hi").time == "2026-01-01T12:00:00.123Z"


class FakeAws:
    """Answers each reading of the log with the next list of events, or error."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.params = []

    def pages(self, service, operation, doing, key, params):
        self.params.append(params)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def raw(at_ms, message, event_id):
    return {"timestamp": at_ms, "message": message + "\n", "eventId": event_id}


def unnamed(at_ms, message):
    return {"timestamp": at_ms, "message": message, "logStreamName": "1"}


def query(since_ms=0, **changes):
    return Query("/aws/lambda/greeter", since_ms, **changes)


def following(aws, since_ms=0, waiting=lambda: None, lost=lambda _: None):
    clock = Clock(now=lambda: 0.0, sleep=lambda _: None)
    return follow(aws, query(since_ms), clock, waiting, lost)


def texts(batch):
    return [event.message for event in batch]


def test_events_come_oldest_first():
    aws = FakeAws([raw(2, "b", "2"), raw(1, "a", "1")])
    assert texts(read_events(aws, query())) == ["a", "b"]


def test_a_query_asks_for_its_time_and_pattern_only():
    aws = FakeAws([], [])
    read_events(aws, query(5))
    read_events(aws, query(5, until_ms=9, pattern="?ERROR"))
    assert aws.params == [
        {"logGroupName": "/aws/lambda/greeter", "startTime": 5},
        {
            "logGroupName": "/aws/lambda/greeter",
            "startTime": 5,
            "endTime": 9,
            "filterPattern": "?ERROR",
        },
    ]


def test_following_gives_each_event_once_even_a_late_one():
    first = [raw(50_000, "b", "2")]
    aws = FakeAws(first, [raw(25_000, "late", "1"), *first, raw(51_000, "c", "3")])
    batches = following(aws, 5_000)
    assert [texts(next(batches)) for _ in range(2)] == [["b"], ["late", "c"]]
    assert [params["startTime"] for params in aws.params] == [5_000, 20_000]


def test_equal_lines_of_one_moment_are_events_of_their_own():
    alike = [unnamed(1, "tick"), unnamed(1, "tick")]
    batches = following(FakeAws(alike, [*alike, unnamed(1, "tick")]))
    assert [texts(next(batches)) for _ in range(2)] == [["tick", "tick"], ["tick"]]


def test_following_never_asks_again_for_what_is_before_its_time():
    aws = FakeAws([], [raw(1_000, "early", "1")], [])
    batches = following(aws, 1_000)
    assert [texts(next(batches)) for _ in range(3)] == [[], ["early"], []]
    assert {params["startTime"] for params in aws.params} == {1_000}


def test_following_waits_for_a_log_group_and_says_so_once():
    told = []
    aws = FakeAws(NotFound("gone"), NotFound("gone"), [raw(1, "a", "1")])
    batches = following(aws, waiting=lambda: told.append("waiting"))
    assert [texts(next(batches)) for _ in range(3)] == [[], [], ["a"]]
    assert told == ["waiting"]


def test_following_outlives_throttling_from_its_beginning():
    throttled = Unavailable("slow down", code="ThrottlingException")
    batches = following(FakeAws(throttled, [raw(1, "a", "1")], Denied("no")))
    assert [texts(next(batches)) for _ in range(2)] == [[], ["a"]]
    with pytest.raises(Denied):
        next(batches)


def test_following_outlives_a_network_that_is_away_and_says_so_once():
    lost, gone = [], Unavailable("could not be reached")
    aws = FakeAws([raw(1, "a", "1")], gone, gone, [raw(2, "b", "2")], gone)
    batches = following(aws, lost=lost.append)
    assert [texts(next(batches)) for _ in range(5)] == [["a"], [], [], ["b"], []]
    assert lost == [gone, gone]


def test_following_does_not_begin_without_a_network():
    with pytest.raises(Unavailable):
        next(following(FakeAws(Unavailable("could not be reached"))))


class Streams:
    """A log group whose streams hold these events."""

    def __init__(self, **streams):
        self.streams = streams
        self.calls = []

    def call(self, service, operation, _doing, params):
        self.calls.append(Step(service, operation, params, "", ""))
        if operation == "describe_log_streams":
            return {"logStreams": [{"logStreamName": name} for name in self.streams]}
        return {"events": self.streams[params["logStreamName"]][-params["limit"] :]}


def test_the_last_events_come_from_the_newest_streams_oldest_first():
    first = [{"timestamp": n, "message": f"a{n}\n"} for n in range(0, 30, 2)]
    second = [{"timestamp": 21, "message": "b21"}, {"timestamp": 99, "message": "b99"}]
    aws = Streams(newest=second, older=first)
    found = read_last(aws, "/aws/lambda/greeter")
    assert texts(found) == ["a14", "a16", "a18", "a20", "b21", "a22", "a24", "a26", "a28", "b99"]
    assert_valid(aws.calls)
