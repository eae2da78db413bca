"""Whose a rule's target is: this config's, or that of another environment or config. Pure.

Those that share a function share the names of its rules too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from kappa.arn import invokes, qualifier
from kappa.config.model import EventSource, rule_names
from kappa.errors import Conflict
from kappa.sources.state import Rule, SourcesState


def siblings(rule: Rule | None, state: SourcesState) -> list[Mapping[str, Any]]:
    """Find the targets on the aliases of others: they share the function, and its rules."""
    return [one for one in _invoking(rule, state) if qualifier(one["Arn"]) in state.others]


def refuse_shared(
    function: str, source: EventSource, rule: Rule | None, state: SourcesState
) -> None:
    """Change no rule that another environment or config has too: it would change there as well."""
    theirs = siblings(rule, state)
    if theirs:
        raise Conflict(
            f"The rule {rule_names(function, source)['Name']} is of another environment or config "
            f"too: it invokes {theirs[0]['Arn']}.",
            "Give the source a name of its own in each, such as "
            f"{source.name or 'nightly'}-${{environment}}.",
        )


def target_id(function: str, rule: Rule | None, state: SourcesState) -> str:
    """Name a new target like the function, as in kappa 0.7; a second one has its alias in it."""
    if all(one["Id"] != function for one in siblings(rule, state)):
        return function
    # Source: EventBridge API reference, "Target": 64 characters at most.
    return f"{function[:55]}-{hashlib.sha256(state.qualifier.encode()).hexdigest()[:8]}"


def own_targets(rule: Rule | None, state: SourcesState) -> list[Mapping[str, Any]]:
    """Find the function's targets in a rule, whichever version or alias each invokes."""
    return [one for one in _invoking(rule, state) if qualifier(one["Arn"]) not in state.others]


def _invoking(rule: Rule | None, state: SourcesState) -> list[Mapping[str, Any]]:
    targets = rule.targets if rule else ()
    return [one for one in targets if invokes(str(one["Arn"]), state.function)]
