"""What one event source needs: the answer of each kind's plan, which plan.py selects from."""

from __future__ import annotations

from dataclasses import dataclass

from kappa.config.model import EventSource
from kappa.plan.step import Already, Plan


@dataclass(frozen=True)
class Part:
    """The plan of one source. `there`: AWS has it. `grants`: the permissions that it lacks.

    `moves`: it is there, but on another version or alias, from where `items` move it. `after`
    is what goes once it is where it belongs.
    """

    there: bool
    items: Plan
    grants: Plan = ()
    moves: bool = False
    after: Plan = ()


def unchanged(source: EventSource, note: str = "") -> Already:
    """Nothing to do for a source that is as the config says."""
    return Already("unchanged", f"{source.label}{f' ({note})' if note else ''}")


def missing(source: EventSource) -> Already:
    """A source that this command does not make."""
    return Already("missing", f"{source.label} (add it: add_event_sources)")
