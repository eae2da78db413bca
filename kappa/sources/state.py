"""The function's event sources in AWS, as data. Pure.

read.py reads them, alias_choice.py chooses the qualifier that they belong on, plan.py plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kappa.arn import qualifier, unqualified
from kappa.function.permissions import Statement


class SourcesState(msgspec.Struct, frozen=True):
    """The state of all sources. A qualifier is an alias, or "" for the function itself.

    mappings: those that Lambda lists by function or alias, in the config or not; empty unless they
        were read (`extra`, `deleting`).
    current: the state of each source by its key, as its kind reads it.
    aliases: AWS's answer for each alias, by its name.
    urls, statements: by qualifier.
    unread: why a source could not be read, by its key.
    target_arn: the ARN that the sources must invoke, the function's or its alias's.
    own: the qualifiers that kappa has put sources on.
    others: the qualifiers of other environments and configs.
    elsewhere: the qualifiers of others that have a source, by its key.
    """

    mappings: tuple[Mapping[str, Any], ...] = ()
    current: Mapping[str, Any] = msgspec.field(default_factory=dict)
    urls: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    aliases: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    statements: Mapping[str, tuple[Statement, ...]] = msgspec.field(default_factory=dict)
    unread: Mapping[str, str] = msgspec.field(default_factory=dict)
    target_arn: str = ""
    own: frozenset[str] = frozenset({""})
    others: frozenset[str] = frozenset()
    elsewhere: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    @property
    def qualifier(self) -> str:
        """The alias that the sources must invoke; "" for the function itself."""
        return qualifier(self.target_arn)

    @property
    def function(self) -> str:
        """The function's ARN, without a qualifier."""
        return unqualified(self.target_arn)

    def misplaced(self, qualifiers: Iterable[str]) -> list[str]:
        """Select kappa's own qualifiers that a source must leave, from all that it is on.

        A source on a single qualifier belongs to the config, whoever put it there.
        """
        places = set(qualifiers)
        others = sorted(places - {self.qualifier}, reverse=True)
        return others if len(places) == 1 else [name for name in others if name in self.own]
