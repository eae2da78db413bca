"""How a log looks: a request under its header, in colour, and one line for a script."""

import json

from kappa.commands import log_view
from kappa.commands.console import style
from kappa.commands.log_events import Event
from kappa.commands.log_requests import RequestTracker
from tests.support.kappa.logs import AT, A, grouped, looks, report, start


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
