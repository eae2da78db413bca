"""The function's event sources in AWS, as data, and which of its deliveries are the config's. Pure.

Deliveries follow `lambda.alias`: those on the alias are the config's, and so are those on the
function itself, which move to the alias once the config names one. Those on other aliases and on
versions are left alone.
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
        were read (`everywhere`).
    current: the state of each source by its key, as its kind reads it.
    aliases: AWS's answer for each alias, by its name; empty unless they were read (`everywhere`).
    urls, statements: by qualifier.
    unread: why a source could not be read, by its key.
    target_arn: the ARN that the sources must invoke, the function's or its alias's.
    deleting: the function is deleted, so all of its deliveries end.
    """

    mappings: tuple[Mapping[str, Any], ...] = ()
    current: Mapping[str, Any] = msgspec.field(default_factory=dict)
    urls: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    aliases: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    statements: Mapping[str, tuple[Statement, ...]] = msgspec.field(default_factory=dict)
    unread: Mapping[str, str] = msgspec.field(default_factory=dict)
    target_arn: str = ""
    deleting: bool = False

    @property
    def qualifier(self) -> str:
        """The alias that the sources must invoke; "" for the function itself."""
        return qualifier(self.target_arn)

    @property
    def function(self) -> str:
        """The function's ARN, without a qualifier."""
        return unqualified(self.target_arn)

    def is_own(self, qualifier: str) -> bool:
        """Whether a delivery on this qualifier is the config's to change and remove."""
        return self.deleting or qualifier in ("", self.qualifier)

    def leaves(self, qualifiers: Iterable[str]) -> bool:
        """Whether one of these deliveries is on the function itself, and belongs on the alias."""
        return bool(self.qualifier) and "" in qualifiers
