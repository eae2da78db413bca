"""A request's lines together, and how they look."""

import json

import click

from kappa.cli import log_view
from kappa.cli.console import style
from kappa.commands.log_events import Event
from kappa.commands.log_requests import PATIENCE_S, Requests, RequestTracker

A, B = "aaaaaaaa-411b-58b5-8483-a32130c0f45d", "bbbbbbbb-411b-58b5-8483-a32130c0f45d"
AT = 1_767_268_800_000


def start(request):
    return f"START RequestId: {request} Version: $LATEST"


def report(request, more=""):
    return (
        f"REPORT RequestId: {request}\tDuration: 12.30 ms\tBilled Duration: 13 ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: 45 MB\t{more}"
    )


def grouped(*lines):
    """The requests of (stream, message) pairs, a millisecond apart."""
    tracker, requests = RequestTracker(), Requests()
    events = [Event(AT + at, text, stream) for at, (stream, text) in enumerate(lines)]
    requests.add([tracker.entry(event) for event in events])
    return requests.take()


def messages(request):
    return [entry.event.message for entry in request.entries]


def looks(request):
    return click.unstyle(log_view.pretty(request)).splitlines()


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


def test_a_header_says_time_request_duration_billed_memory_and_init():
    (request,) = grouped(("1", start(A)), ("1", report(A, "Init Duration: 210.50 ms\t")))
    assert looks(request) == [
        "2026-01-01 12:00:00.000  aaaaaaaa  12 ms  billed 13 ms  45/128 MB  init 210 ms"
    ]


def test_a_failed_request_says_so_in_red():
    (request,) = grouped(("1", start(A)), ("1", report(A, "Status: timeout")))
    assert log_view.pretty(request).endswith(style("timeout", fg="red", bold=True))
    (request,) = grouped(("1", start(A)), ("1", "[ERROR] ValueError: boom"), ("1", report(A)))
    assert looks(request)[0].endswith("failed")


def test_a_json_line_stands_as_level_event_and_values():
    said = json.dumps({"level": "INFO", "event": "stored", "n": 3, "who": "Ada L", "x": None})
    (request,) = grouped(("1", start(A)), ("1", said))
    assert looks(request)[1] == '     +1 ms  info stored n=3 who="Ada L" x=null'


def test_a_traceback_is_red_whether_in_one_line_or_in_many():
    def red(text):
        return style(text, fg="red")

    lines = ["Traceback (most recent call last):", '  File "a.py", line 1', "ValueError: x", "on"]
    (request,) = grouped(*(("1", line) for line in lines))
    shown = log_view.pretty(request).splitlines()
    assert [red(text) in line for text, line in zip(lines, shown[1:], strict=True)] == [
        True,
        True,
        True,
        False,
    ]
    trace = {"level": "ERROR", "message": "boom", "stackTrace": ["  File 1\n    x\n", "  File 2"]}
    (request,) = grouped(("1", json.dumps(trace)))
    assert [line.strip() for line in looks(request)[2:]] == ["File 1", "x", "File 2"]


def test_what_a_function_logs_has_no_power_over_the_terminal():
    (request,) = grouped(("1", start(A)), ("1", "\x1b[2Jhi\u202e"), ("1", '{"k": "\\u001b[1m"}'))
    shown = "\n".join(looks(request))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2Jhi" in shown
    assert "\x1b[2J" not in log_view.plain(request.entries[1].event)


def test_a_traceback_in_one_event_stands_in_lines():
    (request,) = grouped(("1", "[ERROR] ValueError: x\rTraceback (most recent call last):\r  File"))
    assert [line.strip() for line in looks(request)[2:]] == [
        "Traceback (most recent call last):",
        "File",
    ]


def test_an_entry_for_scripts_is_one_line_of_json():
    entry = RequestTracker().entry(Event(AT, f"[INFO]\t2026Z\t{A}\thi\nho", "1"))
    line = log_view.as_object(entry)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-01-01T12:00:00.000Z",
        "message": f"[INFO]\t2026Z\t{A}\thi\nho",
        "stream": "1",
        "request_id": A,
        "level": "INFO",
    }


def test_a_stream_that_is_long_gone_is_forgotten():
    tracker = RequestTracker()
    tracker.entry(Event(AT, start(A), "first"))
    for number in range(1000):
        tracker.entry(Event(AT, "x", str(number)))
    assert tracker.entry(Event(AT, "late", "first")).request_id == ""
