"""The function's log group: plan its retention, iterate over its events.

Owns the group's name and what a log event is. kappa never removes a log group.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kappa.aws import Aws
from kappa.errors import NotFound
from kappa.settings import Config
from kappa.steps import Already, Clock, Plan, Step

# CloudWatch makes events readable out of order, some seconds late.
_LATE_MS = 10_000
_POLL_S = 1.0


@dataclass(frozen=True)
class LogGroup:
    """A log group that exists; no days means that logs are kept for ever."""

    retention_days: int | None = None


@dataclass(frozen=True)
class Event:
    """One line of a log."""

    at_ms: int
    message: str
    key: object = field(default=None, compare=False)

    @property
    def time(self) -> str:
        """ISO 8601 UTC with milliseconds."""
        at = datetime.fromtimestamp(self.at_ms / 1000, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def group_name(function: str) -> str:
    """The log group that Lambda writes to."""
    return f"/aws/lambda/{function}"


def read(aws: Aws, config: Config) -> LogGroup | None:
    """Read the log group, only if the config has a retention for it."""
    if config.function.log_retention_days is None:
        return None
    name = group_name(config.function.name)
    groups = aws.pages(
        "logs",
        "describe_log_groups",
        f"reading the log group {name}",
        "logGroups",
        {"logGroupNamePrefix": name},
    )
    found = next((one for one in groups if one["logGroupName"] == name), None)
    return LogGroup(found.get("retentionInDays")) if found else None


def plan_retention(config: Config, state: LogGroup | None) -> Plan:
    """Plan the log group and how long it keeps logs."""
    days = config.function.log_retention_days
    if days is None:
        return []
    name = group_name(config.function.name)
    if state and state.retention_days == days:
        return [Already("unchanged", f"log group {name}")]
    group = {"logGroupName": name}
    retention = Step(
        "logs",
        "put_retention_policy",
        {**group, "retentionInDays": days},
        "updated",
        f"log group {name}: kept {days} days",
    )
    if state:
        return [retention]
    make = Step(
        "logs",
        "create_log_group",
        group,
        "created",
        f"log group {name}",
        settled=("ResourceAlreadyExistsException",),
    )
    return [make, retention]


def plan_delete(config: Config) -> Plan:
    """Say that the logs stay."""
    return [Already("kept", f"log group {group_name(config.function.name)} with its logs, if any")]


def read_events(aws: Aws, function: str, since_ms: int) -> list[Event]:
    """Read the events since a time, oldest first.

    Units: epoch milliseconds. Raises: NotFound, if the function has never logged.
    """
    found: list[dict[str, Any]] = aws.pages(
        "logs",
        "filter_log_events",
        f"reading the log of {function}",
        "events",
        {"logGroupName": group_name(function), "startTime": since_ms},
    )
    events = (Event(one["timestamp"], one["message"].rstrip("\n"), _key(one)) for one in found)
    return sorted(events, key=lambda event: event.at_ms)


def _key(raw: dict[str, Any]) -> object:
    return raw.get("eventId") or (raw["logStreamName"], raw["timestamp"], raw["message"])


def follow_events(
    aws: Aws, function: str, since_ms: int, clock: Clock | None = None
) -> Iterator[Event]:
    """Yield the events since a time and then, without end, each new one."""
    clock = clock or Clock(now=time.time)
    seen: dict[object, int] = {}
    while True:
        try:
            events = read_events(aws, function, since_ms)
        except NotFound:
            events = []
        for event in events:
            if event.key not in seen:
                seen[event.key] = event.at_ms
                yield event
        since_ms = max([since_ms, *(at_ms - _LATE_MS for at_ms in seen.values())])
        seen = {key: at_ms for key, at_ms in seen.items() if at_ms >= since_ms}
        clock.sleep(_POLL_S)
