"""The function itself: read it, plan its making, change and removal.

Owns code, configuration, tags, reserved concurrency and the order of what hangs on them. A
setting that the config does not name is left as AWS has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from kappa import asynchronous, upload, versions, wholefunction
from kappa.archive import Archive
from kappa.aws import Aws
from kappa.errors import Conflict, Denied, NotFound
from kappa.functionparams import present, wanted
from kappa.permissions import Statement, plan_grant, read_statements
from kappa.settings import Config
from kappa.steps import BUSY, FRESH_ROLE, FRESH_ROLE_KEY, Already, Plan, Step, Wait
from kappa.versions import VersionsState


@dataclass(frozen=True)
class FunctionState:
    """What Lambda has. `settings` is GetFunction's Configuration; None: no such function.

    `statements` and `asynchronous` are the alias's where the config names one. `code` is where
    the code lies: {"Location": a URL that ends soon} or {"ImageUri"}.
    """

    settings: Mapping[str, Any] | None = None
    statements: tuple[Statement, ...] = ()
    asynchronous: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    code: Mapping[str, Any] = field(default_factory=dict)
    versions: VersionsState = field(default_factory=VersionsState)


def read(aws: Aws, config: Config, *, permissions: bool = True) -> FunctionState:
    """Read the function, and what else the config says something of.

    Its `permissions` are read too, if they matter whatever the config says.
    """
    name, alias = config.function.name, config.function.alias
    said = config.function.permissions or config.function.event_sources or config.function.url
    with ThreadPoolExecutor(3) as pool:
        statements = pool.submit(read_statements, aws, name, alias) if permissions or said else None
        after = pool.submit(_read_asynchronous, aws, config)
        listed = pool.submit(_read_versions, aws, config)
        answer = _read_function(aws, config)
        return FunctionState(
            answer.get("Configuration"),
            statements.result() if statements else (),
            after.result(),
            answer.get("Tags", {}),
            answer.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            answer.get("Code", {}),
            listed.result(),
        )


def _read_function(aws: Aws, config: Config) -> dict[str, Any]:
    name = config.function.name
    doing = f"reading the function {name}"
    try:
        answer = aws.call("lambda", "get_function", doing, {"FunctionName": name})
    except NotFound:
        return {}
    aws.learn(answer["Configuration"]["FunctionArn"])
    if config.function.tags is not None and "TagsError" in answer:
        problem = answer["TagsError"].get("Message", "")
        raise Denied(
            f"AWS refused reading the tags of {name}: {problem}",
            "Ask for the permission lambda:ListTags.",
        )
    return answer


def _read_asynchronous(aws: Aws, config: Config) -> dict[str, Any] | None:
    name, alias = config.function.name, config.function.alias
    if config.function.async_ is None:
        return None
    params = {"FunctionName": name} | ({"Qualifier": alias} if alias else {})
    doing = f"reading the asynchronous settings of {name}"
    try:
        return aws.call("lambda", "get_function_event_invoke_config", doing, params)
    except NotFound:
        return None


def _read_versions(aws: Aws, config: Config) -> VersionsState:
    if not config.function.publish and not config.function.alias:
        return VersionsState()
    return versions.read(aws, config.function.name)


def plan(config: Config, archive: Archive | None, role_arn: str, state: FunctionState) -> Plan:
    """Plan the whole truth about the function: settings first, so that new code finds them.

    Then code, tags, concurrency, version and alias, and what hangs on those: permissions and
    asynchronous settings. `archive` is None for a function of a container image.
    Raises: Conflict, if AWS cannot make it what the config says.
    """
    first: list[Step | Already] = (
        [_create(config, archive, role_arn)]
        if state.settings is None
        else [
            _update_settings(config, role_arn, state.settings),
            _update_code(config, archive, state),
        ]
    )
    will_change = any(isinstance(item, Step) for item in first)
    return [
        *first,
        *wholefunction.plan_tags(config, state.settings, state.tags),
        *wholefunction.plan_concurrency(config, state.concurrency),
        *versions.plan(config, state.versions, will_change),
        *_permissions(config, state),
        *asynchronous.plan(config, state.asynchronous),
    ]


def plan_create(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Plan:
    """Plan the function, its permissions and asynchronous settings; what exists stays."""
    if state.settings is None:
        return plan(config, archive, role_arn, state)
    alias = config.function.alias
    makes_alias = bool(alias) and state.versions.alias(alias) is None
    return [
        Already(
            "exists", f"function {config.function.name} (code: kappa {config.file} update_code)"
        ),
        *(versions.plan(config, state.versions, will_change=False) if makes_alias else []),
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
            f"Make it: kappa {config.file} create",
        )
    return plan(config, archive, role_arn, state)


def _create(config: Config, archive: Archive | None, role_arn: str) -> Step:
    function = config.function
    params = {
        "FunctionName": function.name,
        **{key: value for key, value in wanted(config, role_arn, {}).items() if _said(value)},
        "Code": _code(config, archive),
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
        wait=_ready(config, "State", "Active"),
        retry=(FRESH_ROLE, FRESH_ROLE_KEY),
        conflict_hint="It was made just now: run the same command again.",
        **upload.expected(config, archive),
    )


def _said(value: object) -> bool:
    """Leave out what removes, where there is nothing yet: {"SubnetIds": []}, "" and the like."""
    if isinstance(value, dict):
        return any(map(_said, value.values()))
    return bool(value)


def _code(config: Config, archive: Archive | None) -> dict[str, Any]:
    if config.function.image:
        return {"ImageUri": config.function.image.uri}
    return upload.code(config, archive) if archive else {}


def _ready(config: Config, field_: str, until: str) -> Wait:
    """Wait at a plan's end only for what can still fail there: network, key, image, snapshot."""
    function = config.function
    return Wait(
        "lambda",
        "get_function_configuration",
        {"FunctionName": function.name},
        field_,
        until=(until,),
        failed=("Failed",),
        reason=f"{field_}Reason",
        for_next=not (function.vpc or function.kms_key or function.image or function.snap_start),
    )


