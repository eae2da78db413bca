"""The commands: each reads what it needs and plans what to do. cli/ applies and prints.

Owns the order of the phases and which reads go side by side. It must not print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import msgspec

from kappa.arn import Place
from kappa.aws.client import Aws
from kappa.commands import diff
from kappa.commands import log_events as logs
from kappa.config import advice, included
from kappa.config.function_rules import check_regions
from kappa.config.model import Config
from kappa.config.read import place_policy_document, read_config, read_policy_document
from kappa.function import rollback, version_state, versions
from kappa.function.permissions import granted
from kappa.function.plan import (
    plan_function,
    plan_function_create,
    plan_function_delete,
    plan_function_update,
)
from kappa.function.state import FunctionState, read_function
from kappa.iam import role_users
from kappa.iam.delete import plan_rights_delete, plan_vpc_mark
from kappa.iam.plan import desired_role_arn, plan_rights, plan_rights_create, plan_rights_update
from kappa.iam.state import IamState, read_rights, read_roles
from kappa.packing import syntax, upload
from kappa.packing.archive import Archive
from kappa.packing.build import check_architecture, read_archive
from kappa.packing.check import check_files, check_handler
from kappa.packing.download import read_code
from kappa.packing.syntax import Problem
from kappa.plan.step import Clock, Plan
from kappa.sources.alias_choice import choose_alias
from kappa.sources.alias_settings import bind_to_alias, follow_sources
from kappa.sources.plan import plan_sources, plan_sources_delete
from kappa.sources.read import read_sources
from kappa.sources.state import SourcesState


@dataclass(frozen=True)
class Session:
    """One config and the account that it is for."""

    config: Config
    aws: Aws
    clock: Clock = field(default_factory=Clock)

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """The policy's document, if the config has one; its file is read once."""
        return read_policy_document(self.config)

    @cached_property
    def archive(self) -> Archive:
        """The packed code, with the handler in it; packed once."""
        archive = read_archive(self.config)
        check_handler(self.config, archive)
        return archive

    @property
    def zip(self) -> Archive | None:
        """The packed code; None for a function of a container image."""
        check_files(self.config)
        return None if self.config.function.image else self.archive

    @cached_property
    def problems(self) -> list[Problem]:
        """The function's own Python files that no import can read."""
        packed = self.zip
        return syntax.problems(self.config.function.runtime, packed) if packed else []

    @cached_property
    def place(self) -> Place:
        """Where the function lives; STS is asked, unless what was read before has told."""
        return Place(self.aws.partition, self.aws.region, self.aws.account)


@dataclass(frozen=True)
class Status:
    """All that AWS has of a function, with the config as it is bound."""

    config: Config
    iam: IamState
    function: FunctionState
    sources: SourcesState


def open_session(
    file: Path,
    profile: str | None,
    region: str | None,
    known: dict[Any, Aws] | None = None,
    environment: str = "",
) -> Session:
    """Read the config; the command line's profile and region win over the file's.

    `known` are the clients of other configs: those of one profile and region are shared.
    Raises: ConfigError.
    """
    given = advice.options(profile=profile, region=region)
    config = msgspec.structs.replace(read_config(file, environment), given=given)
    where = (region or config.region, profile or config.profile)
    aws = Aws(*where) if known is None else known.setdefault(where, Aws(*where))
    return Session(config, aws)


@dataclass(frozen=True)
class Found:
    """What deploy needs to know: the config as it is bound, its document, and what AWS has."""

    config: Config
    document: dict[str, Any] | None
    iam: IamState
    function: FunctionState
    group: logs.LogGroup | None
    sources: SourcesState


def read_found(session: Session, *, with_sources: bool = True) -> Found:
    """Read the files, so that what is wrong with them is said first; then ask AWS everything."""
    config, aws, wanted, _ = session.config, session.aws, session.document, session.zip
    check_regions(config, aws.region)
    with ThreadPoolExecutor(4) as pool:
        roles = pool.submit(read_roles, aws, config)
        group = pool.submit(logs.read, aws, config)
        with_sources = with_sources or follow_sources(config)
        # What is read with the sources is not asked twice.
        permissions = not (with_sources and config.function.has_sources)
        has = read_function(aws, config, permissions=permissions, clock=session.clock)
        place = session.place
        document = place_policy_document(wanted, place)
        state = pool.submit(read_sources, aws, config, place, extra=False) if with_sources else None
        ask = role_users.make_question(aws)
        rights = read_rights(
            aws, config, place, roles.result(), has.settings, ask=ask, document=document
        )
    check_architecture(config, (has.settings or {}).get("Architectures", ()))
    found = state.result() if state else SourcesState()
    config, has, found = bind_to_alias(aws, config, place, has, found)
    return Found(config, document, rights, has, group.result(), found)


def plan_deploy(session: Session, found: Found | None = None) -> Plan:
    """Plan all that is missing or differs, each part after what it needs."""
    found = found or read_found(session)
    config, place, archive = found.config, session.place, session.zip
    role_arn = desired_role_arn(config, place, found.iam)
    changed = plan_function(config, archive, role_arn, found.function)
    given = found.sources.statements.get(config.qualifier, ())
    statements = granted(given, config.function.permissions)
    return _old_versions_last(
        [
            *plan_rights(config, found.document, place, found.iam),
            *logs.plan_retention(config, found.group),
            *_uploaded(session, changed),
            *plan_sources(config, place, found.sources, statements),
        ]
    )


