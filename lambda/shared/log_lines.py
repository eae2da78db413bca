"""The log lines of both functions, one JSON object each, and the metrics in them.

No name or text of a message may reach a log line. CloudWatch Logs takes the metrics out of a line
that has an `_aws` member: no call, no permission, no waiting. A metric is a number that the line
holds, so nothing personal may be among them or among the dimensions.
Source: CloudWatch guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from botocore.exceptions import ClientError

NAMESPACE = "LambdaChat"
MAX_VALUES = 100


def error_code(error: Exception) -> str:
    """Return AWS's own code of an error, or its type's name: both are safe to log."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def log(level: str, event: str, **fields: object) -> None:
    """Write one JSON line without empty fields; Lambda sends it to CloudWatch Logs as it is."""
    given = {key: value for key, value in fields.items() if value not in ("", None, [])}
    print(json.dumps({"level": level, "event": event, **given}), flush=True)  # noqa: T201


def metric_line(
    now_s: float, dimensions: Mapping[str, str], values: Mapping[str, int | list[int]]
) -> dict[str, object]:
    """Return the members that make a log line one of metrics too.

    A list holds a number for each message. Zeros and empty lists are in the line, but are no
    metrics: nothing happened. Units: names that end in _ms are milliseconds, others are counts.
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
