"""The function itself: read it, plan its making, change and removal.

Owns code, configuration, tags, reserved concurrency and the order of what hangs on them. A
setting that the config does not name is left as AWS has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from kappa.aws.client import Aws
from kappa.config.model import Config
from kappa.errors import NotFound, WaitTimeout
from kappa.function import async_calls as asynchronous
from kappa.function import code as functioncode
from kappa.function import conflicts, health, versions
from kappa.function import update as functionupdate
from kappa.function import version_state as versionstate
from kappa.function import version_users as versionusers
from kappa.function import whole as wholefunction
from kappa.function.conflicts import Compared
from kappa.function.health import ready
from kappa.function.params import first
from kappa.function.permissions import Statement, plan_grant, read_statements
from kappa.function.version_state import VersionsState
from kappa.packing import upload
from kappa.packing.archive import Archive
from kappa.plan.step import WAIT_DEADLINE_S, Already, Clock, Look, Plan, Step


@dataclass(frozen=True)
class FunctionState:
    """What Lambda has. `settings` is GetFunction's Configuration; None: no such function.

    `statements` and `asynchronous` are the alias's where the config names one. `code` is where
    the code lies: {"Location": a URL that ends soon} or {"ImageUri"}. `tags_error` says why the
    tags could not be read.
    """

    settings: Mapping[str, Any] | None = None
    statements: tuple[Statement, ...] = ()
    asynchronous: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    code: Mapping[str, Any] = field(default_factory=dict)
    versions: VersionsState = field(default_factory=VersionsState)
    tags_error: Mapping[str, Any] = field(default_factory=dict)


def read(
    aws: Aws, config: Config, *, permissions: bool = True, clock: Clock | None = None
) -> FunctionState:
    """Read the function, and what else the config says something of.

    The `permissions` that it says are read too, unless somebody else does. With a `clock` it
    waits for a change that is under way: only then is what AWS shows what it has.
    Raises: WaitTimeout, if that change does not end.
    """
    name, alias = config.function.name, config.qualifier
    permissions = permissions and bool(config.function.permissions)
    with ThreadPoolExecutor(3) as pool:
        statements = pool.submit(read_statements, aws, name, alias) if permissions else None
        after = pool.submit(asynchronous.read, aws, config)
        listed = pool.submit(_read_versions, aws, config)
        answer = _read_function(aws, config, clock)
        return FunctionState(
            answer.get("Configuration"),
            statements.result() if statements else (),
            after.result(),
            answer.get("Tags", {}),
            answer.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            answer.get("Code", {}),
            listed.result(),
            answer.get("TagsError", {}),
        )


def _read_function(aws: Aws, config: Config, clock: Clock | None) -> dict[str, Any]:
    name = config.function.name
    doing = f"reading the function {name}"
    deadline = clock.now() + WAIT_DEADLINE_S if clock else 0.0
    pause_s = 0.25
    while True:
        try:
            answer = aws.call("lambda", "get_function", doing, {"FunctionName": name})
        except NotFound:
            return {}
        aws.learn(answer["Configuration"]["FunctionArn"])
        if clock is None or not health.under_way(answer["Configuration"]):
            return answer
        if clock.now() >= deadline:
            raise WaitTimeout(
                f"Another change of {name} has not ended after {WAIT_DEADLINE_S:.0f} s.",
                "Is another deploy at work? Run the same command again when it has ended.",
            )
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 2.0)


def _read_versions(aws: Aws, config: Config) -> VersionsState:
    if not config.function.publish and not config.function.alias:
        return VersionsState()
    name = config.function.name
    listed = versionstate.read(aws, name)
    users = versionusers.read_users(aws, name, versions.may_go(config, listed))
    return versionstate.read_health(aws, name, replace(listed, users=users), listed.newest)


def plan(config: Config, archive: Archive | None, role_arn: str, state: FunctionState) -> Plan:
    """Plan the whole truth about the function: settings first, so that new code finds them.

    Then code, tags, concurrency, version and alias, and what hangs on those: permissions and
    asynchronous settings. `archive` is None for a function of a container image.
    Raises: Conflict, if AWS cannot make it what the config says; Denied, if AWS leaves out what
    is compared; AwsError, if AWS has the function as failed for good.
    """
    compared = _compared(config, archive, role_arn, state)
    first = (
        [_create(config, archive, role_arn)] if state.settings is None else _update(compared, state)
    )
    will_change = any(isinstance(item, Step) for item in first)
    return [
        *first,
        *wholefunction.plan_tags(config, state.settings, state.tags),
        *wholefunction.plan_concurrency(config, state.concurrency),
        *versions.plan(config, state.versions, will_change, conflicts.of_publishing(compared)),
        *_permissions(config, state),
        *asynchronous.plan(config, state.asynchronous),
    ]


def plan_create(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Plan:
    """Plan the function, its permissions and asynchronous settings; what exists stays.

    Of a function that exists, what was never set is made too: tags, reserved concurrency, a first
    version, the alias. So a `create` that was stopped is completed. Code and settings stay.
    Raises: as plan().
    """
    if state.settings is None:
        return plan(config, archive, role_arn, state)
    health.check_usable(config, state.settings)
    health.check_read(config, {}, {"TagsError": state.tags_error})
    compared = _compared(config, archive, role_arn, state)
    if state.versions.aliases and versions.makes_alias(config, state.versions):
        conflicts.check_own(compared, [one["Name"] for one in state.versions.aliases])
    why = health.failure(state.settings) or "code"
    return [
        Already(
            "exists",
            f"function {config.function.name} ({why}: {config.command('update_code')})",
        ),
        *wholefunction.plan_missing(config, state.settings, state.tags, state.concurrency),
        *versions.plan_missing(
            config, state.versions, conflicts.of_publishing(compared, done=False)
        ),
        *_permissions(config, state),
        *asynchronous.plan(config, state.asynchronous),
    ]


def plan_update(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Plan:
    """Plan what differs of a function that is there.

    Raises: NotFound, if there is no such function.
    """
    if state.settings is None:
        raise NotFound(
            f"The function {config.function.name} does not exist.",
            f"Make it: {config.command('create')}",
        )
    return plan(config, archive, role_arn, state)


def _create(config: Config, archive: Archive | None, role_arn: str) -> Step:
    function = config.function
    params = {
        "FunctionName": function.name,
        **{key: value for key, value in first(config, role_arn).items() if _said(value)},
        "Code": functioncode.sent(config, archive),
    }
    if function.image:
        params["PackageType"] = "Image"
    if function.architectures:
        params["Architectures"] = list(function.architectures)
    if function.tags:
        params["Tags"] = dict(function.tags)
    return Step(
        "lambda",
        "create_function",
        params,
        "created",
        f"function {function.name}",
        wait=ready(config, "State", "Active"),
        look=_look(config, archive, role_arn),
        conflict_hint="It was made just now: run the same command again.",
        **upload.expected(config, archive),
    )


def _look(config: Config, archive: Archive | None, role_arn: str) -> Look:
    """Where the function is seen that another deploy has made: with our settings, code and tags."""

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        has, tags = answer["Configuration"], answer.get("Tags", {})
        state = FunctionState(has, tags=tags, code=answer.get("Code", {}))
        plan = [
            *_update(_compared(config, archive, role_arn, state), state),
            *wholefunction.plan_tags(config, has, tags),
        ]
        return not any(isinstance(item, Step) for item in plan)

    return Look("get_function", {"FunctionName": config.function.name}, fits)


def _said(value: object) -> bool:
    """Leave out what removes, where there is nothing yet: {"SubnetIds": []}, "" and the like."""
    if isinstance(value, dict):
        return any(map(_said, value.values()))
    return bool(value)


def _update(compared: Compared, state: FunctionState) -> Plan:
    health.check_usable(compared.config, state.settings or {})
    health.check_read(
        compared.config,
        state.settings or {},
        {"Code": state.code, "TagsError": state.tags_error},
    )
    return functionupdate.plan(compared)


def _compared(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Compared:
    has = state.settings and {"Configuration": state.settings, "Code": state.code}
    return Compared(config, archive, role_arn, has or None)


def _permissions(config: Config, state: FunctionState) -> Plan:
    function = config.function
    return [
        item
        for permission in function.permissions
        for item in plan_grant(
            function.name, permission, state.statements, config.qualifier, config.aws
        )
    ]


def plan_delete(config: Config, state: FunctionState) -> Plan:
    """Plan the function's removal; its permissions and asynchronous settings go with it."""
    name = config.function.name
    if state.settings is None:
        return [Already("gone", f"function {name}")]
    return [
        Step(
            "lambda",
            "delete_function",
            {"FunctionName": name},
            "removed",
            f"function {name}",
            settled=("ResourceNotFoundException",),
        ),
    ]
