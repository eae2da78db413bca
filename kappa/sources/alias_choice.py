"""Choose the alias that the event sources belong on, by where they are. Pure.

A function gets each message once, so it has one place for its sources: the alias that the config
or the command line names; without one, the alias that kappa has put them on before; else the
function itself. Owns how kappa's own deliveries are told from those of others.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import msgspec

from kappa.arn import Place
from kappa.config.model import Config, EventSource
from kappa.errors import Conflict
from kappa.sources import grants, other_configs, url
from kappa.sources.state import SourcesState
from kappa.sources.table import kind_of


@dataclass(frozen=True)
class _Claims:
    """Where sources are: qualifiers that kappa has marked; those that have some source alone."""

    marked: frozenset[str]
    alone: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.marked | self.alone

    @property
    def aliases(self) -> frozenset[str]:
        return self.all - {""}


def choose_alias(
    config: Config,
    place: Place,
    state: SourcesState,
    *,
    strict: bool = True,
    moving: bool = True,
    whole: bool = False,
) -> tuple[Config, SourcesState]:
    """Settle what the sources belong on; config and state then agree on it.

    What is on others' aliases is left out, unless the `whole` function is meant. A command that is
    not `moving` the sources leaves them together where they are.
    Raises: Conflict, if `strict`, and the sources are on several aliases or on one by chance.
    """
    if not whole:
        config, state = other_configs.leave_out(config, state)
    claims = _claims(config, place, state)
    wanted = config.function.alias
    if wanted and not moving and len(claims.all) == 1:
        (wanted,) = claims.all
        config = msgspec.structs.replace(config, bound=wanted)
    elif not wanted:
        if not claims.all:
            claims = _permitted(config, place, state, strict and not moving)
        problem = _undecided(claims)
        if strict and problem:
            raise _conflict(config, problem, claims.aliases)
        wanted = "" if problem else next(iter(claims.aliases), "")
        if wanted:
            config = msgspec.structs.replace(config, bound=wanted)
    invoked = place.function_arn(config.function.name, wanted)
    own = {"", wanted} | claims.aliases | _dead(config, state) | _named_by_kappa(config, state)
    return config, replace(state, invoked=invoked, own=frozenset(own))


def _claims(config: Config, place: Place, state: SourcesState) -> _Claims:
    """Weigh what there is; an alias that is gone counts for nothing.

    A permission by kappa's own name marks an alias, while the source is there, or is nowhere as
    it is while it is disabled. What is left of a permission elsewhere marks nothing. A URL on an
    alias counts with kappa's own permission beside it only: else it may be anybody's.
    """
    marked, alone = set[str](), set[str]()
    for source in config.function.event_sources:
        places = set(kind_of(source).deliveries(config, source, state))
        alone |= places if len(places) == 1 else set()
        marked |= {
            alias
            for alias in ("", *state.aliases)
            if alias in (places or {alias}) and grants.is_given(config, source, place, state, alias)
        }
    if config.function.url:
        marked |= url.own(state)
        alone |= {""} if set(state.urls) == {""} else set()
    return _Claims(frozenset(marked), frozenset(alone & {"", *state.aliases}))


def _permitted(config: Config, place: Place, state: SourcesState, strict: bool) -> _Claims:
    """Find where the config's own permissions say that sources were, which are nowhere now.

    kappa adds none of its own beside such a permission, so that is all that is left of a disabled
    topic. It may stand on the function too, from before: then it tells nothing.
    Raises: Conflict, if `strict`, and it tells nothing.
    """
    permitted = {
        alias
        for source in config.function.event_sources
        for alias in ("", *state.aliases)
        if grants.is_permitted(config, source, place, state, alias)
    }
    aliases = permitted - {""}
    if strict and "" in permitted and aliases:
        names = ", ".join(sorted(aliases))
        raise _conflict(config, f"may have been on the function itself or on {names}", aliases)
    return _Claims(frozenset({""} if "" in permitted else permitted), frozenset())


def _undecided(claims: _Claims) -> str:
    """Say why a plain command cannot know the right place; "" if it can."""
    names = ", ".join(sorted(claims.aliases))
    if len(claims.aliases) > 1:
        return f"are on several aliases ({names})"
    if claims.aliases and not claims.marked - {""} and "" in claims.alone:
        return f"are partly on the function itself, partly on its alias {names}"
    return ""


def _conflict(config: Config, problem: str, aliases: Collection[str]) -> Conflict:
    name, alias = config.function.name, min(aliases)
    return Conflict(
        f"The event sources of {name} {problem}, and the config names no alias.",
        "Name the one that shall have them all: "
        f"{config.command(f'deploy --alias {alias}')}; or lambda.alias in the config.",
    )


def _dead(config: Config, state: SourcesState) -> set[str]:
    """Find aliases that are gone though a source is still bound to them: nothing comes through.

    A version has a number for a name, and is not listed among the aliases.
    """
    places = {
        alias
        for source in config.function.event_sources
        for alias in kind_of(source).deliveries(config, source, state)
    }
    return {alias for alias in places - {""} - set(state.aliases) if not alias.isdigit()}


def _named_by_kappa(config: Config, state: SourcesState) -> set[str]:
    """Find the qualifiers whose deliveries bear kappa's own name."""
    return {
        alias
        for source in config.function.event_sources
        for alias in kind_of(source).named_by_kappa(config, source, state)
    }


def strangers(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    """Qualifiers where a source hangs too, though not by kappa as far as it can tell."""
    places = set(kind_of(source).deliveries(config, source, state))
    return sorted(places - {state.qualifier} - set(state.away(places)))
