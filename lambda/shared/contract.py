"""What both functions share: channel names, times, reading untrusted values, log lines.

It must not call AWS or log a name or a text.
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from botocore.exceptions import ClientError

CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# Ids of messages begin with a time. Ids of changes begin with this and sort after every message, so
# a Query of messages ends before them.
AFTER_MESSAGES = "~"
RESERVED_CHANNELS = frozenset({"channels", "stats"})  # data/channels.json is no transcript


def at(value: object, *keys: str) -> object:
    """Return the value under nested keys, None if one of them is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def iso_ms(moment: datetime) -> str:
    """Return a UTC time as rows store it: ISO 8601 with milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def error_code(error: Exception) -> str:
    """Return AWS's code of an error, or the exception's type: both are safe to log."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def log(level: str, event: str, **fields: object) -> None:
    """Write one JSON line without empty fields; Lambda sends it to CloudWatch Logs unchanged."""
    given = {key: value for key, value in fields.items() if value not in ("", None, [])}
    print(json.dumps({"level": level, "event": event, **given}), flush=True)  # noqa: T201
