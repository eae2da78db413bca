"""Event sources: what invokes the function. One plan of all of them, and selections of it.

Each kind has a module of its own: mappings.py (streams, queues), topics.py (SNS),
notifications.py (S3), schedule.py (EventBridge), url.py. Lambda polls for a mapping with the
function's role; the others call the function, and need a permission of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from kappa import arn as arns
from kappa import mappings, notifications, schedule, topics, url
from kappa.arn import Place
from kappa.errors import ConfigError, NotFound
from kappa.part import Part, missing
from kappa.permissions import Statement, admits, grants, plan_grant, plan_revoke
from kappa.settings import Config, Permission
from kappa.sourcesettings import EventSource
from kappa.sourcestate import SourcesState
from kappa.steps import Already, Plan, Step
from kappa.typed import suggestion

Statements = tuple[Statement, ...]
# What calls the function, rather than being polled by it.
_CALLERS = ("events", "s3", "sns")


def plan(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan what is missing and what differs of every source, and of the URL.

    Raises: NotFound, if a topic, a bucket or a rule of others does not exist; Conflict.
    """
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        plan += [*part.grants, *part.items]
    wanted = _url(config, state, statements)
    return [*plan, *wanted.grants, *wanted.items] if wanted else plan


def plan_add(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan what is missing; what is there stays as it is.

    Raises: NotFound, if a topic, a bucket or a rule of others does not exist; Conflict.
    """
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        part = _part(config, place, source, state, statements)
        there: Plan = [Already("exists", source.label)]
        plan += [*part.grants, *(there if part.there else part.items)]
    wanted = _url(config, state, statements)
    if wanted:
        plan += [
            *wanted.grants,
            *([Already("exists", url.LABEL)] if wanted.there else wanted.items),
        ]
    return plan


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
    wanted = _url(config, state, statements)
    if wanted and wanted.there:
        plan += [*wanted.grants, *wanted.items]
    elif wanted:
        plan.append(Already("missing", f"{url.LABEL} (add it: add_event_sources)"))
    return plan


def plan_switch(
    config: Config, place: Place, state: SourcesState, statements: Statements, enabled: bool
) -> Plan:
    """Plan the start or the stop of every source, whatever its `enabled` in the config says.

    Raises: NotFound, if a topic or a bucket to be enabled does not exist; Conflict.
    """
    plan: list[Step | Already] = []
    for said in config.function.event_sources:
        source = replace(said, enabled=enabled)
        if source.service in ("s3", "sns"):
            part = _part(config, place, source, state, statements)
            plan += [*part.grants, *part.items]
        elif source.service == "events":
            plan.append(schedule.plan_switch(config.function.name, source, state, enabled))
        else:
            plan.append(mappings.plan_switch(source, state, enabled))
    if config.function.url:
        plan.append(Already("kept", f"{url.LABEL} (it has no switch; auth: AWS_IAM closes it)"))
    return plan


def plan_remove(config: Config, place: Place, state: SourcesState, statements: Statements) -> Plan:
    """Plan the removal of the config's sources and of the permissions that kappa gave for them."""
    plan: list[Step | Already] = []
    name, alias = config.function.name, config.function.alias
    for source in config.function.event_sources:
        plan += _removal(config, source, state)
        granted = _statement_id(config, source, _arn(config, source, place))
        plan += plan_revoke(name, granted, statements, alias)
    if config.function.url:
        plan += url.plan_remove(config, state, statements)
    return plan


def plan_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every source; a mapping without its function would be of no use.

    Permissions and URL go with the function.
    """
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        if source.service in _CALLERS or state.mapping(source.arn) is None:
            plan += _removal(config, source, state)
    there = [one for one in state.mappings if one["State"] != "Deleting"]
    return [*plan, *(mappings.plan_remove(one) for one in there)]


def only(config: Config, names: Sequence[str]) -> Config:
    """Leave the event sources that are named, by ARN or as a status shows them; url is the URL.

    Raises: ConfigError, if the config has no such source.
    """
    if not names:
        return config
    function = config.function
    known = {word for one in function.event_sources for word in (one.key, one.short)}
    known |= {"url"} if function.url else set()
    for name in names:
        if name not in known:
            raise ConfigError(
                f"{config.file} has no event source {name}.", suggestion(name, known or {"none"})
            )
    kept = [one for one in function.event_sources if {one.key, one.short} & set(names)]
    address = function.url if "url" in names else None
    return replace(config, function=replace(function, event_sources=tuple(kept), url=address))


def _part(
    config: Config,
    place: Place,
    source: EventSource,
    state: SourcesState,
    statements: Statements,
) -> Part:
    name = config.function.name
    if source.service not in _CALLERS:
        return mappings.plan(config, source, state)
    if source.service == "sns":
        part = topics.plan(source, state)
    elif source.service == "s3":
        part = notifications.plan(name, source, state)
    else:
        part = schedule.plan(name, source, state)
    if source.service != "events" and not source.enabled:
        return part
    grants = _permission(config, source, _arn(config, source, place), place, statements)
    return Part(part.there, part.items, grants)


def _removal(config: Config, source: EventSource, state: SourcesState) -> Plan:
    name = config.function.name
    if source.service == "sns":
        return topics.plan_remove(source, state)
    if source.service == "s3":
        return [notifications.plan_remove(name, source, state.buckets.get(source.arn))]
    if source.service == "events":
        return schedule.plan_remove(name, source, state)
    mapping = state.mapping(source.arn)
    return [mappings.plan_remove(mapping) if mapping else Already("gone", source.label)]


def _url(config: Config, state: SourcesState, statements: Statements) -> Part | None:
    wanted = config.function.url
    return url.plan(config, wanted, state, statements) if wanted else None


def _arn(config: Config, source: EventSource, place: Place) -> str:
    if source.service == "events":
        return schedule.rule_arn(config.function.name, source, place)
    return source.arn


def _statement_id(config: Config, source: EventSource, source_arn: str) -> str:
    """Name the permission that kappa gives; an alias's has a name of its own."""
    alias = config.function.alias
    digest = hashlib.sha256(f"{source_arn}{alias and f' {alias}'}".encode()).hexdigest()[:8]
    name = source.short.replace(".", "-")[:60]
    return f"kappa-{source.service}-{name}-{digest}"


def _permission(
    config: Config, source: EventSource, source_arn: str, place: Place, statements: Statements
) -> Plan:
    principal = f"{source.service}.amazonaws.com"
    own = next(
        (one for one in config.function.permissions if admits(one, principal, source_arn)), None
    )
    permission = own or Permission(
        statement_id=_statement_id(config, source, source_arn),
        principal=principal,
        source_arn=source_arn,
        source_account=place.account if source.service == "s3" else "",
    )
    # An ARN that names an account is as narrow without it: such a statement is as good as kappa's.
    account = "" if own else arns.parse(source_arn).account
    alike = [permission, *([replace(permission, source_account=account)] if account else [])]
    if any(grants(one, each) for one in statements for each in alike):
        return []
    return plan_grant(config.function.name, permission, statements, config.function.alias)
