"""Plan the permissions that event sources need, each by its statement id. Pure.

Each alias has its own policy, so the id of a permission depends on the alias.
"""

from __future__ import annotations

import hashlib

from kappa.arn import Place, parse_arn
from kappa.config.model import Config, EventSource, Permission
from kappa.function.permissions import Statement, admits, caller, plan_grant, plan_revoke
from kappa.plan.step import Note, Plan
from kappa.sources.all_kinds import kind_of
from kappa.sources.state import SourcesState

Statements = tuple[Statement, ...]


def plan(config: Config, source: EventSource, place: Place, statements: Statements) -> Plan:
    """Plan the permission that a source needs: the config's own for it, or else kappa's.

    Raises: Conflict, if a statement of the same id is foreign.
    """
    source_arn = kind_of(source).arn(config.function.name, source, place)
    service, function = caller(source_arn, source.service, place.region), config.function
    kappas = Permission(
        statement_id=statement_id(config, source, place, function.alias),
        principal=service,
        source_arn=source_arn,
        source_account="" if parse_arn(source_arn).account else place.account,
    )
    own = (grant for grant in function.permissions if admits(grant, service, source_arn))
    plan = plan_grant(function.name, next(own, kappas), statements, function.alias, config.aws)
    return [item for item in plan if item.mark != "exists"]


def statement_id(config: Config, source: EventSource, place: Place, alias: str) -> str:
    """The id of kappa's permission for a source, on the function or on one of its aliases."""
    source_arn = kind_of(source).arn(config.function.name, source, place)
    digest = hashlib.sha256(f"{source_arn}{alias and f' {alias}'}".encode()).hexdigest()[:8]
    name = source.short.replace(".", "-")[:60]
    return f"kappa-{source.service}-{name}-{digest}"


def plan_moved(
    config: Config, source: EventSource, place: Place, state: SourcesState, *, is_leaving: bool
) -> Plan:
    """Plan the removal of kappa's permission on the function itself, once a source has moved.

    While the source `is_leaving`, it stays if the service may still call the function.
    """
    late = kind_of(source).calls_late if is_leaving else ""
    plan = plan_remove(config, source, place, state, "") if state.qualifier else []
    reason = f"{late} may still call it for minutes; a later deploy removes it"
    if not late:
        return plan
    return [Note("kept", f"{item.message} on the function itself ({reason})") for item in plan]


def plan_remove(
    config: Config, source: EventSource, place: Place, state: SourcesState, alias: str
) -> Plan:
    """Plan the removal of kappa's permission for a source on one qualifier."""
    if not kind_of(source).calls:
        return []
    name = statement_id(config, source, place, alias)
    return plan_revoke(config.function.name, name, state.statements.get(alias, ()), alias)
