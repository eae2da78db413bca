"""A step is one AWS call, planned as data: what to call, what to wait for, what it is called.

A plan can be printed, compared and checked without AWS; apply.py carries it out. A command that
does less than deploy selects from deploy's plan, and plans nothing itself. Pure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

WAIT_DEADLINE_S = 300.0
MAKING = frozenset({"attached", "created"})
# Marks of what is as the config wants it. The other marks of a Note are worth a line.
SETTLED = frozenset({"exists", "gone", "unchanged"})


def _empty(*, compare: bool = True) -> Any:  # noqa: ANN401 - dataclasses' own way
    return field(default_factory=dict, compare=compare)


@dataclass(frozen=True)
class Wait:
    """A condition to poll: `field` of the answer becomes one of `until`, or the thing is gone.

    `takes` is as a Step's, but of the answer that is waited for, e.g. the new version's number.
    One that is only `for_next` is for the steps that come after: the last one does not wait.
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
    takes: Mapping[str, str] = _empty()
    for_next: bool = False


@dataclass(frozen=True)
class Merge:
    """A document that others write too, and that AWS takes only as a whole and unconditionally.

    It is read anew right before each try of the write, and again after it: `into` turns what was
    read into the write's params, or None if nothing differs. Somebody who writes between our read
    and our write is overwritten, so the document is read once more at the end of the plan.
    """

    operation: str
    params: Mapping[str, Any]
    into: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Look:
    """Where to look whether a step that is refused as a conflict is done all the same.

    Either its own answer was lost, or another deploy was faster. It is done, if the answer of
    `operation` `fits` the step's params.
    """

    operation: str
    params: Mapping[str, Any]
    fits: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Guard:
    """What a write relies on: read right before it, since another may have changed it.

    `check` gets the answer and the step's params, and returns False if nothing is left to do.
    `takes` are params by dotted paths of the answer: with a RevisionId, AWS refuses the write if a
    change comes in between, and then all of this is done again.
    Raises, in `check`: Conflict, if it is not what the plan was made of.
    """

    operation: str
    params: Mapping[str, Any]
    check: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    takes: Mapping[str, str] = _empty()


@dataclass(frozen=True)
class Step:
    """One AWS call. `params` are the SDK's own.

    before: what AWS has now under the keys of `params` that change, for diff to show.
    settled: error codes that mean that nothing is left to do.
    takes: params whose value the answer of the step before gives, by a dotted path: only AWS knows
        a new version's number.
    fills: words of the message that the answer replaces, as {"(new)": "Version"}.
    refused: the dotted path of a refusal in an answer that is otherwise a success.
        Shape: {"ErrorCode", "ErrorMessage"}.
    expected: dotted paths of the answer with the values that must be there; if they are not,
        `unexpected_hint` is what to do.
    look: tells a conflict with our own earlier call from one with others.
    unless: asked right before the step; the Note that it returns is reported instead.
    undo: carried out if the step fails: it restores what the step before has removed.
    hint: goes with any refusal; conflict_hint with a conflict.
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
    look: Look | None = field(default=None, compare=False)
    takes: Mapping[str, str] = _empty()
    fills: Mapping[str, str] = _empty(compare=False)
    before: Mapping[str, Any] = _empty(compare=False)
    merge: Merge | None = field(default=None, compare=False)
    guard: Guard | None = field(default=None, compare=False)
    expected: Mapping[str, Any] = _empty()
    unexpected_hint: str = ""
    unless: Callable[[], Note | None] | None = field(default=None, compare=False)
    undo: Step | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Note:
    """Something that needs no call, and why: it exists, is unchanged, gone or kept."""

    mark: str
    message: str


Plan = Sequence[Step | Note]


@dataclass(frozen=True)
class Report:
    """What became of one item of a plan."""

    mark: str
    message: str
    seconds: float = 0.0


class Call(Protocol):
    """How a step reaches AWS: Aws.call."""

    def __call__(
        self, service: str, operation: str, doing: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make one call."""


@dataclass(frozen=True)
class Clock:
    """Time, so that tests need not wait."""

    now: Callable[[], float] = field(default=time.monotonic)
    sleep: Callable[[float], None] = field(default=time.sleep)


def steps(plan: Plan) -> list[Step]:
    """Select the calls that the plan makes."""
    return [item for item in plan if isinstance(item, Step)]


def making(plan: Plan) -> Plan:
    """Select what makes the missing; what exists is left as it is, even where it differs."""
    return [
        item if _makes(item) or item.mark not in ("unchanged", "updated") else _exists(item)
        for item in plan
        if item.mark != "removed"
    ]


def changing(plan: Plan, hint: str) -> Plan:
    """Select what changes the existing; what is missing is named, with a hint of how to make it."""
    return [Note("missing", f"{item.message} ({hint})") if _makes(item) else item for item in plan]


def worth_a_line(plan: Plan) -> Plan:
    """Leave out what is as the config wants it."""
    return [item for item in plan if isinstance(item, Step) or item.mark not in SETTLED]


def _makes(item: Step | Note) -> bool:
    return isinstance(item, Step) and item.mark in MAKING


def _exists(item: Step | Note) -> Note:
    return Note("exists", item.message)
