"""Plan all event sources of a function, and the parts of that plan for each command.

It owns what all kinds have in common: permissions, notes about what stays, the order. Each kind
plans its own sources (all_kinds.py). `config` and `state` come from alias_choice.py, which has
settled the alias that the sources belong on.
"""

from __future__ import annotations

from msgspec.structs import replace

from kappa.arn import Place, describe_qualifier
from kappa.config.model import Config, EventSource
from kappa.errors import Conflict, NotFound
from kappa.function.permissions import Statement
from kappa.plan.step import Note, Plan, Step
from kappa.sources import grants, other_configs, polled, url
from kappa.sources.alias_choice import unclaimed
from kappa.sources.all_kinds import kind_of
from kappa.sources.kind import Part, missing
from kappa.sources.state import SourcesState

Statements = tuple[Statement, ...]


def plan_sources(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan every source and the URL, as far as they are missing or differ.

    Raises: NotFound, if a topic, a bucket or somebody else's rule does not exist; Conflict.
    """
    plan: list[Step | Note] = [*_note_on_alias(config)]
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        plan += [*part.grants, *part.items, *part.after]
    url_part = _url(config, state, statements)
    if url_part:
        plan += [*url_part.grants, *url_part.items, *url_part.after]
    return _joined(config, plan)


def _joined(config: Config, plan: Plan) -> Plan:
    """Give sources that share a bucket one permission, and chain their writes to it."""
    plan = [item for number, item in enumerate(plan) if item not in plan[:number]]
    for chain in dict.fromkeys(kind_of(source).chain for source in config.function.event_sources):
        plan = chain(plan)
    return plan


def _note_on_alias(config: Config) -> Plan:
    """Note that the sources are on an alias that the config does not name."""
    if not config.bound or not config.function.has_sources:
        return []
    deploy = config.command(f"deploy --publish --alias {config.bound}")
    return [
        Note(
            "kept",
            f"event sources on the alias {config.bound}, which gets new code by {deploy}",
        )
    ]


def plan_sources_add(
    config: Config, place: Place, state: SourcesState, statements: Statements
) -> Plan:
    """Plan sources that are missing or on another alias; the others stay as they are.

    Raises: NotFound, if a topic, a bucket or somebody else's rule does not exist; Conflict.
    """
    plan: list[Step | Note] = []
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        plan += _added(part, source.label)
    url_part = _url(config, state, statements)
    return _joined(config, [*plan, *_added(url_part, url.LABEL)] if url_part else plan)


def _added(part: Part, label: str) -> Plan:
    exists: Plan = [Note("exists", label)]
    stays = part.exists and not part.moves
    return [*part.grants, *(exists if stays else part.items), *part.after]


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
    url_part = _url(config, state, statements)
    if url_part and url_part.exists:
        plan += [*url_part.grants, *url_part.items, *url_part.after]
    elif url_part:
        plan.append(missing(url.LABEL))
    return _joined(config, plan)


def plan_sources_switch(
    config: Config, place: Place, state: SourcesState, statements: Statements, enabled: bool
) -> Plan:
    """Plan to enable or disable every source, whatever the config has for `enabled`.

    Raises: NotFound, if a topic or a bucket to be enabled does not exist; Conflict.
    """
    plan: list[Step | Note] = []
    for configured in config.function.event_sources:
        source = replace(configured, enabled=enabled)
        kind = kind_of(source)
        if not kind.has_switch(source):
            part = _part(config, place, source, state, statements)
            plan += [*part.grants, *part.items, *part.after]
            continue
        switch = kind.plan_switch(config, source, state, enabled)
        if kind.calls:
            if enabled and state.qualifier in kind.deliveries(config, source, state):
                plan += grants.plan(config, source, place, statements)
            plan += switch
        else:
            plan += [*switch, *_kept(config, source, state), *_of_others(config, source, state)]
    if config.function.url:
        plan.append(Note("kept", f"{url.LABEL} (it has no switch; auth: AWS_IAM closes it)"))
    return _joined(config, plan)


def plan_sources_remove(
    config: Config, place: Place, state: SourcesState, statements: Statements
) -> Plan:
    """Plan the removal of the config's sources and their permissions, on any version or alias."""
    plan: list[Step | Note] = []
    by_qualifier = {**state.statements, config.qualifier: statements}
    state = replace(state, statements=by_qualifier)
    for source in config.function.event_sources:
        plan += [*_removal(config, source, state), *_of_others(config, source, state)]
        if source.key not in state.unread:
            plan += grants.plan_stale(config, source, place, state)
            plan += grants.plan_unclaim(config, source, place, state)
    if config.function.url:
        plan += [*url.plan_remove(config, state), *_url_of_others(config, state)]
    return _joined(config, plan)


def plan_sources_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every source before its function is deleted.

    Permissions go with the function. Mappings come last, since Lambda removes them slowly.
    """
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
    kept = _kept(config, source, state)
    if kept and not part.exists and source.enabled:
        raise _unclear(config, source, state)
    after = (*part.after, *kept, *_of_others(config, source, state))
    if not kind.calls:
        return replace(part, after=after)
    # All sources of one bucket share its permission.
    alike = [other for other in config.function.event_sources if other.key == source.key]
    others = {alias for other in alike for alias in unclaimed(config, other, state)}
    used = {config.qualifier, *others}
    leaving = set[str]()
    if kind.calls_late:
        delivered = {alias for other in alike for alias in kind.deliveries(config, other, state)}
        leaving = delivered - used
    stale = grants.plan_stale(config, source, place, state, used, leaving)
    if not source.enabled and not kind.has_switch(source):
        # Once the source is gone, only its permission shows which alias it was on.
        removed = stale if kind.calls_late and part.exists else []
        return replace(part, after=(*after, *removed))
    return replace(
        part,
        grants=grants.plan(config, source, place, statements),
        moves=part.moves or bool(leaving),
        after=(*after, *stale),
    )


def _kept(config: Config, source: EventSource, state: SourcesState) -> list[Note]:
    """Note the deliveries that somebody else may have set up; they stay."""
    return [
        Note(
            "kept",
            f"{source.label} on {describe_qualifier(alias)} (kappa cannot tell that it made "
            "it; remove_event_sources removes it too)",
        )
        for alias in unclaimed(config, source, state)
    ]


def _of_others(config: Config, source: EventSource, state: SourcesState) -> list[Note]:
    return other_configs.kept(config, state, source.key, source.plain_label)


def _url_of_others(config: Config, state: SourcesState) -> list[Note]:
    return other_configs.kept(config, state, url.LABEL, url.LABEL)


def _unclear(config: Config, source: EventSource, state: SourcesState) -> Conflict:
    places = [describe_qualifier(alias) for alias in unclaimed(config, source, state)]
    again = config.command(f"remove_event_sources {source.short}")
    return Conflict(
        f"The {source.label} is on {' and on '.join(places)} of {config.function.name}; kappa "
        "cannot tell which one to move.",
        f"Name one of them with --alias, or remove both: {again}",
    )


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
    return replace(part, after=(*part.after, *_url_of_others(config, state)))
