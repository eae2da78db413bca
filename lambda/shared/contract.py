"""What both functions have to agree on: channel names, times, values of any shape, log lines.

It must not call AWS, and no name or text may reach a log line.
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from botocore.exceptions import ClientError

CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# Ids of messages begin with a time. Those of changes begin with this and sort after every message:
# a Query of messages ends before them.
AFTER_MESSAGES = "~"
RESERVED_CHANNELS = frozenset({"channels", "stats"})  # data/channels.json is no transcript


def at(value: object, *keys: str) -> object:
    """Return what lies under the keys, None as soon as one is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def iso_ms(moment: datetime) -> str:
    """Return a UTC time as rows carry it: ISO 8601 with milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def error_code(error: Exception) -> str:
    """Return AWS's own code of an error, or its type's name: both are safe to log."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def log(level: str, event: str, **fields: object) -> None:
    """Write one JSON line, without what is empty; Lambda sends it to CloudWatch Logs as it is."""
    given = {key: value for key, value in fields.items() if value not in ("", None, [])}
    print(json.dumps({"level": level, "event": event, **given}), flush=True)  # noqa: T201
