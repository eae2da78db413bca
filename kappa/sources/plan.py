"""Event sources: what invokes the function. One plan of all of them, and selections of it.

Each kind has a module of its own: mapping.py (streams, queues), sns.py (SNS),
s3.py (S3), rule.py (EventBridge), url.py. Lambda polls for a mapping with the
function's role; the others call the function, and need a permission of it. `config` and `state`
are as binding.py resolves them: which version or alias all of it belongs on is settled.
"""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from kappa import arn as arns
from kappa.arn import Place
from kappa.config.model import Config, EventSource
from kappa.errors import Conflict, NotFound
from kappa.function.permissions import Statement
from kappa.plan.step import Already, Plan, Step
from kappa.sources import binding, url
from kappa.sources import grants as sourcegrants
from kappa.sources import mapping as mappings
from kappa.sources import other_places as otherplaces
from kappa.sources import rule as schedule
from kappa.sources import s3 as notifications
from kappa.sources import s3_owner as notificationowner
from kappa.sources import sns as topics
from kappa.sources.part import Part, missing
from kappa.sources.state import CALLERS, SourcesState

Statements = tuple[Statement, ...]


def plan(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan what is missing and what differs of every source, and of the URL.

    Raises: NotFound, if a topic, a bucket or a rule of others does not exist; Conflict.
    """
    plan: list[Step | Already] = [*_stays(config)]
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        plan += [*part.grants, *part.items, *part.after]
    wanted = _url(config, state, statements)
    return _joined([*plan, *wanted.grants, *wanted.items, *wanted.after] if wanted else plan)


def _joined(plan: Plan) -> Plan:
    """Let sources that share a bucket share its permission, and write it one after the other."""
    once = [item for number, item in enumerate(plan) if item not in plan[:number]]
    return notifications.chained(once)


def _stays(config: Config) -> Plan:
    """Say that what a config without an alias has is on one, and how new code gets there."""
    if not config.bound or not config.function.has_sources:
        return []
    deploy = config.command(f"deploy --publish --alias {config.bound}")
    return [
        Already(
            "kept",
            f"event sources on the alias {config.bound}, which gets new code by {deploy}",
        )
    ]


def plan_add(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan what is missing, and what is on another alias; what is there stays as it is.

    Raises: NotFound, if a topic, a bucket or a rule of others does not exist; Conflict.
    """
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        plan += _added(part, source.label)
    wanted = _url(config, state, statements)
    return _joined([*plan, *_added(wanted, url.LABEL)] if wanted else plan)


def _added(part: Part, label: str) -> Plan:
    exists: Plan = [Already("exists", label)]
    stays = part.there and not part.moves
    return [*part.grants, *(exists if stays else part.items), *part.after]


def plan_update(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan what differs of the sources that are there; a missing one is said, not added."""
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        try:
            part = _part(config, place, source, state, statements)
        except NotFound:
            plan.append(missing(source))
            continue
        absent = not part.there and source.enabled
        plan += [missing(source)] if absent else [*part.grants, *part.items]
        plan += part.after
    wanted = _url(config, state, statements)
    if wanted and wanted.there:
        plan += [*wanted.grants, *wanted.items, *wanted.after]
    elif wanted:
        plan.append(Already("missing", f"{url.LABEL} (add it: add_event_sources)"))
    return _joined(plan)


def plan_switch(
    config: Config, place: Place, state: SourcesState, statements: Statements, enabled: bool
) -> Plan:
    """Plan the start or the stop of every source, whatever its `enabled` in the config says.

    Raises: NotFound, if a topic or a bucket to be enabled does not exist; Conflict.
    """
    plan: list[Step | Already] = []
    for said in config.function.event_sources:
        source = replace(said, enabled=enabled)
        if source.service in ("s3", "sns") or (
            source.service == "events" and not schedule.owned(source)
        ):
            part = _part(config, place, source, state, statements)
            plan += [*part.grants, *part.items, *part.after]
        elif source.service == "events":
            item = schedule.plan_switch(config.function.name, source, state, enabled)
            here = enabled and state.qualifier in binding.qualifiers(config, source, state)
            grants = sourcegrants.plan(config, source, place, statements) if here else []
            plan += [*grants, item]
        else:
            plan += [*mappings.plan_switch(source, state, enabled), *_kept(config, source, state)]
            plan += _theirs(config, source, state)
    if config.function.url:
        plan.append(Already("kept", f"{url.LABEL} (it has no switch; auth: AWS_IAM closes it)"))
    return _joined(plan)


def plan_remove(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan the removal of the config's sources, whatever version or alias they are on.

    And of the permissions that kappa gave for them.
    """
    plan: list[Step | Already] = []
    given = {**state.statements, config.qualifier: statements}
    state = dataclasses.replace(state, statements=given)
    for source in config.function.event_sources:
        plan += [*_removal(config, source, state), *_theirs(config, source, state)]
        if source.key not in state.unread:
            plan += sourcegrants.plan_stale(config, source, place, state)
            plan += sourcegrants.plan_unclaim(config, source, place, state)
    if config.function.url:
        plan += [*url.plan_remove(config, state), *_url_theirs(config, state)]
    return _joined(plan)


def plan_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every source; a mapping without its function would be of no use.

    Permissions go with the function.
    """
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        if source.service in CALLERS or not state.mapped(source.arn):
            plan += _removal(config, source, state)
    there = [one for one in state.mappings if one["State"] != "Deleting"]
    return [*plan, *map(mappings.plan_remove, there), *url.plan_delete(config, state)]


def _part(
    config: Config,
    place: Place,
    source: EventSource,
    state: SourcesState,
    statements: Statements,
) -> Part:
    part = _kind(config, source, state)
    kept = _kept(config, source, state)
    if kept and not part.there and source.enabled:
        raise _unclear(config, source, state)
    after = (
        *part.after,
        *kept,
        *_not_named(config, source, state),
        *_theirs(config, source, state),
    )
    if source.service not in CALLERS:
        return Part(part.there, part.items, (), part.moves, after)
    # All of one bucket's sources share its permission.
    alike = [one for one in config.function.event_sources if one.key == source.key]
    used = {config.qualifier, *(q for one in alike for q in binding.strangers(config, one, state))}
    late = source.service in sourcegrants.LATE
    left = {q for one in alike for q in binding.qualifiers(config, one, state) if late} - used
    stale = sourcegrants.plan_stale(config, source, place, state, used, left)
    if not source.enabled and not (source.service == "events" and schedule.owned(source)):
        # Where it is gone already, its permission alone tells where it has been.
        swept = stale if late and part.there else []
        return Part(part.there, part.items, (), part.moves, (*after, *swept))
    grants = sourcegrants.plan(config, source, place, statements)
    moves = part.moves or bool(left)
    return Part(part.there, part.items, grants, moves, (*after, *stale))


def _kind(config: Config, source: EventSource, state: SourcesState) -> Part:
    name = config.function.name
    if source.service == "sns":
        return topics.plan(source, state)
    if source.service == "s3":
        return notifications.plan(config, source, state)
    if source.service == "events":
        return schedule.plan(name, source, state)
    return mappings.plan(config, source, state)


def _kept(config: Config, source: EventSource, state: SourcesState) -> list[Already]:
    """Name the deliveries that somebody else has set up, as far as can be told: they stay."""
    return [
        Already(
            "kept",
            f"{source.label} on {arns.words(one)} (kappa cannot tell that it made it; "
            "remove_event_sources removes it too)",
        )
        for one in binding.strangers(config, source, state)
    ]


def _theirs(config: Config, source: EventSource, state: SourcesState) -> list[Already]:
    return otherplaces.kept(config, state, source.key, source.plain_label)


def _url_theirs(config: Config, state: SourcesState) -> list[Already]:
    return otherplaces.kept(config, state, otherplaces.URL, url.LABEL)


def _not_named(config: Config, source: EventSource, state: SourcesState) -> list[Already]:
    """Name what invokes the function of other keys, or of other events, of the same bucket."""
    if source.service != "s3" or not notificationowner.is_first(config, source):
        return []
    return [
        Already(
            "kept",
            f"{source.plain_label}: notification {one} (this config does not name it; "
            "remove_event_sources removes it too)",
        )
        for one in notificationowner.not_named(config, source, state)
    ]


def _unclear(config: Config, source: EventSource, state: SourcesState) -> Conflict:
    places = [arns.words(one) for one in binding.strangers(config, source, state)]
    again = config.command(f"remove_event_sources {source.short}")
    return Conflict(
        f"The {source.label} is on {' and on '.join(places)} of {config.function.name}; kappa "
        "cannot tell which one it shall move.",
        f"Name one of them with --alias, or remove both: {again}",
    )


def _removal(config: Config, source: EventSource, state: SourcesState) -> Plan:
    name = config.function.name
    if source.key in state.unread:
        return [Already("kept", f"{source.label} (not read: {state.unread[source.key]})")]
    if source.service == "sns":
        return topics.plan_remove(source, state)
    if source.service == "s3":
        first = notificationowner.is_first(config, source)
        return [notifications.plan_remove(config, source, state)] if first else []
    if source.service == "events":
        return schedule.plan_remove(name, source, state)
    mapped = state.mapped(source.arn)
    return [*map(mappings.plan_remove, mapped)] or [Already("gone", source.label)]


def _url(config: Config, state: SourcesState, statements: Statements) -> Part | None:
    wanted = config.function.url
    if not wanted:
        return None
    part = url.plan(config, wanted, state, statements)
    return dataclasses.replace(part, after=(*part.after, *_url_theirs(config, state)))
