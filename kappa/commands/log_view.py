"""How a log looks to a person: one line, or a request's lines under a header, in colour.

Pure: it neither asks nor prints. The console takes the colour away where there is no terminal.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kappa.commands.console import as_json, style
from kappa.commands.log_events import Event
from kappa.commands.log_requests import Entry, Request
from kappa.commands.numbers import duration
from kappa.texts import printable

_COLOURS = {
    "DEBUG": "blue",
    "TRACE": "blue",
    "INFO": "green",
    "WARN": "yellow",
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "red",
    "FATAL": "red",
}


def plain(event: Event) -> str:
    """One event as it was written, behind its time."""
    return f"{style(event.time, dim=True)} {printable(event.message)}"


def as_object(entry: Entry) -> str:
    """One event for a script: one line of JSON."""
    event = entry.event
    fields = {
        "time": event.time,
        "message": event.message,
        "stream": event.stream or None,
        "request_id": entry.request_id or None,
        "level": entry.line.level or None,
    }
    return as_json(fields, indent=None)


def pretty(request: Request) -> str:
    """A request's header and, below it, what the function wrote."""
    lines = [entry for entry in request.entries if entry.line.kind == "text"]
    return "\n".join([_header(request), *(row(entry, request.at_ms) for entry in lines)])


def _header(request: Request) -> str:
    time = request.entries[0].event.time.replace("T", " ").removesuffix("Z")
    short_id = request.request_id[:8] or "no request"
    head = f"{style(time, bold=True)}  {style(short_id, fg='cyan', bold=True)}"
    return "  ".join([head, *_facts(request)])


def _facts(request: Request) -> list[str]:
    report = request.report
    facts = []
    if report:
        facts = [
            duration(report.duration_ms),
            f"billed {duration(report.billed_ms)}",
            f"{report.used_mb}/{report.memory_mb} MB",
        ]
        if report.init_ms is not None:
            facts.append(f"init {duration(report.init_ms)}")
    elif request.request_id:
        facts = ["goes on"]
    if request.continued:
        facts.append("(continued)")
    facts = [style(fact, dim=True) for fact in facts]
    if request.failed:
        word = report.status if report and report.failed else "failed"
        facts.append(style(word, fg="red", bold=True))
    return facts


def row(entry: Entry, start_ms: int) -> str:
    """One line of a request, behind the time since its beginning."""
    line = entry.line
    since = style(f"{'+' + duration(entry.event.at_ms - start_ms):>10}", dim=True)
    text = printable(line.text).rstrip().replace("\n", "\n" + " " * 12)
    parts = [style(text, fg="red") if entry.is_error else text]
    if line.level and (line.fields or entry.event.message != line.text):
        parts.insert(0, style(line.level.lower(), fg=_COLOURS[line.level]))
    parts += [_fact(key, value) for key, value in line.fields.items() if not _is_trace(value)]
    traces = [value for value in line.fields.values() if _is_trace(value)]
    return f"{since}  {' '.join(parts)}{''.join(_trace(value) for value in traces)}"


def _fact(key: str, value: Any) -> str:  # noqa: ANN401 - any JSON
    bare = isinstance(value, str) and value and not any(char in value for char in ' "=\t\n')
    text = value if bare else json.dumps(value, ensure_ascii=False)
    return f"{style(printable(key), dim=True)}={printable(text)}"


def _is_trace(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a field is a traceback: one text of several lines, or a list of them."""
    if isinstance(value, str):
        return "\n" in value.rstrip("\n")
    return isinstance(value, list) and any(re.search(r"^\s|\n", str(item)) for item in value)


def _trace(value: str | list[str]) -> str:
    parts = [value] if isinstance(value, str) else value
    lines = [line for part in parts for line in printable(str(part)).rstrip("\n").split("\n")]
    return "".join(f"\n{' ' * 12}{style(line, fg='red')}" for line in lines)
