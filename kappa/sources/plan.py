"""Event sources: what invokes the function. One plan of all of them, and selections of it.

What a source of its own needs is its kind's (table.py). Owns what all kinds have in common:
permissions, the notes of what stays, the order. `config` and `state` are as alias_choice.py
chooses them: which version or alias all of it belongs on is settled.
"""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from kappa import arn as arns
from kappa.arn import Place
from kappa.config.model import Config, EventSource
from kappa.errors import Conflict, NotFound
from kappa.function.permissions import Statement
from kappa.plan.step import Note, Plan, Step
from kappa.sources import grants, other_configs, polled, url
from kappa.sources.alias_choice import strangers
from kappa.sources.kind import Part, missing
from kappa.sources.state import SourcesState
from kappa.sources.table import kind_of

Statements = tuple[Statement, ...]


def plan_sources(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan what is missing and what differs of every source, and of the URL.

    Raises: NotFound, if a topic, a bucket or a rule of others does not exist; Conflict.
    """
    plan: list[Step | Note] = [*_stays(config)]
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        plan += [*part.grants, *part.items, *part.after]
    wanted = _url(config, state, statements)
    return _joined(
        config, [*plan, *wanted.grants, *wanted.items, *wanted.after] if wanted else plan
    )


def _joined(config: Config, plan: Plan) -> Plan:
    """Let sources that share a bucket share its permission, and write it one after the other."""
    plan = [item for number, item in enumerate(plan) if item not in plan[:number]]
    for chain in dict.fromkeys(kind_of(source).chain for source in config.function.event_sources):
        plan = chain(plan)
    return plan


def _stays(config: Config) -> Plan:
    """Say that what a config without an alias has is on one, and how new code gets there."""
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
    """Plan what is missing, and what is on another alias; what is there stays as it is.

    Raises: NotFound, if a topic, a bucket or a rule of others does not exist; Conflict.
    """
    plan: list[Step | Note] = []
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        plan += _added(part, source.label)
    wanted = _url(config, state, statements)
    return _joined(config, [*plan, *_added(wanted, url.LABEL)] if wanted else plan)


def _added(part: Part, label: str) -> Plan:
    exists: Plan = [Note("exists", label)]
    stays = part.exists and not part.moves
    return [*part.grants, *(exists if stays else part.items), *part.after]


def plan_sources_update(
    config: Config, place: Place, state: SourcesState, statements: Statements
) -> Plan:
    """Plan what differs of the sources that are there; a missing one is said, not added."""
    plan: list[Step | Note] = []
    for source in config.function.event_sources:
        try:
            part = _part(config, place, source, state, statements)
        except NotFound:
            plan.append(missing(source))
            continue
        absent = not part.exists and source.enabled
        plan += [missing(source)] if absent else [*part.grants, *part.items]
        plan += part.after
    wanted = _url(config, state, statements)
    if wanted and wanted.exists:
        plan += [*wanted.grants, *wanted.items, *wanted.after]
    elif wanted:
        plan.append(Note("missing", f"{url.LABEL} (add it: add_event_sources)"))
    return _joined(config, plan)


def plan_sources_switch(
    config: Config, place: Place, state: SourcesState, statements: Statements, enabled: bool
) -> Plan:
    """Plan the start or the stop of every source, whatever its `enabled` in the config says.

    Raises: NotFound, if a topic or a bucket to be enabled does not exist; Conflict.
    """
    plan: list[Step | Note] = []
    for named in config.function.event_sources:
        source = replace(named, enabled=enabled)
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
            plan += [*switch, *_kept(config, source, state), *_theirs(config, source, state)]
    if config.function.url:
        plan.append(Note("kept", f"{url.LABEL} (it has no switch; auth: AWS_IAM closes it)"))
    return _joined(config, plan)


def plan_sources_remove(
    config: Config, place: Place, state: SourcesState, statements: Statements
) -> Plan:
    """Plan the removal of the config's sources, whatever version or alias they are on.

    And of the permissions that kappa gave for them.
    """
    plan: list[Step | Note] = []
    given = {**state.statements, config.qualifier: statements}
    state = dataclasses.replace(state, statements=given)
    for source in config.function.event_sources:
        plan += [*_removal(config, source, state), *_theirs(config, source, state)]
        if source.key not in state.unread:
            plan += grants.plan_stale(config, source, place, state)
            plan += grants.plan_unclaim(config, source, place, state)
    if config.function.url:
        plan += [*url.plan_remove(config, state), *_url_theirs(config, state)]
    return _joined(config, plan)


def plan_sources_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every source; a mapping without its function would be of no use.

    Permissions go with the function. Mappings go last, since Lambda takes its time for each.
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
    after = (*part.after, *kept, *_theirs(config, source, state))
    if not kind.calls:
        return dataclasses.replace(part, after=after)
    # All of one bucket's sources share its permission.
    alike = [other for other in config.function.event_sources if other.key == source.key]
    others = {alias for other in alike for alias in strangers(config, other, state)}
    used = {config.qualifier, *others}
    left = set[str]()
    if kind.calls_late:
        left = {alias for other in alike for alias in kind.deliveries(config, other, state)} - used
    stale = grants.plan_stale(config, source, place, state, used, left)
    if not source.enabled and not kind.has_switch(source):
        # Where it is gone already, its permission alone tells where it has been.
        swept = stale if kind.calls_late and part.exists else []
        return dataclasses.replace(part, after=(*after, *swept))
    return dataclasses.replace(
        part,
        grants=grants.plan(config, source, place, statements),
        moves=part.moves or bool(left),
        after=(*after, *stale),
    )


def _kept(config: Config, source: EventSource, state: SourcesState) -> list[Note]:
    """Name the deliveries that somebody else has set up, as far as can be told: they stay."""
    return [
        Note(
            "kept",
            f"{source.label} on {arns.words(alias)} (kappa cannot tell that it made it; "
            "remove_event_sources removes it too)",
        )
        for alias in strangers(config, source, state)
    ]


def _theirs(config: Config, source: EventSource, state: SourcesState) -> list[Note]:
    return other_configs.kept(config, state, source.key, source.plain_label)


def _url_theirs(config: Config, state: SourcesState) -> list[Note]:
    return other_configs.kept(config, state, url.LABEL, url.LABEL)


def _unclear(config: Config, source: EventSource, state: SourcesState) -> Conflict:
    places = [arns.words(alias) for alias in strangers(config, source, state)]
    again = config.command(f"remove_event_sources {source.short}")
    return Conflict(
        f"The {source.label} is on {' and on '.join(places)} of {config.function.name}; kappa "
        "cannot tell which one it shall move.",
        f"Name one of them with --alias, or remove both: {again}",
    )


def _removal(config: Config, source: EventSource, state: SourcesState) -> Plan:
    kind = kind_of(source)
    if source.key in state.unread and not kind.deliveries(config, source, state):
        return [Note("kept", f"{source.label} (not read: {state.unread[source.key]})")]
    return kind.plan_remove(config, source, state)


def _url(config: Config, state: SourcesState, statements: Statements) -> Part | None:
    wanted = config.function.url
    if not wanted:
        return None
    part = url.plan(config, wanted, state, statements)
    return dataclasses.replace(part, after=(*part.after, *_url_theirs(config, state)))
