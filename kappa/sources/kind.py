"""What each kind of event source provides; table.py lists the kinds.

A kind is one module: it reads its part of the account, plans it, describes it and adopts it. What
all kinds have in common (which alias, permissions, the order of a plan) is not its concern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kappa.arn import Place
from kappa.aws.client import Aws
from kappa.config.model import Config, EventSource
from kappa.plan.step import Note, Plan
from kappa.sources.state import SourcesState


@dataclass(frozen=True)
class Reading:
    """Whose event sources are read; `function_arn` has no qualifier.

    `ending`: deliveries are about to end, so what would be lost with them is read too.
    """

    aws: Aws
    config: Config
    function_arn: str
    ending: bool = False


@dataclass(frozen=True)
class Part:
    """The plan of one source. `exists`: AWS has it. `grants`: the permissions that it lacks.

    `moves`: it exists, but on another version or alias, from where `items` move it. `after` is
    what goes once it is where it belongs.
    """

    exists: bool
    items: Plan
    grants: Plan = ()
    moves: bool = False
    after: Plan = ()


@dataclass(frozen=True)
class Adopted:
    """What a config says of what AWS has, and the names of what it cannot say."""

    sections: tuple[dict[str, Any], ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """How kappa reads, plans, describes and adopts one kind of event source.

    The first five are needed; the others say where a kind is unlike most. A qualifier is the name
    of an alias or version, "" for the function itself.
    """

    # What AWS has of a source, for SourcesState.current; None if the source is gone.
    read: Callable[[Reading, EventSource], Any]
    # The qualifier of each delivery to the function; one that is delivered twice has two.
    deliveries: Callable[[Config, EventSource, SourcesState], list[str]]
    # What is missing or differs, without permissions. Raises: NotFound, Conflict.
    plan: Callable[[Config, EventSource, SourcesState], Part]
    # The end of every delivery to the function, on whichever qualifier.
    plan_remove: Callable[[Config, EventSource, SourcesState], Plan]
    # "state" in a word, and whatever else a status shows; "problem" in a sentence.
    describe: Callable[[Config, EventSource, SourcesState], Mapping[str, Any]]
    # The sources that one ARN stands for, as a config says them: of (aws, the ARN that a permission
    # names, the function's ARN, what is being done). None: no permission leads to such a source.
    adopt: Callable[[Aws, str, str, str], Adopted] | None = None
    # Whether the service calls the function, which takes a permission; else Lambda polls.
    calls: bool = True
    # What people call the service, if it calls the old place for minutes after it was told to stop.
    calls_late: str = ""
    # The ARN that calls the function: of (function name, source, place).
    arn: Callable[[str, EventSource, Place], str] = lambda _, source, __: source.arn
    # Whether a source can be disabled where it is; one without a switch is disconnected instead.
    has_switch: Callable[[EventSource], bool] = lambda _: False
    plan_switch: Callable[[Config, EventSource, SourcesState, bool], Plan] = lambda *_: ()
    # What is left of what was read without the deliveries to the qualifiers of other configs. Some
    # documents of AWS are written as a whole, and stay whole here.
    without: Callable[[Any, frozenset[str]], Any] = lambda current, _: current
    # Deliveries to the function that anyone has made, if `deliveries` leaves out those of others.
    all_deliveries: Callable[[Config, EventSource, SourcesState], Iterable[str]] | None = None
    # Qualifiers whose delivery is certainly kappa's, by the name that it bears.
    named_by_kappa: Callable[[Config, EventSource, SourcesState], Iterable[str]] = lambda *_: ()
    # Let the steps that write one document follow each other.
    chain: Callable[[Plan], Plan] = lambda plan: plan


def absent(source: EventSource) -> str:
    """What a status says of a source that AWS does not have."""
    return "missing" if source.enabled else "Disabled"


def unchanged(source: EventSource, note: str = "") -> Note:
    """Nothing to do for a source that is as the config says."""
    return Note("unchanged", f"{source.label}{f' ({note})' if note else ''}")


def missing(source: EventSource) -> Note:
    """A source that this command does not make."""
    return Note("missing", f"{source.label} (add it: add_event_sources)")
