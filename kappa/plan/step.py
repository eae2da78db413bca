"""A step: one AWS call planned as data, with its wait and its label. Pure.

A plan can be printed, compared and checked without AWS; apply.py carries it out. A command that
does less than deploy selects from deploy's plan.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

WAIT_DEADLINE_S = 300.0
CREATING_MARKS = frozenset({"attached", "created"})
# Marks that need no output: nothing differs from the config.
SETTLED = frozenset({"exists", "gone", "unchanged"})
# Functions, steps for failures and what only the output needs; sources/plan.py drops equal steps.
_NOT_COMPARED = frozenset({"recheck", "fills", "before", "merge", "guard", "undo", "key"})


class Wait(msgspec.Struct, frozen=True):
    """A condition to poll: `field` of the answer becomes one of `until`, or the resource is gone.

    takes: params of the poll that the step's own answer provides, e.g. the new version's number.
    for_next: the wait only serves a following step; the last step of a plan skips it.
    Shape: field is a dotted path, e.g. "EventSourceMappings.0.State".
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    field: str
    until: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reason: str = ""
    gone: bool = False
    deadline_s: float = WAIT_DEADLINE_S
    takes: Mapping[str, str] = msgspec.field(default_factory=dict)
    for_next: bool = False


class Merge(msgspec.Struct, frozen=True):
    """A shared document that AWS only replaces as a whole, without a condition.

    It is read right before each attempt to write it, and again afterwards. `into` turns the
    current document into the write's params, or None if nothing differs. Another writer may
    overwrite ours, so the document is read once more at the end of the plan.
    """

    operation: str
    params: Mapping[str, Any]
    into: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


class Recheck(msgspec.Struct, frozen=True):
    """How to check whether a step that failed with a conflict has been done anyway.

    Its own answer may have been lost, or another deploy was faster. It is done if the answer of
    `operation` `fits` the step's params.
    """

    operation: str
    params: Mapping[str, Any]
    fits: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


class Guard(msgspec.Struct, frozen=True):
    """The state that a write relies on, read right before it.

    `check` gets the answer and the step's params, and returns False if nothing is left to do.
    `takes` maps params to dotted paths of the answer. With a RevisionId, AWS refuses the write
    after another change; the state is then read and checked again. `known` is the answer that the
    plan was made with, if nothing of the plan changes it before: it is not read a second time.
    Raises, in `check`: Conflict, if the state is not the one that was planned with.
    """

    operation: str
    params: Mapping[str, Any]
    check: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    takes: Mapping[str, str] = msgspec.field(default_factory=dict)
    known: Mapping[str, Any] | None = None


class Step(msgspec.Struct, frozen=True, eq=False):
    """One AWS call. `params` are the SDK's own.

    before: the current values of the keys in `params` that change, for diff.
    settled: error codes that mean that nothing is left to do.
    takes: params that the previous step's answer provides, by dotted path, such as the number of
        a new version.
    fills: placeholders in the message that the answer replaces, as {"(new)": "Version"}.
    refused: the dotted path of a refusal inside a successful answer.
        Shape: {"ErrorCode", "ErrorMessage"}.
    expected: values that the answer must have, by dotted path; `unexpected_hint` goes with the
        error otherwise.
    recheck: tells a conflict with our own earlier call from one with another writer.
    undo: restores what the previous step removed, if this step fails.
    key: the key path of the config that the whole step comes from.
    hint: the hint of any refusal; conflict_hint replaces it for a conflict.
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    mark: str
    message: str
    wait: Wait | None = None
    settled: tuple[str, ...] = ()
    conflict_hint: str = ""
    hint: str = ""
    refused: str = ""
    recheck: Recheck | None = None
    takes: Mapping[str, str] = msgspec.field(default_factory=dict)
    fills: Mapping[str, str] = msgspec.field(default_factory=dict)
    before: Mapping[str, Any] = msgspec.field(default_factory=dict)
    merge: Merge | None = None
    guard: Guard | None = None
    expected: Mapping[str, Any] = msgspec.field(default_factory=dict)
    unexpected_hint: str = ""
    undo: Step | None = None
    key: tuple[str | int, ...] = ()

    def __eq__(self, other: object) -> bool:
        """Compare all fields but those in _NOT_COMPARED."""
        return isinstance(other, Step) and all(
            getattr(self, field) == getattr(other, field)
            for field in self.__struct_fields__
            if field not in _NOT_COMPARED
        )


class Note(msgspec.Struct, frozen=True):
    """An item that needs no call, and why: it exists, is unchanged, gone or kept."""

    mark: str
    message: str


Plan = Sequence[Step | Note]


class Report(msgspec.Struct, frozen=True):
    """The outcome of one item of a plan."""

    mark: str
    message: str
    seconds: float = 0.0


class Call(Protocol):
    """The function that makes a step's call: Aws.call."""

    def __call__(
        self, service: str, operation: str, doing: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make one call."""


class Clock(msgspec.Struct, frozen=True):
    """The time functions, which tests replace."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def steps(plan: Plan) -> list[Step]:
    """Select the plan's calls."""
    return [item for item in plan if isinstance(item, Step)]


def only_creating(plan: Plan) -> Plan:
    """Keep the steps that create; an existing resource is only noted, even where it differs."""
    return [
        item if _makes(item) or item.mark not in ("unchanged", "updated") else _exists(item)
        for item in plan
        if item.mark != "removed"
    ]


def only_updating(plan: Plan, hint: str) -> Plan:
    """Keep the steps that update; a missing resource is noted, with a hint how to create it."""
    return [Note("missing", f"{item.message} ({hint})") if _makes(item) else item for item in plan]


def without_settled(plan: Plan) -> Plan:
    """Leave out the notes on items that already match the config."""
    return [item for item in plan if isinstance(item, Step) or item.mark not in SETTLED]


def _makes(item: Step | Note) -> bool:
    return isinstance(item, Step) and item.mark in CREATING_MARKS


def _exists(item: Step | Note) -> Note:
    return Note("exists", item.message)
