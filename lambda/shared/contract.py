"""What both functions share: channel names, ids, times, reading untrusted values.

It must not call AWS.
"""

from __future__ import annotations

import re
from datetime import datetime

CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# Ids of messages begin with a time. Ids of changes begin with this and sort after every message, so
# a Query of messages ends before them.
AFTER_MESSAGES = "~"
RESERVED_CHANNELS = frozenset({"channels", "stats"})  # data/channels.json is no transcript


def dig(value: object, *keys: str) -> object:
    """Return the value under nested keys, None if one of them is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def iso_ms(moment: datetime) -> str:
    """Return a UTC time as rows store it: ISO 8601 with milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
