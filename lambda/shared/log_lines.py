"""The log lines of both functions, one JSON object each, and the metrics in them.

Log lines must not hold a name, a text or anything else that is personal; neither must metrics and
their dimensions. CloudWatch Logs extracts the metrics from a line with an `_aws` member: no call,
no permission, no waiting.
Source: CloudWatch guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from botocore.exceptions import ClientError

NAMESPACE = "LambdaChat"
MAX_VALUES = 100


def error_code(error: Exception) -> str:
    """Return AWS's code of an error, or the exception's type: both are safe to log."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def log(level: str, event: str, **fields: object) -> None:
    """Write one JSON line without empty fields; Lambda sends it to CloudWatch Logs unchanged."""
    given = {key: value for key, value in fields.items() if value not in ("", None, [])}
    print(json.dumps({"level": level, "event": event, **given}), flush=True)  # noqa: T201


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
