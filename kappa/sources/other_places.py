"""Set apart what hangs on the aliases of other environments, or of other configs. Pure.

It is neither taken nor removed, and named where a source of this config is there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

import msgspec

from kappa.arn import invokes, qualifier, words
from kappa.config.model import Config, EventSource
from kappa.function import version_owner as versionowner
from kappa.plan.step import Already
from kappa.sources import s3_owner as notificationowner
from kappa.sources.state import CALLERS, SourcesState, Topic

T = TypeVar("T")
URL = "url"


def set_apart(config: Config, state: SourcesState) -> tuple[Config, SourcesState]:
    """Leave out what is on others' aliases, and note of which sources it is.

    Buckets and rules stay whole, since AWS has them as one whole: whoever plans with them asks
    `config.others`, or `state.others`.
    """
    marked = {
        alias for alias, one in state.owners.items() if versionowner.is_of_another(config, one)
    }
    config = msgspec.structs.replace(config, siblings=config.siblings | marked)
    others = config.others
    if not others:
        return config, state
    places = {one.key: _places(one, state) for one in config.function.event_sources}
    elsewhere = {**places, URL: set(state.urls)}

    def own(found: Mapping[str, T]) -> dict[str, T]:
        return {key: value for key, value in found.items() if key not in others}

    return config, replace(
        state,
        mappings=tuple(one for one in state.mappings if state.qualifier_of(one) not in others),
        topics={
            key: Topic(own(one.subscriptions), own(one.attributes))
            for key, one in state.topics.items()
        },
        orphans={key: own(one) for key, one in state.orphans.items()},
        urls=own(state.urls),
        aliases=tuple(one for one in state.aliases if one not in others),
        statements=own(state.statements),
        others=others,
        elsewhere={key: tuple(sorted(found & others)) for key, found in elsewhere.items()},
    )


def kept(config: Config, state: SourcesState, key: str, label: str) -> list[Already]:
    """Name where others have a source, or the URL."""
    return [
        Already(
            "kept",
            f"{label} on {words(alias)} "
            f"(of {state.owners.get(alias) or f'another environment of {config.file.name}'})",
        )
        for alias in state.elsewhere.get(key, ())
    ]


def _places(source: EventSource, state: SourcesState) -> set[str]:
    if source.service not in CALLERS:
        return {state.qualifier_of(one) for one in state.mapped(source.arn)}
    if source.service == "sns":
        return set(state.subscriptions(source.arn))
    if source.service == "s3":
        notified = notificationowner.functions(state.buckets.get(source.arn))
        return _invoked((notificationowner.target(one) for one in notified), state)
    rule = state.rules.get(source.key)
    return _invoked((str(one["Arn"]) for one in (rule.targets if rule else ())), state)


def _invoked(targets: Iterable[str], state: SourcesState) -> set[str]:
    return {qualifier(one) for one in targets if invokes(one, state.function)}
