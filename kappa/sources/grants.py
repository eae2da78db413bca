"""Plan the permissions that event sources need: their names, missing ones, stale ones. Pure.

Each alias has its own policy, so the name of a permission depends on the alias.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set

from msgspec.structs import replace

from kappa.arn import Place, describe_qualifier, parse_arn
from kappa.config.model import Config, EventSource, Permission
from kappa.function.permissions import Statement, admits, caller, grants, plan_grant, plan_revoke
from kappa.plan.step import Note, Plan, Step
from kappa.sources.state import SourcesState
from kappa.sources.table import kind_of

Statements = tuple[Statement, ...]


def plan(config: Config, source: EventSource, place: Place, statements: Statements) -> Plan:
    """Plan the permission that a source needs, unless a statement already grants it.

    Raises: Conflict, if a statement of the same name is foreign.
    """
    source_arn, own = _arn(config, source, place), _own(config, source, place)
    permission = own or Permission(
        statement_id=statement_id(config, source, place, config.qualifier),
        principal=caller(source_arn, source.service, place.region),
        source_arn=source_arn,
        source_account="" if parse_arn(source_arn).account else place.account,
    )
    # A source_account that repeats the ARN's account restricts nothing: such a statement counts.
    account = "" if own else parse_arn(source_arn).account
    alike = [permission, *([replace(permission, source_account=account)] if account else [])]
    if any(grants(statement, variant) for statement in statements for variant in alike):
        return []
    return plan_grant(config.function.name, permission, statements, config.qualifier, config.aws)


def _own(config: Config, source: EventSource, place: Place) -> Permission | None:
    """Find the config's own permission for a source."""
    source_arn = _arn(config, source, place)
    principal = caller(source_arn, source.service, place.region)
    return next(
        (
            permission
            for permission in config.function.permissions
            if admits(permission, principal, source_arn)
        ),
        None,
    )


def is_permitted(
    config: Config, source: EventSource, place: Place, state: SourcesState, alias: str
) -> bool:
    """Whether this qualifier has the config's own permission for a source."""
    own = _own(config, source, place) if kind_of(source).calls else None
    return own is not None and any(
        grants(statement, own) for statement in state.statements.get(alias, ())
    )


def statement_id(config: Config, source: EventSource, place: Place, alias: str) -> str:
    """The id of kappa's permission for a source, on the function or on one of its aliases."""
    source_arn = _arn(config, source, place)
    digest = hashlib.sha256(f"{source_arn}{alias and f' {alias}'}".encode()).hexdigest()[:8]
    name = source.short.replace(".", "-")[:60]
    return f"kappa-{source.service}-{name}-{digest}"


def is_given(
    config: Config, source: EventSource, place: Place, state: SourcesState, alias: str
) -> bool:
    """Whether this qualifier has kappa's own permission for a source."""
    if not kind_of(source).calls:
        return False
    name = statement_id(config, source, place, alias)
    statements = state.statements.get(alias, ())
    return any(statement.statement_id == name and not statement.foreign for statement in statements)


def plan_unclaim(config: Config, source: EventSource, place: Place, state: SourcesState) -> Plan:
    """Plan the removal of the config's permission for a source from aliases, if it names none.

    Otherwise a later command would conclude that the source was there: see alias_choice.py.
    """
    if config.function.alias:
        return []
    return [
        item
        for alias in state.statements
        for name in (_configured(config, source, place, state, alias) if alias else ())
        for item in plan_revoke(config.function.name, name, state.statements[alias], alias)
    ]


def _configured(
    config: Config, source: EventSource, place: Place, state: SourcesState, alias: str
) -> list[str]:
    """The ids of the config's permissions for a source that this qualifier has."""
    if not kind_of(source).calls:
        return []
    source_arn = _arn(config, source, place)
    principal = caller(source_arn, source.service, place.region)
    return [
        permission.statement_id
        for permission in config.function.permissions
        if admits(permission, principal, source_arn)
        for statement in state.statements.get(alias, ())
        if statement.statement_id == permission.statement_id and grants(statement, permission)
    ]


def plan_stale(
    config: Config,
    source: EventSource,
    place: Place,
    state: SourcesState,
    used: Set[str] = frozenset(),
    leaving: Set[str] = frozenset(),
) -> Plan:
    """Plan the removal of kappa's permissions on all qualifiers except those `used`.

    A qualifier that the source is `leaving` keeps its permission, since the service may still call
    it for a while.
    """
    plan: list[Step | Note] = []
    for alias, statements in state.statements.items():
        if alias in used or not is_given(config, source, place, state, alias):
            continue
        name = statement_id(config, source, place, alias)
        if alias in leaving:
            plan.append(_still_called(source, name, alias))
        else:
            plan += plan_revoke(config.function.name, name, statements, alias)
    return plan


def _still_called(source: EventSource, name: str, alias: str) -> Note:
    service = kind_of(source).calls_late
    return Note(
        "kept",
        f"permission {name} on {describe_qualifier(alias)} ({service} may still call it for "
        "minutes; a later deploy removes it)",
    )


def _arn(config: Config, source: EventSource, place: Place) -> str:
    return kind_of(source).arn(config.function.name, source, place)
