"""The function's numbers, from CloudWatch: one query for all, then plain data.

Owns which metrics there are and how they are asked for. It prints nothing.
Source: AWS Lambda guide, "Types of metrics for Lambda functions".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from kappa.aws import Aws
from kappa.commands.numbers import duration, sparkline

_BARS = 30
_DAY_S = 86_400


class Metric(msgspec.Struct, frozen=True):
    """One row: CloudWatch's name and statistic, and how the bars make one number."""

    name: str
    label: str
    statistic: str
    unit: str = ""

    @property
    def id(self) -> str:
        """What the query is called: letters, digits and _."""
        return self.label.replace(" ", "_")

    @property
    def key(self) -> str:
        """Its name for scripts; times have their unit."""
        return f"{self.id}_ms" if self.unit == "ms" else self.id


METRICS = (
    Metric("Invocations", "invocations", "Sum"),
    Metric("Errors", "errors", "Sum"),
    Metric("Throttles", "throttles", "Sum"),
    Metric("Duration", "duration p50", "p50", "ms"),
    Metric("Duration", "duration p95", "p95", "ms"),
    Metric("Duration", "duration max", "Maximum", "ms"),
    Metric("ConcurrentExecutions", "concurrent", "Maximum"),
    Metric("IteratorAge", "iterator age", "Maximum", "ms"),
)


class Window(msgspec.Struct, frozen=True):
    """A time in equal parts. Units: epoch seconds; each part is a bar of period_s."""

    start_s: int
    end_s: int
    period_s: int

    @property
    def starts(self) -> list[int]:
        """When each part begins."""
        return list(range(self.start_s, self.end_s, self.period_s))


def window(since_s: float, now_s: float) -> Window:
    """Cut the time into at most about thirty parts that CloudWatch still has.

    Source: Amazon CloudWatch API reference, "GetMetricData": a minute's numbers are kept for 15
    days, five minutes' for 63, an hour's for 455.
    """
    age_s = now_s - since_s
    grain_s = 60 if age_s < 15 * _DAY_S else 300 if age_s < 63 * _DAY_S else 3600
    period_s = max(1, -(-int(age_s / _BARS) // grain_s)) * grain_s
    start_s = int(since_s // period_s) * period_s
    end_s = int(-(-now_s // period_s)) * period_s
    return Window(start_s, max(end_s, start_s + period_s), period_s)


def query(function: str, over: Window) -> dict[str, Any]:
    """The params of the one call: each metric in bars, percentiles for the whole time too."""
    whole_s = over.end_s - over.start_s
    return {
        "MetricDataQueries": [
            *(_stat(function, metric, metric.id, over.period_s) for metric in METRICS),
            *(
                _stat(function, metric, f"{metric.id}_whole", whole_s)
                for metric in METRICS
                if _ranked(metric)
            ),
        ],
        "StartTime": datetime.fromtimestamp(over.start_s, UTC),
        "EndTime": datetime.fromtimestamp(over.end_s, UTC),
        "ScanBy": "TimestampAscending",
    }


def _ranked(metric: Metric) -> bool:
    return metric.statistic.startswith("p")


def _stat(function: str, metric: Metric, query_id: str, period_s: int) -> dict[str, Any]:
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": metric.name,
                "Dimensions": [{"Name": "FunctionName", "Value": function}],
            },
            "Period": period_s,
            "Stat": metric.statistic,
        },
    }


def read_metrics(aws: Aws, function: str, over: Window) -> dict[str, dict[int, float]]:
    """Read the numbers: query id to time to number.

    Raises: Denied, AwsError.
    """
    results = aws.pages(
        "cloudwatch",
        "get_metric_data",
        f"reading the metrics of {function}",
        "MetricDataResults",
        query(function, over),
    )
    numbers: dict[str, dict[int, float]] = {}
    for result in results:
        points = zip(result["Timestamps"], result["Values"], strict=True)
        # A further page continues the same query.
        numbers.setdefault(result["Id"], {}).update((int(at.timestamp()), n) for at, n in points)
    return numbers


def metrics_data(
    function: str, over: Window, numbers: Mapping[str, Mapping[int, float]]
) -> dict[str, Any]:
    """Describe the metrics for scripts.

    Shape: {function, since, until, period_s, metrics: {name: {value, points: [number or null]}}}.
    """
    metrics = {}
    for metric in METRICS:
        bars = numbers.get(metric.id, {})
        points = [bars.get(start) for start in over.starts]
        whole = numbers.get(f"{metric.id}_whole", {}) if _ranked(metric) else bars
        metrics[metric.key] = {"value": _value(metric, whole), "points": points}
    return {
        "function": function,
        "since": _iso(over.start_s),
        "until": _iso(over.end_s),
        "period_s": over.period_s,
        "metrics": metrics,
    }


def _value(metric: Metric, parts: Mapping[int, float]) -> float | None:
    if not parts:
        return None
    # CloudWatch may cut the whole time in two, at a full hour: the worse percentile counts.
    return sum(parts.values()) if metric.statistic == "Sum" else max(parts.values())


def _iso(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")


def metrics_table(data: Mapping[str, Any], encoding: str) -> Sequence[tuple[str, str, str]]:
    """Turn the data into rows: label, number, bars; a metric without a number has "-"."""
    rows = []
    for metric in METRICS:
        row = data["metrics"][metric.key]
        bars = sparkline(row["points"], encoding) if row["value"] is not None else ""
        rows.append((metric.label, _words(metric, row["value"]), bars))
    return rows


def _words(metric: Metric, value: float | None) -> str:
    if value is None:
        return "-"
    return duration(value) if metric.unit == "ms" else f"{value:,.0f}"
