"""Invoke the function many times, some at once, and sum up how long it took.

Owns the calls and what their numbers are. It prints nothing.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass

from kappa.commands.humanize import duration
from kappa.commands.invoke import LOST, THROTTLED, Answer
from kappa.commands.log_lines import Report, report_of
from kappa.errors import AwsError

# Errors that are a call's own: the next one may well succeed.
_COUNTED = {THROTTLED: "throttled", LOST: "the answer did not come whole"}


@dataclass(frozen=True)
class Call:
    """One invocation: how long its answer took, what went wrong, what Lambda reported."""

    ms: float
    problem: str = ""
    report: Report | None = None


@dataclass(frozen=True)
class Spread:
    """How numbers are spread."""

    min: float
    median: float
    p95: float
    max: float


@dataclass(frozen=True)
class Summary:
    """What many calls came to. `billed_ms` and memory are None where no report came back."""

    calls: int
    failed: int
    problems: dict[str, int]
    seconds: float
    client_ms: Spread | None
    billed_ms: Spread | None
    memory_mb: int | None
    max_memory_used_mb: int | None
    cold_starts: int


def run(send: Callable[[], Answer], times: int, at_once: int) -> Iterator[Call]:
    """Make the calls, giving each as it ends.

    A failing function, a throttled call and a lost answer are counted; any other error ends it all.
    Raises: NotFound, Denied, AwsError.
    """
    pool = ThreadPoolExecutor(at_once)
    try:
        for future in as_completed([pool.submit(_call, send) for _ in range(times)]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _call(send: Callable[[], Answer]) -> Call:
    started = time.monotonic()
    try:
        answer = send()
    except AwsError as error:
        if error.code not in _COUNTED:
            raise
        return Call((time.monotonic() - started) * 1000, _COUNTED[error.code])
    ms = (time.monotonic() - started) * 1000
    return Call(ms, answer.problem if answer.error else "", report_of(answer.log))


def summary(calls: Sequence[Call], seconds: float) -> Summary:
    """Sum up; the times are of all calls, failed ones too."""
    reports = [call.report for call in calls if call.report]
    problems = Counter(call.problem for call in calls if call.problem)
    return Summary(
        calls=len(calls),
        failed=problems.total(),
        problems=dict(problems.most_common()),
        seconds=round(seconds, 3),
        client_ms=spread([call.ms for call in calls]),
        billed_ms=spread([report.billed_ms for report in reports]),
        memory_mb=max((report.memory_mb for report in reports), default=None),
        max_memory_used_mb=max((report.used_mb for report in reports), default=None),
        cold_starts=sum(report.init_ms is not None for report in reports),
    )


def spread(numbers: Sequence[float]) -> Spread | None:
    """Find how numbers are spread: of n, p95 is the one that 95 % do not exceed."""
    if not numbers:
        return None
    ranked = sorted(numbers)

    def at(share: float) -> float:
        return round(ranked[max(0, math.ceil(share * len(ranked)) - 1)], 3)

    return Spread(at(0), at(0.5), at(0.95), at(1))


def data(found: Summary) -> dict[str, object]:
    """Write the summary for scripts: its own names, in ms and MB."""
    return asdict(found)


def table(found: Summary, at_once: int) -> list[str]:
    """Write the summary for a person."""
    pace = found.calls / found.seconds if found.seconds else 0
    lines = [
        f"calls       {found.calls} in {found.seconds:.1f} s, {at_once} at once: {pace:.0f}/s",
        f"failed      {found.failed}",
        *(f"  {count:>8}  {problem}" for problem, count in found.problems.items()),
        f"{'':10}{''.join(name.rjust(11) for name in ('min', 'median', 'p95', 'max'))}",
    ]
    for name, has in (("answered", found.client_ms), ("billed", found.billed_ms)):
        if has:
            cells = (duration(ms).rjust(11) for ms in (has.min, has.median, has.p95, has.max))
            lines.append(f"{name:10}{''.join(cells)}")
    if found.max_memory_used_mb is not None:
        lines.append(f"memory      {found.max_memory_used_mb} of {found.memory_mb} MB at most")
        lines.append(f"cold starts {found.cold_starts}")
    else:
        lines.append("billed time and memory: no call answered with its report")
    return lines
