"""Leave out event sources on the aliases of other environments and configs. Pure.

They are neither moved nor removed. If a source of this config is on such an alias, that is noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from kappa.arn import describe_qualifier
from kappa.config.model import Config, EventSource
from kappa.plan.step import Note
from kappa.sources import polled, url
from kappa.sources.all_kinds import kind_of
from kappa.sources.state import SourcesState

T = TypeVar("T")


def leave_out(config: Config, state: SourcesState) -> tuple[Config, SourcesState]:
    """Leave out sources on the aliases of others, and record which sources those are.

    Buckets and rules stay whole, since AWS only replaces them as a whole. Their plans check
    `config.others` or `state.others`.
    """
    others = config.others
    if not others:
        return config, state
    sources = config.function.event_sources
    places = {source.key: _places(config, source, state) for source in sources}
    places[url.LABEL] = set(state.urls)
    kinds = {source.key: kind_of(source) for source in sources}

    def own(by_alias: Mapping[str, T]) -> dict[str, T]:
        return {alias: value for alias, value in by_alias.items() if alias not in others}

    return config, replace(
        state,
        mappings=polled.without(state.mappings, others),
        current={key: kinds[key].without(part, others) for key, part in state.current.items()},
        urls=own(state.urls),
        aliases=own(state.aliases),
        statements=own(state.statements),
        others=others,
        elsewhere={key: tuple(sorted(on & others)) for key, on in places.items()},
    )


def kept(config: Config, state: SourcesState, key: str, label: str) -> list[Note]:
    """Note the aliases of others that have a source or the URL."""
    return [
        Note(
            "kept",
            f"{label} on {describe_qualifier(alias)} "
            f"(of another environment of {config.file.name})",
        )
        for alias in state.elsewhere.get(key, ())
    ]


def _places(config: Config, source: EventSource, state: SourcesState) -> set[str]:
    kind = kind_of(source)
    return set((kind.all_deliveries or kind.deliveries)(config, source, state))
