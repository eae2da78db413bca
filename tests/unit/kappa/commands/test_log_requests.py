"""A request's lines together."""

import json

from kappa.commands.log_events import Event
from kappa.commands.log_requests import PATIENCE_S, Requests, RequestTracker
from tests.support.kappa.logs import AT, A, B, grouped, looks, report, start


def messages(request):
    return [entry.event.message for entry in request.entries]


def test_parallel_requests_are_told_apart_by_their_streams():
    lines = [("1", start(A)), ("2", start(B)), ("1", "a"), ("2", "b"), ("1", report(A))]
    first, second = grouped(*lines, ("2", report(B)))
    assert messages(first) == [start(A), "a", report(A)]
    assert messages(second) == [start(B), "b", report(B)]


def test_a_line_that_names_its_request_belongs_there_whatever_its_stream():
    named = json.dumps({"message": "b", "requestId": B})
    first, second = grouped(("1", start(A)), ("1", named), ("2", report(B)), ("3", report(A)))
    assert messages(second) == [named, report(B)]
    assert messages(first) == [start(A), report(A)]


def test_one_stream_runs_one_request_after_the_other():
    first, second = grouped(
        ("1", start(A)), ("1", report(A)), ("1", "late"), ("1", start(B)), ("1", "b")
    )
    assert messages(first) == [start(A), report(A), "late"]
    assert messages(second) == [start(B), "b"]


def test_the_beginning_of_a_stream_belongs_to_its_first_request():
    (request,) = grouped(("1", "INIT_START Runtime Version: python:3.13.v30"), ("1", start(A)))
    assert len(request.entries) == 2


def test_lines_before_the_first_start_are_no_ones():
    first, second = grouped(("1", "left over"), ("1", start(A)))
    assert (first.request_id, messages(first)) == ("", ["left over"])
    assert second.request_id == A


def test_while_following_a_request_is_given_when_it_is_complete():
    tracker, requests = RequestTracker(), Requests()
    requests.add([tracker.entry(Event(AT, start(A), "1"))], now_s=0)
    assert requests.take(now_s=1) == []
    requests.add([tracker.entry(Event(AT, report(A), "1"))], now_s=1)
    (request,) = requests.take(now_s=1)
    assert len(request.entries) == 2
    assert not request.continued


def test_while_following_a_long_request_is_given_as_far_as_it_is():
    tracker, requests = RequestTracker(), Requests()
    requests.add([tracker.entry(Event(AT, start(A), "1"))], now_s=0)
    (begun,) = requests.take(now_s=PATIENCE_S)
    assert looks(begun) == ["2026-01-01 12:00:00.000  aaaaaaaa  goes on"]
    requests.add([tracker.entry(Event(AT, report(A), "1"))], now_s=4)
    (rest,) = requests.take(now_s=4)
    assert looks(rest)[0].endswith("45/128 MB  (continued)")


def test_a_stream_that_is_long_gone_is_forgotten():
    tracker = RequestTracker()
    tracker.entry(Event(AT, start(A), "first"))
    for number in range(1000):
        tracker.entry(Event(AT, "x", str(number)))
    assert tracker.entry(Event(AT, "late", "first")).request_id == ""
