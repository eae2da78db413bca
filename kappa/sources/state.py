"""What AWS has of the function's event sources, as data; plan.py plans with it. Pure.

read.py reads it. Which qualifier is the right one is alias_choice.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kappa.arn import qualifier, unqualified
from kappa.function.permissions import Statement

# Services that call the function; Lambda polls the others, by a mapping.
CALLERS = ("events", "s3", "sns")


@dataclass(frozen=True)
class Topic:
    """A topic that exists, and the function's subscriptions by qualifier; "" is the function.

    Each is an ARN or PendingConfirmation. Their `attributes` are by qualifier too.
    """

    subscriptions: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A rule of EventBridge that exists, and all that it invokes."""

    settings: Mapping[str, Any]
    targets: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class SourcesState:
    """Mappings of the function; topics, buckets and rules that exist, by the source's key.

    `orphans` are the function's subscriptions to topics that exist no more. URLs and statements
    are by qualifier: an alias, or "" for the function itself. `unread` says why a source could
    not be read. `invoked` is the ARN that the sources shall invoke: the function's, or its
    alias's. `own` are the qualifiers that kappa itself has bound sources to. `others` are those of
    other environments and configs: `owners` says whose an alias is, by the mark that kappa gave it,
    and `elsewhere` on which of the others a source is, by its key.
    """

    mappings: tuple[Mapping[str, Any], ...] = ()
    topics: Mapping[str, Topic] = field(default_factory=dict)
    orphans: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    buckets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
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

    def mapped(self, source_arn: str) -> list[Mapping[str, Any]]:
        """The mappings of one stream or queue; one that is being deleted does not count."""
        return [
            one
            for one in self.mappings
            if one.get("EventSourceArn") == source_arn and one["State"] != "Deleting"
        ]

    def mapping(self, source_arn: str) -> Mapping[str, Any] | None:
        """The mapping of one stream or queue: where it shall be, or the one to be moved there."""
        by_qualifier = {self.qualifier_of(one): one for one in reversed(self.mapped(source_arn))}
        moved = self.away(by_qualifier)
        return by_qualifier.get(self.qualifier) or (by_qualifier[moved[0]] if moved else None)

    def qualifier_of(self, mapping: Mapping[str, Any]) -> str:
        """What a mapping invokes."""
        return qualifier(mapping.get("FunctionArn", self.invoked))

    def subscriptions(self, topic_arn: str) -> Mapping[str, str]:
        """The function's subscriptions by qualifier, the topic being there or not."""
        topic = self.topics.get(topic_arn)
        return topic.subscriptions if topic else self.orphans.get(topic_arn, {})

    def away(self, found: Iterable[str]) -> list[str]:
        """Of the qualifiers where a source hangs: kappa's own that are not the right one.

        A source that hangs in one place only is the config's, whoever put it there.
        """
        there = set(found)
        others = sorted(there - {self.qualifier}, reverse=True)
        return others if len(there) == 1 else [one for one in others if one in self.own]
