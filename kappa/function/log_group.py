"""Read the function's log group and plan its retention. kappa never removes a log group."""

from __future__ import annotations

import msgspec

from kappa.aws import Aws
from kappa.config.model import Config
from kappa.plan.step import Note, Plan, Step


class LogGroup(msgspec.Struct, frozen=True):
    """An existing log group; without retention_days, its logs never expire."""

    retention_days: int | None = None


def read_log_group(aws: Aws, config: Config) -> LogGroup | None:
    """Read the log group if the config sets its retention, else return None."""
    if config.function.log_retention_days is None:
        return None
    return find_log_group(aws, config.function.log_group)


def find_log_group(aws: Aws, name: str) -> LogGroup | None:
    """Find a log group by its name; None if it does not exist."""
    groups = aws.pages(
        "logs",
        "describe_log_groups",
        f"reading the log group {name}",
        "logGroups",
        {"logGroupNamePrefix": name},
    )
    group = next((group for group in groups if group["logGroupName"] == name), None)
    return LogGroup(group.get("retentionInDays")) if group else None


def plan_retention(config: Config, state: LogGroup | None) -> Plan:
    """Plan the log group and how long it keeps logs."""
    days = config.function.log_retention_days
    if days is None:
        return []
    name = config.function.log_group
    if state and state.retention_days == days:
        return [Note("unchanged", f"log group {name}")]
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
    creation = Step(
        "logs",
        "create_log_group",
        group,
        "created",
        f"log group {name}",
        settled=("ResourceAlreadyExistsException",),
    )
    return [creation, retention]


def plan_log_group_delete(config: Config) -> Plan:
    """Note that the logs stay."""
    return [Note("kept", f"log group {config.function.log_group} with its logs, if any")]
