"""CloudWatch metrics inside log lines.

Pure. CloudWatch Logs extracts the metrics from a line with an `_aws` member: no call, no
permission, no waiting. Values and dimensions must hold nothing personal.
Source: CloudWatch guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

from collections.abc import Mapping

NAMESPACE = "LambdaChat"
MAX_VALUES = 100


def metric_line(
    now_s: float, dimensions: Mapping[str, str], values: Mapping[str, int | list[int]]
) -> dict[str, object]:
    """Return the members that add metrics to a log line.

    A list holds a number for each message. Zeros and empty lists are logged, but not as metrics.
    Units: names that end in _ms are milliseconds, all others are counts.
    """
    given = {
        name: value[:MAX_VALUES] if isinstance(value, list) else value
        for name, value in values.items()
    }
    metrics = [
        {"Name": name, "Unit": "Milliseconds" if name.endswith("_ms") else "Count"}
        for name, value in given.items()
        if value
    ]
    if not metrics:
        return {**dimensions, **given}
    directive = {"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": metrics}
    about = {"Timestamp": round(now_s * 1000), "CloudWatchMetrics": [directive]}
    return {**dimensions, **given, "_aws": about}
