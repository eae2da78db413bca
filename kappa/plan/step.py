"""A step is one AWS call, planned as data: what to call, what to wait for, what it is called.

A plan can be printed, compared and checked without AWS; apply.py carries it out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

WAIT_DEADLINE_S = 300.0


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
    """A document that others write too, of which AWS takes the whole and no condition.

    It is read anew right before each try of the write, and again after it: `into` gives the write's
    params for what was read, or None where all is as wanted. The moment between reading and writing
    is left: whoever writes just then is overwritten, so the end of a plan looks once more.
    """

    operation: str
    params: Mapping[str, Any]
    into: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Look:
    """Where to see whether a step that is refused as a conflict is done all the same.

    Either its own answer was lost, or another deploy was faster. It is done, if what the operation
    answers `fits` the step's params: what exists and is as we want it, is ours.
    """

    operation: str
    params: Mapping[str, Any]
    fits: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Guard:
    """What a write relies on: read right before it, since another may have changed it.

    `check` gets the answer and the step's params: False says that all is done already. `takes` are
    params by dotted paths of the answer: by a RevisionId AWS refuses a write if a change comes in
    between, and then all of this is done again.
    Raises, in `check`: Conflict, if it is not what the plan was made of.
    """

    operation: str
    params: Mapping[str, Any]
    check: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    takes: Mapping[str, str] = _empty()


@dataclass(frozen=True)
class Step:
    """One AWS call. `params` are the SDK's own; `settled` are codes that say it is so already.

    `takes` names params whose value the answer of the step before gives, by a dotted path:
    only AWS knows a new version's number. `before` holds what AWS has now under the keys of
    `params` that change, for diff to show. `hint` goes with any refusal, `conflict_hint` with a
    conflict. `refused` is the dotted path of a refusal in an answer that is else a success.
    Shape: {"ErrorCode", "ErrorMessage"}. `tells` names words of the message that the answer
    replaces, as {"(new)": "Version"}: the report has the number that AWS gave. `look` tells a
    conflict with oneself from one with others. `expected` are dotted paths of the answer with what
    must be there, else `unexpected_hint` says what to do. `unless` is asked right before the step:
    the Already that it answers is told in place of it. `undo` is carried out if the step fails: it
    puts back what the step before has taken away.
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
    tells: Mapping[str, str] = _empty(compare=False)
    before: Mapping[str, Any] = _empty(compare=False)
    merge: Merge | None = field(default=None, compare=False)
    guard: Guard | None = field(default=None, compare=False)
    expected: Mapping[str, Any] = _empty()
    unexpected_hint: str = ""
    unless: Callable[[], Already | None] | None = field(default=None, compare=False)
    undo: Step | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Already:
    """Nothing to do for this one, and why: it exists, is unchanged, gone or kept."""

    mark: str
    message: str


Plan = Sequence[Step | Already]


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
