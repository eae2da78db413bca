"""The commands deploy, create and update_code: read what AWS has, then plan what is to change.

Owns the order of the phases and which reads go side by side. the command's file applies and prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec

from kappa.commands.session import Session
from kappa.config.function_rules import check_regions
from kappa.config.model import Config
from kappa.config.policy_document import place_policy_document
from kappa.function.code import sends_code
from kappa.function.log_group import LogGroup, plan_retention, read_log_group
from kappa.function.permissions import granted
from kappa.function.plan import plan_function, plan_function_create, plan_function_update
from kappa.function.state import FunctionState, read_function
from kappa.function.versions import deletes_version
from kappa.iam.plan import desired_role_arn, plan_rights, plan_rights_create, plan_rights_update
from kappa.iam.state import IamState, read_policy, read_role
from kappa.package import upload
from kappa.package.pack import check_architecture
from kappa.plan.step import Plan
from kappa.sources.plan import plan_sources
from kappa.sources.read import read_sources
from kappa.sources.state import SourcesState


class Current(msgspec.Struct, frozen=True):
    """What deploy compares with: the config, its document, and what AWS has."""

    config: Config
    document: dict[str, Any] | None
    iam: IamState
    function: FunctionState
    group: LogGroup | None
    sources: SourcesState


def read_current(session: Session, *, with_sources: bool = True, creates: bool = False) -> Current:
    """Read the files, so that their errors come first; then ask AWS everything, side by side.

    `creates`: most likely there is no function that names the account, so STS is asked at once.
    """
    config, aws, document, _ = session.config, session.aws, session.document, session.zip
    check_regions(config, aws.region)
    with ThreadPoolExecutor(4) as pool:
        # What is read with the sources is not asked twice.
        permissions = not (with_sources and config.function.has_sources)
        reading = pool.submit(
            read_function, aws, config, permissions=permissions, clock=session.clock
        )
        role = pool.submit(read_role, aws, config)
        if creates:
            pool.submit(lambda: session.place)
        place = partial(session.place_after, reading)
        pending = pool.submit(read_sources, aws, config, place) if with_sources else None
        group = pool.submit(read_log_group, aws, config)
        document = place_policy_document(document, config.values, place())
        policy = read_policy(aws, config.policy, place(), document=document)
        rights = msgspec.structs.replace(role.result(), policy=policy)
    function = reading.result()
    check_architecture(config, (function.settings or {}).get("Architectures", ()))
    sources = pending.result() if pending else SourcesState()
    if (statements := sources.statements.get(config.function.alias)) is not None:
        function = msgspec.structs.replace(function, statements=statements)
    return Current(config, document, rights, function, group.result(), sources)


def plan_deploy(session: Session, current: Current | None = None) -> Plan:
    """Plan all that is missing or differs, each part after what it needs."""
    current = current or read_current(session)
    config, place, archive, owner = current.config, session.place, session.zip, session.owner
    role_arn = desired_role_arn(config, place, current.iam)
    changed = plan_function(config, archive, role_arn, current.function, owner)
    given = current.sources.statements.get(config.function.alias, ())
    statements = granted(given, config.function.permissions)
    return _old_versions_last(
        [
            *plan_rights(config, current.document, place, current.iam, owner),
            *plan_retention(config, current.group),
            *_uploaded(session, changed),
            *plan_sources(config, place, current.sources, statements),
        ]
    )


def plan_create(session: Session) -> Plan:
    """Select what is missing of policy, role and function; permissions and settings too."""
    current = read_current(session, with_sources=False, creates=True)
    config, place, owner = current.config, session.place, session.owner
    role_arn = desired_role_arn(config, place, current.iam)
    created = plan_function_create(config, session.zip, role_arn, current.function, owner)
    return _old_versions_last(
        [
            *plan_rights_create(config, current.document, place, current.iam, owner),
            *plan_retention(config, current.group),
            *_uploaded(session, created),
        ]
    )


def plan_update_code(session: Session) -> Plan:
    """Select what differs of policy document, settings and code."""
    current = read_current(session, with_sources=False)
    config, place, owner = current.config, session.place, session.owner
    role_arn = desired_role_arn(config, place, current.iam, current.function.settings)
    changed = plan_function_update(config, session.zip, role_arn, current.function, owner)
    return _old_versions_last(
        [
            *plan_rights_update(config, current.document, place, current.iam, owner),
            *plan_retention(config, current.group),
            *_uploaded(session, changed),
        ]
    )


def plan_code(session: Session, current: Current) -> tuple[Plan, Mapping[str, Any]]:
    """Plan what differs of the function alone, for the config and role of an earlier look.

    Reads the function again, and returns its settings too.
    Raises: NotFound, if it does not exist.
    """
    config = current.config
    function = read_function(session.aws, config, clock=session.clock)
    settings = function.settings or {}
    check_architecture(config, settings.get("Architectures", ()))
    role_arn = settings.get("Role", "")
    changed = plan_function_update(config, session.zip, role_arn, function, session.owner)
    return _old_versions_last(_uploaded(session, changed)), settings


def _old_versions_last(plan: Plan) -> Plan:
    """Delete what one could roll back to after all else is done; the rest keeps its order."""
    return sorted(plan, key=deletes_version)


def _uploaded(session: Session, plan: Plan) -> Plan:
    """Put a large zip into S3 before the function's plan, if that one sends code."""
    archive = session.checked_zip if sends_code(plan) else None
    return [*upload.plan(session.config, archive), *plan] if archive else plan
