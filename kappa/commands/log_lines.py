"""What a line of a function's log means: Lambda's own lines, JSON lines, a runtime's lines.

Pure text: it asks nobody and knows no colour.
Source: AWS Lambda guide, "Viewing Lambda function logs", "Log formats"; "Lambda Telemetry API
Event schema reference" for what the platform writes where a function logs in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from kappa.texts import finite, read_json

ERRORS = frozenset({"ERROR", "CRITICAL", "FATAL"})
LEVELS = ERRORS | {"TRACE", "DEBUG", "INFO", "WARN", "WARNING"}
# Keys that the header of a request or the line's own columns show already, where the values are
# what the keys say.
_TIME_KEYS = ("timestamp", "time", "ts", "@timestamp")
_LEVEL_KEYS = ("level", "log_level", "levelname", "severity")
_ID_KEYS = ("requestId", "AWSRequestId", "aws_request_id", "function_request_id", "request_id")
_TEXT_KEYS = ("event", "message", "msg")
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)? ?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_EPOCH = ((1e9, 1e10), (1e12, 1e13))  # seconds, milliseconds
_PLATFORM = re.compile(rf"(START|END|REPORT) RequestId: ({_UUID})\b")
_PYTHON = re.compile(rf"\[([A-Z]+)\]\t\S+Z\t({_UUID})\t(.*)", re.DOTALL)
_NODE = re.compile(rf"\S+Z\t({_UUID}|undefined)\t([A-Z]+)\t(.*)", re.DOTALL)
_BRACKETS = re.compile(r"\[([A-Z]+)\]\s?(.*)", re.DOTALL)
_DIED = re.compile(
    rf"(?:\S+Z|RequestId:) ({_UUID}) ((?:Task timed out after|Process exited|Error:).*)", re.DOTALL
)
_RAISED = re.compile(r"Traceback \(most recent call last\):|[A-Za-z_.]*(Error|Exception)(:|$)")
_FACT = re.compile(r"([A-Z][A-Za-z ]+): ([^\t\n]+)")


class Report(msgspec.Struct, frozen=True):
    """What Lambda reports of a request at its end. Units: milliseconds and MB."""

    request_id: str
    duration_ms: float
    billed_ms: float
    memory_mb: int
    used_mb: int
    init_ms: float | None = None
    status: str = ""

    @property
    def failed(self) -> bool:
        """Whether Lambda itself reports that the request failed, such as by a timeout."""
        return self.status not in ("", "success")


class Line(msgspec.Struct, frozen=True):
    """One line. `kind` is start, end, report, platform (Lambda's others) or text."""

    text: str
    kind: str = "text"
    level: str = ""
    request_id: str = ""
    fields: Mapping[str, Any] = msgspec.field(default_factory=dict)
    report: Report | None = None

    @property
    def is_error(self) -> bool:
        """Whether the line reports a failure."""
        return self.level in ERRORS or bool(self.report and self.report.failed)


def parse(message: str) -> Line:
    """Read one line of a log; one that only looks like a line of Lambda's stays as written."""
    try:
        return _read(message)
    except (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return Line(message)


def _read(message: str) -> Line:
    if message.startswith("{"):
        return _json_line(message)
    if match := _PLATFORM.match(message):
        kind = match[1].lower()
        report = _text_report(message, match[2]) if kind == "report" else None
        return Line(message, kind, request_id=match[2], report=report)
    if re.match(r"(INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|EXTENSION\t)", message):
        return Line(message, "platform")
    if match := _PYTHON.match(message):
        return Line(match[3], level=match[1], request_id=match[2])
    if match := _NODE.match(message):
        return Line(match[3], level=match[2], request_id=match[1].replace("undefined", ""))
    if match := _DIED.match(message):
        return Line(match[2], level="ERROR", request_id=match[1])
    match = _BRACKETS.match(message)
    if match and match[1] in LEVELS:
        return Line(match[2], level=match[1])
    return Line(message, level="ERROR" if _RAISED.match(message) else "")


def _text_report(message: str, request_id: str) -> Report | None:
    facts = dict(_FACT.findall(message))
    try:
        return Report(
            request_id,
            _number(facts["Duration"]),
            _number(facts["Billed Duration"]),
            int(_number(facts["Memory Size"])),
            int(_number(facts["Max Memory Used"])),
            _number(facts["Init Duration"]) if "Init Duration" in facts else None,
            facts.get("Status", "").strip(),
        )
    except (KeyError, ValueError, IndexError):
        return None


def _number(value: object) -> float:
    """Read a number, with its unit or without.

    Raises: ValueError, if it is not a finite number; IndexError, if there is nothing.
    """
    return finite(str(value).split()[0])


def _json_line(message: str) -> Line:
    data = read_json(message)
    kind = data.get("type")
    record = data.get("record")
    if isinstance(kind, str) and kind.startswith("platform.") and isinstance(record, dict):
        return _platform_line(message, kind.removeprefix("platform."), record)
    times = [key for key in _TIME_KEYS if _is_time(data.get(key))]
    levels = [key for key in _LEVEL_KEYS if str(data.get(key)).upper() in LEVELS]
    ids = [key for key in _ID_KEYS if re.fullmatch(_UUID, str(data.get(key)))]
    used = next((key for key in _TEXT_KEYS if data.get(key) is not None), "")
    text = data.get(used, "")
    shown = {*times[:1], *levels[:1], *ids[:1], used, "_aws"}  # the last is of embedded metrics
    return Line(
        text if isinstance(text, str) else json.dumps(text, ensure_ascii=False),
        level=str(data[levels[0]]).upper() if levels else "",
        request_id=str(data[ids[0]]) if ids else "",
        fields={key: value for key, value in data.items() if key not in shown},
    )


def _is_time(value: object) -> bool:
    if isinstance(value, str):
        return _TIME.fullmatch(value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return any(start <= value < end for start, end in _EPOCH)


def _platform_line(message: str, kind: str, record: Mapping[str, Any]) -> Line:
    kinds = {"start": "start", "runtimeDone": "end", "report": "report"}
    request_id = str(record.get("requestId", ""))
    report = _json_report(record, request_id) if kind == "report" else None
    return Line(message, kinds.get(kind, "platform"), request_id=request_id, report=report)


def _json_report(record: Mapping[str, Any], request_id: str) -> Report | None:
    metrics = record.get("metrics", {})
    try:
        return Report(
            request_id,
            _number(metrics["durationMs"]),
            _number(metrics["billedDurationMs"]),
            int(_number(metrics["memorySizeMB"])),
            int(_number(metrics["maxMemoryUsedMB"])),
            _number(metrics["initDurationMs"]) if "initDurationMs" in metrics else None,
            str(record.get("status", "")),
        )
    except (KeyError, TypeError, ValueError, IndexError):
        return None
