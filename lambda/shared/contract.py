"""What both functions must agree on: channel names, ids, times, reading values of any shape.

It must not call AWS.
"""

from __future__ import annotations

import re
from datetime import datetime

CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# Ids of messages begin with a time. Those of changes begin with this and sort after every message:
# a Query of messages ends before them.
AFTER_MESSAGES = "~"
RESERVED_CHANNELS = frozenset({"channels", "stats"})  # data/channels.json is no transcript


def dig(value: object, *keys: str) -> object:
    """Return what lies under the keys, None as soon as a key is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def iso_ms(moment: datetime) -> str:
    """Return a UTC time as rows carry it: ISO 8601 with milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
