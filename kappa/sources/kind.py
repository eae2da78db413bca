"""The interface of a kind of event source; all_kinds.py lists the kinds.

A kind is one module that reads, plans, describes and adopts its sources. It must not care about
permissions or the order of a plan, which all kinds have in common. Which deliveries are the
config's is SourcesState's rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from kappa.arn import Place
from kappa.aws import Aws
from kappa.config.model import Config, EventSource
from kappa.plan.step import Note, Plan
from kappa.sources.state import SourcesState


class Reading(msgspec.Struct, frozen=True):
    """The function whose event sources are read. `place` may wait for its account.

    `ending`: deliveries are about to end, so read the settings that would be lost with them.
    """

    aws: Aws
    config: Config
    place: Callable[[], Place]
    ending: bool = False

    @property
    def function_arn(self) -> str:
        """The function's ARN without a qualifier; ask AWS first, then for this."""
        return self.place().function_arn(self.config.function.name)


class Part(msgspec.Struct, frozen=True):
    """The plan of one source. `exists`: AWS has it. `grants`: the permissions that it lacks.

    `after`: removals that follow once it is in its place.
    """

    exists: bool
    items: Plan
    grants: Plan = ()
    after: Plan = ()


class Adopted(msgspec.Struct, frozen=True):
    """Resources of AWS as config sections, and the names of those that no section can express."""

    sections: tuple[dict[str, Any], ...] = ()
    left_out: tuple[str, ...] = ()


class Occasion(msgspec.Struct, frozen=True):
    """Where and when a sample event happens; `body` is the content of a message."""

    function: str
    place: Place
    at: datetime
    body: str = ""

    @property
    def text(self) -> str:
        """The content of a message. Most functions expect JSON."""
        return self.body or '{"message": "hello"}'

    @property
    def time(self) -> str:
        """The time as most events have it: 2026-01-01T12:00:00.000Z."""
        return self.at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Kind(msgspec.Struct, frozen=True):
    """How kappa reads, plans, describes and adopts one kind of event source.

    The first five are required; the others have defaults that fit most kinds. A qualifier is the
    name of an alias or version, "" for the function itself.
    """

    # Read the state of a source, for SourcesState.current; None if the source is gone.
    read: Callable[[Reading, EventSource], Any]
    # The qualifier of each delivery to the function, the config's or not, once for each delivery.
    deliveries: Callable[[Config, EventSource, SourcesState], list[str]]
    # Plan the source without its permissions. Raises: NotFound, Conflict.
    plan: Callable[[Config, EventSource, SourcesState], Part]
    # Plan the end of the config's deliveries to the function.
    plan_remove: Callable[[Config, EventSource, SourcesState], Plan]
    # The source for a status: "state" is a word, "problem" a sentence.
    describe: Callable[[Config, EventSource, SourcesState], Mapping[str, Any]]
    # Turn the sources of one ARN into config sections. Arguments: aws, the ARN that a permission
    # names, the function's ARN, the action for errors. None: no permission leads to such a source.
    adopt: Callable[[Aws, str, str, str], Adopted] | None = None
    # Whether the service calls the function, which takes a permission; otherwise Lambda polls.
    calls: bool = True
    # The service's name, if it may call the old target for minutes after a change.
    calls_late: str = ""
    # The ARN that calls the function. Arguments: function name, source, place.
    arn: Callable[[str, EventSource, Place], str] = lambda _, source, __: source.arn
    # Whether a source can be disabled in place; otherwise it is disconnected instead.
    has_switch: Callable[[EventSource], bool] = lambda _: False
    plan_switch: Callable[[Config, EventSource, SourcesState, bool], Plan] = lambda *_: ()
    # The event that a source would send. None: kappa has no sample of this kind.
    sample: Callable[[EventSource, Occasion], Any] | None = None


def absent(source: EventSource) -> str:
    """The status of a source that AWS does not have."""
    return "missing" if source.enabled else "Disabled"


def unchanged(source: EventSource, note: str = "") -> Note:
    """Note a source that already matches the config."""
    return Note("unchanged", f"{source.label}{f' ({note})' if note else ''}")


def missing(label: str) -> Note:
    """Note a missing source, or the missing URL, that this command does not add."""
    return Note("missing", f"{label} (add it: deploy)")
