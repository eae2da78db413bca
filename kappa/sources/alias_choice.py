"""Choose the alias that the event sources belong on, from where they are now. Pure.

All sources go to one place, so that the function gets each message once: the alias that the config
or the command line names, else the alias that kappa put them on before, else the function itself.
This module owns how kappa recognizes its own deliveries.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from msgspec.structs import replace

from kappa.arn import Place
from kappa.config.model import Config, EventSource
from kappa.errors import Conflict
from kappa.sources import grants, other_configs, url
from kappa.sources.all_kinds import kind_of
from kappa.sources.state import SourcesState


class _Claims(msgspec.Struct, frozen=True):
    """Where sources are: qualifiers with kappa's permission, and the sole qualifier of a source."""

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
    """Choose the alias of the sources, and return config and state bound to it.

    moving: the command may move sources; otherwise they stay on the alias that has them all.
    whole: include sources on the aliases of other configs.
    Raises: Conflict, if `strict` and the sources are on several aliases, or on an alias that kappa
    may not have chosen.
    """
    if not whole:
        config, state = other_configs.leave_out(config, state)
    claims = _claims(config, place, state)
    alias = config.function.alias
    if alias and not moving and len(claims.all) == 1:
        (alias,) = claims.all
        config = replace(config, bound=alias)
    elif not alias:
        if not claims.all:
            claims = _permitted(config, place, state, strict and not moving)
        problem = _undecided(claims)
        if strict and problem:
            raise _conflict(config, problem, claims.aliases)
        alias = "" if problem else next(iter(claims.aliases), "")
        if alias:
            config = replace(config, bound=alias)
    target_arn = place.function_arn(config.function.name, alias)
    own = {"", alias} | claims.aliases | _dead(config, state) | _named_by_kappa(config, state)
    return config, replace(state, target_arn=target_arn, own=frozenset(own))


def _claims(config: Config, place: Place, state: SourcesState) -> _Claims:
    """Find the qualifiers that sources are on; deleted aliases do not count.

    A permission with kappa's own name marks an alias if the source is on it, or on no qualifier
    because it is disabled. A URL on an alias only counts with kappa's own permission, since anyone
    may have made it.
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
    """Find where disabled sources were, from the config's own permissions.

    kappa adds no permission beside one of the config's, so that is the only trace of a disabled
    topic. If the function has it too, the trace is ambiguous.
    Raises: Conflict, if `strict` and the trace is ambiguous.
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
    """Why a command without --alias cannot choose; "" if it can."""
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
        "Name the one for all of them: "
        f"{config.command(f'deploy --alias {alias}')}; or lambda.alias in the config.",
    )


def _dead(config: Config, state: SourcesState) -> set[str]:
    """Find deleted aliases that a source is still bound to, which stops its deliveries.

    The name of a version is a number, and versions are not listed among the aliases.
    """
    places = {
        alias
        for source in config.function.event_sources
        for alias in kind_of(source).deliveries(config, source, state)
    }
    return {alias for alias in places - {""} - set(state.aliases) if not alias.isdigit()}


def _named_by_kappa(config: Config, state: SourcesState) -> set[str]:
    """Find the qualifiers whose deliveries have a name that only kappa gives."""
    return {
        alias
        for source in config.function.event_sources
        for alias in kind_of(source).named_by_kappa(config, source, state)
    }


def unclaimed(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    """The other qualifiers that a source is on and that kappa does not recognize as its own."""
    places = set(kind_of(source).deliveries(config, source, state))
    return sorted(places - {state.qualifier} - set(state.misplaced(places)))
