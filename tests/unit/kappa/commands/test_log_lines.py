"""What a line of a log says, on recorded lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kappa.commands import log_view
from kappa.commands.log_events import Event
from kappa.commands.log_lines import Report, parse
from kappa.commands.log_requests import Requests, RequestTracker

ID = "8fc6f963-411b-58b5-8483-a32130c0f45d"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 201.67 ms\tBilled Duration: 202 ms\t"
    "Memory Size: 2048 MB\tMax Memory Used: 81 MB\t"
)
XRAY = (
    "\nXRAY TraceId: 1-61c86fa4-59b3c6d959653c527fd10966\tSegmentId: 107ea78a5750a811\t"
    "Sampled: true\t"
)
PLATFORM_REPORT = {
    "time": "2026-01-01T12:00:00.123Z",
    "type": "platform.report",
    "record": {
        "requestId": ID,
        "metrics": {
            "durationMs": 201.67,
            "billedDurationMs": 202,
            "memorySizeMB": 2048,
            "maxMemoryUsedMB": 81,
            "initDurationMs": 480.25,
        },
        "status": "success",
    },
}


def test_a_report_gives_its_numbers():
    assert parse(REPORT).report == Report(ID, 201.67, 202, 2048, 81)


def test_a_cold_starts_report_with_a_trace_gives_its_init_too():
    report = parse(f"{REPORT}Init Duration: 480.25 ms\t{XRAY}").report
    assert report == Report(ID, 201.67, 202, 2048, 81, 480.25)


def test_a_restored_snapshots_billed_restore_is_not_the_billed_duration():
    text = f"{REPORT}Restore Duration: 500.10 ms\tBilled Restore Duration: 101 ms\t"
    assert parse(text).report == Report(ID, 201.67, 202, 2048, 81)


@pytest.mark.parametrize("status", ["timeout", "error"])
def test_a_report_says_that_the_request_failed(status):
    line = parse(f"{REPORT}Status: {status}\tError Type: Runtime.ExitError")
    assert line.report.status == status
    assert line.is_error


def test_a_json_report_gives_the_same_numbers():
    line = parse(json.dumps(PLATFORM_REPORT))
    assert line.kind == "report"
    assert line.report == Report(ID, 201.67, 202, 2048, 81, 480.25, "success")
    assert not line.is_error


@pytest.mark.parametrize(
    "text",
    [
        f"REPORT RequestId: {ID}\tDuration: 1 ms",
        f"REPORT RequestId: {ID}\tDuration: x ms\tBilled Duration: 1 ms",
        json.dumps({"type": "platform.report", "record": {"requestId": ID, "metrics": {}}}),
        json.dumps({"type": "platform.report", "record": {"requestId": ID, "metrics": None}}),
    ],
)
def test_a_report_that_lacks_numbers_is_a_line_without_report(text):
    line = parse(text)
    assert (line.kind, line.report, line.request_id) == ("report", None, ID)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"START RequestId: {ID} Version: $LATEST", "start"),
        (f"END RequestId: {ID}", "end"),
        ("INIT_START Runtime Version: python:3.13.v30\tRuntime Version ARN: arn:aws:x", "platform"),
        ("INIT_REPORT Init Duration: 9999.50 ms\tPhase: init\tStatus: timeout", "platform"),
        ("EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE]", "platform"),
        (json.dumps({"type": "platform.start", "record": {"requestId": ID}}), "start"),
        (json.dumps({"type": "platform.runtimeDone", "record": {"requestId": ID}}), "end"),
        (json.dumps({"type": "platform.initStart", "record": {}}), "platform"),
        ("START of my own line", "text"),
        ("REPORT: nothing new", "text"),
    ],
)
def test_lambdas_own_lines_are_known(text, kind):
    assert parse(text).kind == kind


def test_pythons_logger_says_level_and_request():
    line = parse(f"[WARNING]\t2026-01-01T12:00:00.123Z\t{ID}\tlow on\ttea\n")
    assert (line.level, line.request_id, line.text) == ("WARNING", ID, "low on\ttea\n")


def test_nodes_console_says_level_and_request():
    line = parse(f"2026-01-01T12:00:00.123Z\t{ID}\tERROR\tInvoke Error \t{{}}")
    assert (line.level, line.request_id) == ("ERROR", ID)
    assert parse("2026-01-01T12:00:00.123Z\tundefined\tINFO\tinit").request_id == ""


@pytest.mark.parametrize(
    "text",
    [
        "[ERROR] ValueError: boom\nTraceback (most recent call last):\n  File",
        f"2026-01-01T12:00:00.123Z {ID} Task timed out after 3.00 seconds",
        "Traceback (most recent call last):",
        "KeyError: 'tea'",
        '{"level": "error", "msg": "boom"}',
        '{"log_level": "CRITICAL", "message": "boom"}',
    ],
)
def test_errors_are_seen(text):
    assert parse(text).is_error


@pytest.mark.parametrize("text", ["", "no errors", "[x] y", "Error rate 0", "{", "{not json}"])
def test_what_is_no_error_is_none(text):
    line = parse(text)
    assert not line.is_error
    assert line.text == text or line.level


TIMES = ["2026-11-26T21:46:22.271Z", "2026-11-26 21:46:22,271+0000", 1795729582, 1795729582271.0]


@pytest.mark.parametrize("time", TIMES)
def test_a_json_line_gives_level_text_request_and_the_other_fields(time):
    said = {"timestamp": time, "level": "info", "event": "stored", "requestId": ID, "n": 3}
    line = parse(json.dumps(said))
    assert (line.level, line.text, line.request_id) == ("INFO", "stored", ID)
    assert line.fields == {"n": 3}


@pytest.mark.parametrize(
    "said",
    [
        {"time": "late"},
        {"ts": 1.5},
        {"time": True},
        {"level": 3},
        {"severity": "spicy"},
        {"request_id": "order-17"},
        {"message": None},
    ],
)
def test_what_only_has_the_name_of_a_time_level_id_or_text_is_a_field(said):
    line = parse(json.dumps(said))
    assert (line.level, line.request_id, line.text) == ("", "", "")
    assert line.fields == said


def test_a_second_level_id_or_time_is_a_field():
    said = {"level": "INFO", "requestId": ID, "time": TIMES[0]}
    more = {"severity": "ERROR", "aws_request_id": f"ffff{ID[4:]}", "ts": 1795729582}
    more |= {"timestamp": "2026-11-26 12:00 to 13:00, tea"}
    line = parse(json.dumps(said | more))
    assert (line.level, line.request_id) == ("INFO", ID)
    assert line.fields == more


def test_a_message_beside_an_event_is_a_field():
    assert parse('{"event": "stored", "message": "Hello"}').fields == {"message": "Hello"}


@pytest.mark.parametrize("said", [{}, {"level": 3}, {"message": {"a": 1}}, {"type": "platform.x"}])
def test_odd_json_is_still_a_line(said):
    assert isinstance(parse(json.dumps(said)).text, str)


FAKES = [
    '{"n": ' + "9" * 5000 + "}",
    '{"a":' * 5000 + "1" + "}" * 5000,
    '{"a":' * 500 + "1" + "}" * 500,
    REPORT.replace("201.67", "1e999"),
    REPORT.replace("2048", "1e999"),
    REPORT.replace("2048", "nan"),
    REPORT.replace("2048 MB", " "),
    json.dumps(PLATFORM_REPORT).replace("201.67", "1e999"),
    json.dumps(PLATFORM_REPORT).replace("81", "1e999"),
    json.dumps(PLATFORM_REPORT).replace("81", "1" + "0" * 400),
    json.dumps(PLATFORM_REPORT).replace("201.67", '""'),
    '{"type": "platform.report", "record": {"metrics": [1]}}',
    '{"level": {"a": 1}, "message": ["x"], "requestId": 1e999}',
    '{"message": "\\ud800"}',
]


@pytest.mark.parametrize("message", FAKES, ids=range(len(FAKES)))
def test_no_line_blinds_the_log(message):
    line = parse(message)
    assert line.report is None
    look_at(message)


@given(st.text() | st.from_regex(r"(REPORT|START) RequestId: [0-9a-f-]{36}\t.*"))
def test_any_line_is_shown(message):
    look_at(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYS = st.sampled_from(["type", "record", "level", "message", "requestId", "stackTrace", "x"])


@given(st.dictionaries(KEYS, JSON | st.just("platform.report")))
def test_any_json_line_is_shown(value):
    look_at(json.dumps(value))


def look_at(message):
    entries = [RequestTracker().entry(Event(1, message, "stream"))]
    requests = Requests()
    requests.add(entries)
    for request in requests.take():
        log_view.pretty(request)
    log_view.plain(entries[0].event)
    json.loads(log_view.as_object(entries[0]))


@pytest.mark.parametrize(
    "text", ["Error: Task timed out after 1.00 seconds", "Error: Runtime exited with error: signal"]
)
def test_a_line_that_names_its_request_first_is_that_requests_error(text):
    line = parse(f"RequestId: {ID} {text}")
    assert (line.text, line.level, line.request_id) == (text, "ERROR", ID)
