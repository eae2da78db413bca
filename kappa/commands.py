"""The commands: each reads what it needs and plans what to do. cli.py applies and prints.

Owns the order of the phases and which reads go side by side. It must not print.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kappa import function, iam, iamstate, logs, sources, sourcestate
from kappa.archive import Archive, pack
from kappa.arn import Place
from kappa.aws import Aws
from kappa.config import place_policy_document, read_config, read_policy_document
from kappa.errors import NotFound
from kappa.function import FunctionState
from kappa.iamstate import IamState
from kappa.settings import Config
from kappa.sourcestate import SourcesState
from kappa.steps import Plan


@dataclass(frozen=True)
class Session:
    """One config and the account that it is for."""

    config: Config
    aws: Aws

    @cached_property
    def place(self) -> Place:
        """Where the function lives; asks AWS who is calling."""
        return Place(self.aws.partition, self.aws.region, self.aws.account)


@dataclass(frozen=True)
class Status:
    """All that AWS has of a function."""

    iam: IamState
    function: FunctionState
    sources: SourcesState


def open_session(file: Path, profile: str | None, region: str | None) -> Session:
    """Read the config; the command line's profile and region win over the file's.

    Raises: ConfigError.
    """
    config = read_config(file)
    return Session(config, Aws(region or config.region, profile or config.profile))


def _packed(config: Config) -> Archive:
    return pack(config.beside(config.function.path), config.function.zipfile_name)


def plan_create(session: Session) -> Plan:
    """Plan what is missing of policy, role, function, permissions and settings."""
    config, aws = session.config, session.aws
    document = read_policy_document(config)
    archive = _packed(config)
    place = session.place
    document = place_policy_document(document, place)
    with ThreadPoolExecutor(3) as pool:
        rights = pool.submit(iamstate.read, aws, config, place)
        has = pool.submit(function.read, aws, config)
        group = pool.submit(logs.read, aws, config)
    role_arn = iam.role_arn(config, place, rights.result())
    return [
        *iam.plan_create(config, document, place, rights.result()),
        *logs.plan_retention(config, group.result()),
        *function.plan_create(config, archive, role_arn, has.result()),
    ]


def plan_update_code(session: Session) -> Plan:
    """Plan what differs of policy document, settings and code."""
    config, aws = session.config, session.aws
    document = read_policy_document(config)
    archive = _packed(config)
    place = session.place
    document = place_policy_document(document, place)
    with ThreadPoolExecutor(3) as pool:
        rights = pool.submit(iamstate.read, aws, config, place)
        has = pool.submit(function.read, aws, config)
        group = pool.submit(logs.read, aws, config)
    role_arn = iam.role_arn(config, place, rights.result())
    update = function.plan_update(config, archive, role_arn, has.result())
    return [
        *iam.plan_update(config, document, rights.result()),
        *logs.plan_retention(config, group.result()),
        *update,
    ]


def plan_add_event_sources(session: Session) -> Plan:
    """Plan the event sources that are not there yet.

    Raises: NotFound, if the function, a topic or a bucket does not exist.
    """
    has, state = _read_sources(session)
    return sources.plan_add(session.config, session.place, state, has.statements)


def plan_update_event_sources(session: Session) -> Plan:
    """Plan what differs of the event sources that are there."""
    _, state = _read_sources(session)
    return sources.plan_update(session.config, session.place, state)


def _read_sources(session: Session) -> tuple[FunctionState, SourcesState]:
    config, aws, place = session.config, session.aws, session.place
    with ThreadPoolExecutor(2) as pool:
        has = pool.submit(function.read, aws, config)
        state = pool.submit(sourcestate.read, aws, config, place)
    if has.result().settings is None:
        raise NotFound(
            f"The function {config.function.name} does not exist.",
            f"Make it: kappa {config.file} create",
        )
    return has.result(), state.result()


def plan_delete(session: Session) -> Plan:
    """Plan the removal of all that kappa made, except the logs."""
    config, aws, place = session.config, session.aws, session.place
    with ThreadPoolExecutor(4) as pool:
        rights = pool.submit(iamstate.read, aws, config, place)
        has = pool.submit(function.read, aws, config)
        state = pool.submit(sourcestate.read, aws, config, place)
        users = pool.submit(iamstate.read_role_users, aws) if config.makes_role else None
    return [
        *sources.plan_delete(config, state.result()),
        *function.plan_delete(config, has.result()),
        *logs.plan_delete(config),
        *iam.plan_delete(config, rights.result(), users.result() if users else {}),
    ]


def read_status(session: Session) -> Status:
    """Read everything, side by side."""
    config, aws, place = session.config, session.aws, session.place
    with ThreadPoolExecutor(3) as pool:
        rights = pool.submit(iamstate.read, aws, config, place)
        has = pool.submit(function.read, aws, config)
        state = pool.submit(sourcestate.read, aws, config, place)
    return Status(rights.result(), has.result(), state.result())
