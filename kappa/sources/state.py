"""What AWS has of the function's event sources, as data; plan.py plans with it. Pure.

read.py reads it. Which qualifier is the right one is alias_choice.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kappa.arn import qualifier, unqualified
from kappa.function.permissions import Statement


@dataclass(frozen=True)
class SourcesState:
    """What there is of each source by its key, in `current`, as its kind has read it.

    `mappings` are those that Lambda lists for the function, of the config's sources or not. URLs
    and statements are by qualifier: an alias, or "" for the function itself. `unread` says why a
    source could not be read. `invoked` is the ARN that the sources shall invoke: the function's, or
    its alias's. `own` are the qualifiers that kappa itself has bound sources to. `others` are those
    of other environments and configs: `owners` says whose an alias is, by the mark that kappa gave
    it, and `elsewhere` on which of the others a source is, by its key.
    """

    mappings: tuple[Mapping[str, Any], ...] = ()
    current: Mapping[str, Any] = field(default_factory=dict)
    urls: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    statements: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    invoked: str = ""
    own: frozenset[str] = frozenset({""})
    others: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def qualifier(self) -> str:
        """The alias that the sources shall invoke; "" is the function itself."""
        return qualifier(self.invoked)

    @property
    def function(self) -> str:
        """The function's ARN, without a qualifier."""
        return unqualified(self.invoked)

    def away(self, qualifiers: Iterable[str]) -> list[str]:
        """Of the qualifiers where a source hangs: kappa's own that are not the right one.

        A source that hangs in one place only is the config's, whoever put it there.
        """
        places = set(qualifiers)
        others = sorted(places - {self.qualifier}, reverse=True)
        return others if len(places) == 1 else [name for name in others if name in self.own]