def plan_create(session: Session) -> Plan:
    """Select what is missing of policy, role and function; permissions and settings too."""
    found = read_found(session, with_sources=False)
    config, place = found.config, session.place
    role_arn = desired_role_arn(config, place, found.iam)
    made = plan_function_create(config, session.zip, role_arn, found.function)
    return _old_versions_last(
        [
            *plan_rights_create(config, found.document, place, found.iam),
            *logs.plan_retention(config, found.group),
            *_uploaded(session, made),
        ]
    )


def plan_update_code(session: Session) -> Plan:
    """Select what differs of policy document, settings and code."""
    found = read_found(session, with_sources=False)
    config, place = found.config, session.place
    role_arn = desired_role_arn(config, place, found.iam, found.function.settings)
    changed = plan_function_update(config, session.zip, role_arn, found.function)
    return _old_versions_last(
        [
            *plan_rights_update(config, found.document, place, found.iam),
            *logs.plan_retention(config, found.group),
            *_uploaded(session, changed),
        ]
    )


def _old_versions_last(plan: Plan) -> Plan:
    """Keep what one could roll back to until all else is done; the rest keeps its order."""
    return sorted(plan, key=versions.deletes_version)


def _uploaded(session: Session, plan: Plan) -> Plan:
    """Put a large zip into S3 before the function's plan, if that one sends code."""
    if session.zip is None or not diff.sends_code(plan):
        return plan
    return [*upload.plan(session.config, session.zip), *plan]


def read_changes(session: Session, *, show_values: bool) -> tuple[Plan, list[diff.Change]]:
    """Read what deploy would change; the zip that AWS has only if another one replaces it."""
    found = read_found(session)
    plan = plan_deploy(session, found)
    before = None
    if diff.replaces_code(plan):
        link = str(found.function.code.get("Location", ""))
        before = read_code(session.aws, link, session.config.function.name)
    after = session.zip
    return plan, diff.changes(
        plan,
        after.data if after else None,
        before,
        show_values=show_values,
        included=included.words(session.config),
        installed=after.installed if after else (),
    )


def plan_delete(session: Session) -> Plan:
    """Plan the removal of all that kappa made, except the logs."""
    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    with ThreadPoolExecutor(3) as pool:
        roles = pool.submit(read_roles, aws, config, inline=config.makes_role)
        listed = role_users.read_functions(aws) if config.makes_role else []
        own = [one for one in listed if one["FunctionName"] == config.function.name]
        has = _latest(own) if config.makes_role else read_function(aws, config, permissions=False)
        place = session.place
        state = pool.submit(
            read_sources, aws, config, place, grants=False, tolerant=True, deleting=True
        )
        ask = role_users.make_question(aws, role_users.functions_by_role(listed))
        rights = read_rights(
            aws, config, place, roles.result(), has.settings, ask=ask, deletes=True
        )
    # The function goes with all of its aliases, so what hangs on any of them goes too.
    config = msgspec.structs.replace(config, siblings=frozenset())
    config, found = choose_alias(config, place, state.result(), strict=False, whole=True)
    now, users_now = datetime.now(UTC), partial(role_users.make_question(aws), elsewhere=True)
    return [
        *plan_sources_delete(config, found),
        *plan_vpc_mark(config, rights, own, now),
        *plan_function_delete(config, has),
        *logs.plan_delete(config),
        *plan_rights_delete(config, rights, own, now, users_now),
    ]


def _latest(own: Sequence[Mapping[str, Any]]) -> FunctionState:
    """Whether the function is there: its listed versions tell, without another call."""
    latest = (one for one in own if one.get("Version", "$LATEST") == "$LATEST")
    return FunctionState(next(latest, None))


def read_versions(session: Session) -> list[dict[str, Any]]:
    """Read the published versions and their aliases, the newest version first.

    Raises: NotFound, if there is no such function.
    """
    return versions.rows(
        session.config, version_state.read(session.aws, session.config.function.name)
    )


def plan_rollback(session: Session, alias: str, to: str) -> Plan:
    """Plan moving the alias back; both may be empty."""
    config, aws, name = session.config, session.aws, session.config.function.name
    has = version_state.read(aws, name)
    number = rollback.target(config, has, alias, to)
    has = version_state.read_health(aws, name, has, number)
    return rollback.plan(config, has, alias, to)


def read_status(session: Session) -> Status:
    """Read everything, side by side."""
    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    with ThreadPoolExecutor(3) as pool:
        roles = pool.submit(read_roles, aws, config, inline=True)
        has = read_function(aws, config)
        place = session.place
        state = pool.submit(read_sources, aws, config, place, tolerant=True)
        rights = read_rights(aws, config, place, roles.result(), has.settings)
    config, has, found = bind_to_alias(aws, config, place, has, state.result(), strict=False)
    return Status(config, rights, has, found)
