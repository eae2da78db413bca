"""Parts of a plan: what makes the missing, what changes the existing. Pure.

Owns which marks make and which change, so that a command that does less than deploy selects
from deploy's plan and plans nothing itself.
"""

from __future__ import annotations

from kappa.plan.step import Already, Plan, Step

MAKING = frozenset({"attached", "created"})
# Said of what is as the config wants it; the other marks of an Already are worth a line.
SETTLED = frozenset({"exists", "gone", "unchanged"})


def steps(plan: Plan) -> list[Step]:
    """What is there to do."""
    return [item for item in plan if isinstance(item, Step)]


def making(plan: Plan) -> Plan:
    """Make what is missing; what exists is left as it is, even where it differs."""
    return [
        item if _makes(item) or item.mark not in ("unchanged", "updated") else _exists(item)
        for item in plan
        if item.mark != "removed"
    ]


def changing(plan: Plan, hint: str) -> Plan:
    """Change what differs; what is missing is said, with a hint of how to make it."""
    return [
        Already("missing", f"{item.message} ({hint})") if _makes(item) else item for item in plan
    ]


def worth_a_line(plan: Plan) -> Plan:
    """Leave out what is as it should be."""
    return [item for item in plan if isinstance(item, Step) or item.mark not in SETTLED]


def _makes(item: Step | Already) -> bool:
    return isinstance(item, Step) and item.mark in MAKING


def _exists(item: Step | Already) -> Already:
    return Already("exists", item.message)
