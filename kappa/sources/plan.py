"""Plan all event sources of a function, and the parts of that plan for each command.

It owns what all kinds have in common: permissions, notes about deliveries elsewhere, the order.
Each kind plans its own sources (all_kinds.py).
"""

from __future__ import annotations

from msgspec.structs import replace

from kappa.arn import Place, describe_qualifier
from kappa.config.model import Config, EventSource
from kappa.errors import NotFound
from kappa.function.permissions import Statement
from kappa.plan.step import Note, Plan, Step
from kappa.sources import grants, polled, url
from kappa.sources.all_kinds import kind_of
from kappa.sources.kind import Part, missing
from kappa.sources.state import SourcesState

Statements = tuple[Statement, ...]


def plan_sources(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan every source and the URL, as far as they are missing, differ or have to move.

    `statements` are those of the policy of the config's alias.
    Raises: NotFound, if a topic, a bucket or somebody else's rule does not exist; Conflict.
    """
    plan: list[Step | Note] = []
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        plan += [*part.grants, *part.items, *part.after]
    if url_part := _url(config, state, statements):
        plan += [*url_part.grants, *url_part.items, *url_part.after]
    return _distinct(plan)


def _distinct(plan: Plan) -> Plan:
    """Give sources that share a bucket one permission."""
    return [item for number, item in enumerate(plan) if item not in plan[:number]]


def plan_sources_add(
    config: Config, place: Place, state: SourcesState, statements: Statements
) -> Plan:
    """Plan sources that are missing or have to move; the others stay as they are.

    Raises: NotFound, if a topic, a bucket or somebody else's rule does not exist; Conflict.
    """
    plan: list[Step | Note] = []
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        moves = state.leaves(kind_of(source).deliveries(config, source, state))
        plan += _added(part, moves, source.label)
    if url_part := _url(config, state, statements):
        plan += _added(url_part, state.leaves(state.urls), url.LABEL)
    return _distinct(plan)


def _added(part: Part, moves: bool, label: str) -> Plan:
    exists: Plan = [Note("exists", label)]
    return [*part.grants, *(exists if part.exists and not moves else part.items), *part.after]


def plan_sources_update(
    config: Config, place: Place, state: SourcesState, statements: Statements
) -> Plan:
    """Plan the changes of existing sources; a missing one is noted and not added."""
    plan: list[Step | Note] = []
    for source in config.function.event_sources:
        try:
            part = _part(config, place, source, state, statements)
        except NotFound:
            plan.append(missing(source.label))
            continue
        absent = not part.exists and source.enabled
        plan += [missing(source.label)] if absent else [*part.grants, *part.items]
        plan += part.after
    if url_part := _url(config, state, statements):
        found = [*url_part.grants, *url_part.items] if url_part.exists else [missing(url.LABEL)]
        plan += [*found, *url_part.after]
    return _distinct(plan)


def plan_sources_switch(
    config: Config, place: Place, state: SourcesState, statements: Statements, enabled: bool
) -> Plan:
    """Plan to enable or disable every source, whatever the config has for `enabled`.

    Raises: NotFound, if a topic or a bucket to be enabled does not exist; Conflict.
    """
    switched = tuple(replace(source, enabled=enabled) for source in config.function.event_sources)
    config = replace(config, function=replace(config.function, event_sources=switched))
    plan: list[Step | Note] = []
    for source in switched:
        kind = kind_of(source)
        if not kind.has_switch(source):
            part = _part(config, place, source, state, statements)
            plan += [*part.grants, *part.items, *part.after]
            continue
        if kind.calls and enabled and state.qualifier in kind.deliveries(config, source, state):
            plan += grants.plan(config, source, place, statements)
        plan += kind.plan_switch(config, source, state, enabled)
        plan += _elsewhere(config, source, state)
    if config.function.url:
        plan.append(Note("kept", f"{url.LABEL} (it has no switch; auth: AWS_IAM closes it)"))
    return _distinct(plan)


def plan_sources_remove(
    config: Config, place: Place, state: SourcesState, statements: Statements
) -> Plan:
    """Plan the removal of the config's sources and of kappa's permissions for them."""
    alias = config.function.alias
    state = replace(state, statements={**state.statements, alias: statements})
    plan: list[Step | Note] = []
    for source in config.function.event_sources:
        plan += [*_removal(config, source, state), *_elsewhere(config, source, state)]
        if source.key not in state.unread:
            for place_of in dict.fromkeys((alias, "")):
                plan += grants.plan_remove(config, source, place, state, place_of)
    if config.function.url:
        plan += [*url.plan_remove(config, state), *_urls_elsewhere(state)]
    return _distinct(plan)


def plan_sources_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every delivery before the function is deleted, on any qualifier.

    Permissions go with the function. Mappings come last, since Lambda removes them slowly.
    """
    state = replace(state, deleting=True)
    sources = sorted(config.function.event_sources, key=lambda source: not kind_of(source).calls)
    unnamed = [
        mapping for mapping in polled.unnamed(config, state) if mapping["State"] != "Deleting"
    ]
    return [
        *(item for source in sources for item in _removal(config, source, state)),
        *map(polled.plan_unmap, unnamed),
        *url.plan_delete(config, state),
    ]


def _part(
    config: Config,
    place: Place,
    source: EventSource,
    state: SourcesState,
    statements: Statements,
) -> Part:
    kind = kind_of(source)
    part = kind.plan(config, source, state)
    after = (*part.after, *_elsewhere(config, source, state))
    if not kind.calls:
        return replace(part, after=after)
    is_leaving = state.leaves(kind.deliveries(config, source, state))
    moved = grants.plan_moved(config, source, place, state, is_leaving=is_leaving)
    needed = source.enabled or kind.has_switch(source)
    given = grants.plan(config, source, place, statements) if needed else ()
    return replace(part, grants=given, after=(*after, *moved))


def _elsewhere(config: Config, source: EventSource, state: SourcesState) -> list[Note]:
    """Note deliveries on other aliases and on versions, which stay."""
    places = set(kind_of(source).deliveries(config, source, state))
    return [
        Note("kept", f"{source.plain_label} on {describe_qualifier(alias)}")
        for alias in sorted(places)
        if not state.is_own(alias)
    ]


def _urls_elsewhere(state: SourcesState) -> list[Note]:
    return [
        Note("kept", f"{url.LABEL} on {describe_qualifier(alias)}")
        for alias in url.elsewhere(state)
    ]


def _removal(config: Config, source: EventSource, state: SourcesState) -> Plan:
    kind = kind_of(source)
    if source.key in state.unread and not kind.deliveries(config, source, state):
        return [Note("kept", f"{source.label} (not read: {state.unread[source.key]})")]
    return kind.plan_remove(config, source, state)


def _url(config: Config, state: SourcesState, statements: Statements) -> Part | None:
    desired = config.function.url
    if not desired:
        return None
    part = url.plan(config, desired, state, statements)
    return replace(part, after=(*part.after, *_urls_elsewhere(state)))