def _update_settings(config: Config, role_arn: str, has: Mapping[str, Any]) -> Step | Already:
    name = config.function.name
    now = {key: present(has, key) for key in wanted(config, role_arn, has)}
    changed = {
        key: value for key, value in wanted(config, role_arn, has).items() if now[key] != value
    }
    if not changed:
        return Already("unchanged", f"settings of {name}")
    return Step(
        "lambda",
        "update_function_configuration",
        {"FunctionName": name, **changed},
        "updated",
        f"settings of {name}: {', '.join(changed)}",
        wait=_ready(config, "LastUpdateStatus", "Successful"),
        retry=(*BUSY, FRESH_ROLE, FRESH_ROLE_KEY),
        before={key: now[key] for key in changed},
    )


def _update_code(config: Config, archive: Archive | None, state: FunctionState) -> Step | Already:
    name, architectures = config.function.name, config.function.architectures
    has = state.settings or {}
    kind = "Image" if config.function.image else "Zip"
    if has.get("PackageType", kind) != kind:
        raise Conflict(
            f"The function {name} is of the kind {has['PackageType']}: AWS cannot make it {kind}.",
            f"Delete it first: kappa {config.file} delete",
        )
    same_machine = architectures is None or list(architectures) == has.get("Architectures")
    before = (
        {"ImageUri": state.code.get("ImageUri")}
        if config.function.image
        else {"CodeSha256": has.get("CodeSha256")}
    )
    after = (
        {"ImageUri": config.function.image.uri}
        if config.function.image
        else {"CodeSha256": archive.sha256 if archive else None}
    )
    if before == after and same_machine:
        return Already("unchanged", f"code of {name}")
    params: dict[str, Any] = {"FunctionName": name, **_code(config, archive)}
    if architectures and not same_machine:
        params["Architectures"] = list(architectures)
        before["Architectures"] = has.get("Architectures")
    return Step(
        "lambda",
        "update_function_code",
        params,
        "updated",
        f"code of {name}",
        wait=_ready(config, "LastUpdateStatus", "Successful"),
        retry=BUSY,
        before=before,
        **upload.expected(config, archive),
    )


def _permissions(config: Config, state: FunctionState) -> Plan:
    function = config.function
    return [
        item
        for permission in function.permissions
        for item in plan_grant(function.name, permission, state.statements, function.alias)
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
            retry=BUSY,
            settled=("ResourceNotFoundException",),
        ),
    ]
