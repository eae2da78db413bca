"""Plan the creation, update and removal of the function itself. Pure.

It owns the order: settings, code, tags, reserved concurrency, versions, permissions, asynchronous
settings. A setting that the config does not name keeps its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.config.settings import FUNCTION
from kappa.config.tree import dotted
from kappa.errors import Conflict, NotFound
from kappa.function import aliases, async_calls, conflicts, health, versions
from kappa.function.code import code_params, plan_code
from kappa.function.conflicts import Compared
from kappa.function.health import ready
from kappa.function.params import current, desired, differing, first_settings
from kappa.function.permissions import plan_grant
from kappa.function.state import FunctionState, check_read, plan_adoption
from kappa.iam.owner import RESERVED, Owner
from kappa.package import upload
from kappa.package.zip import Archive
from kappa.plan.step import Note, Plan, Recheck, Step


def plan_function(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState, owner: Owner
) -> Plan:
    """Plan the whole function: settings come first, so that new code finds them.

    `archive` is None for a container image.
    Raises: ConfigError, if this region does not own the function; Conflict, if AWS cannot turn the
    function into the config's; Denied, if AWS's answer lacks a part to compare; AwsError, if the
    function has failed for good.
    """
    compared = _compared(config, archive, role_arn, state)
    adoption = plan_adoption(config, state, owner)
    changes = (
        [_create(config, archive, role_arn, owner)]
        if state.settings is None
        else _update(compared, state)
    )
    will_change = any(isinstance(item, Step) for item in changes)
    return [
        *adoption,
        *changes,
        *_plan_tags(config, state.settings, state.tags),
        *_plan_concurrency(config, state.concurrency),
        *versions.plan(config, state.versions, will_change, conflicts.guard_publishing(compared)),
        *_permissions(config, state),
        *async_calls.plan(config, state.asynchronous),
    ]


def plan_function_create(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState, owner: Owner
) -> Plan:
    """Plan the function, its permissions and asynchronous settings, if they do not exist.

    An existing function keeps its code and settings. It gets the tags, the reserved concurrency,
    the first version and the alias that it lacks, which completes an interrupted `create`.
    Raises: as plan_function().
    """
    if state.settings is None:
        return plan_function(config, archive, role_arn, state, owner)
    adoption = plan_adoption(config, state, owner)
    health.check_usable(config, state.settings)
    compared = _compared(config, archive, role_arn, state)
    if state.versions.aliases and aliases.missing(config, state.versions):
        conflicts.check_shared(compared, [alias["Name"] for alias in state.versions.aliases])
    why = health.failure(state.settings) or "code"
    return [
        *adoption,
        Note(
            "exists",
            f"function {config.function.name} ({why}: {config.command('deploy')})",
        ),
        *_plan_missing(config, state.settings, state.tags, state.concurrency),
        *versions.plan_missing(
            config, state.versions, conflicts.guard_publishing(compared, done=False)
        ),
        *_permissions(config, state),
        *async_calls.plan(config, state.asynchronous),
    ]


def plan_function_update(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState, owner: Owner
) -> Plan:
    """Plan the changes of an existing function.

    Raises: NotFound, if the function does not exist; as plan_function().
    """
    if state.settings is None:
        raise NotFound(
            f"The function {config.function.name} does not exist.",
            f"Make it: {config.command('deploy')}",
        )
    return plan_function(config, archive, role_arn, state, owner)


def _create(config: Config, archive: Archive | None, role_arn: str, owner: Owner) -> Step:
    function = config.function
    params = {
        "FunctionName": function.name,
        **first_settings(config, role_arn),
        "Code": code_params(config, archive),
        "Tags": {**(function.tags or {}), **owner.tags},
    }
    if function.image:
        params["PackageType"] = "Image"
    if function.architectures:
        params["Architectures"] = list(function.architectures)
    return Step(
        "lambda",
        "create_function",
        params,
        "created",
        f"function {function.name}",
        wait=ready(config, "State", "Active", "ActiveNonInvocable"),
        recheck=_recheck(config, archive, role_arn, owner),
        conflict_hint="Another command has just made it: run the same command again.",
        **upload.expected(config, archive),
    )


def _recheck(config: Config, archive: Archive | None, role_arn: str, owner: Owner) -> Recheck:
    """Accept a function that another deploy has just made, if settings, code and tags match."""

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        settings, tags = answer["Configuration"], answer.get("Tags", {})
        state = FunctionState(settings, tags=tags, code=answer.get("Code", {}))
        plan = [
            *_update(_compared(config, archive, role_arn, state), state),
            *_plan_tags(config, settings, tags),
        ]
        return owner.owns(tags) and not any(isinstance(item, Step) for item in plan)

    return Recheck("get_function", {"FunctionName": config.function.name}, fits)


def _update(compared: Compared, state: FunctionState) -> Plan:
    """Plan settings, then code. After a failed update both are sent again, failed code first.

    Raises: Conflict, if AWS has an image where the config has a zip, or the other way round.
    """
    current_settings = state.settings or {}
    health.check_usable(compared.config, current_settings)
    check_read(compared.config, current_settings, {"Code": state.code})
    failure, code_first = health.failure(current_settings), health.code_failed(current_settings)
    settings = _plan_settings(compared, current_settings, "" if code_first else failure, code_first)
    again = bool(failure)
    guard = conflicts.guard_update(
        compared,
        "code",
        settings=not code_first,
        code=False,
        again=again,
        first=code_first or isinstance(settings, Note),
    )
    code = plan_code(
        compared.config, compared.archive, current_settings, state.code, again=again, guard=guard
    )
    return [code, settings] if code_first else [settings, code]


def _plan_settings(
    compared: Compared, actual: Mapping[str, Any], failure: str, code_done: bool
) -> Step | Note:
    name = compared.config.function.name
    settings = desired(compared.config, compared.role_arn, actual)
    changed = differing(settings, actual)
    _check_fixed(compared.config, changed)
    sent = [key for key in settings if key in changed or (failure and key in FUNCTION.updatable)]
    if not sent:
        return Note("unchanged", f"settings of {name}")
    message = ": ".join([f"settings of {name}", *filter(None, [", ".join(changed)])])
    return Step(
        "lambda",
        "update_function_configuration",
        {"FunctionName": name, **{key: settings[key] for key in sent}},
        "updated",
        f"{message}, again ({failure})" if failure else message,
        wait=ready(compared.config, "LastUpdateStatus", "Successful", always=bool(failure)),
        before={key: current(actual, key) for key in sent},
        guard=conflicts.guard_update(
            compared,
            "settings",
            settings=False,
            code=code_done,
            again=bool(failure),
            first=not code_done,
        ),
    )


def _check_fixed(config: Config, changed: list[str]) -> None:
    """Refuse to change what AWS takes at the creation only.

    Raises: Conflict, naming the key.
    """
    names = {key.path: key.name for key in FUNCTION.keys}
    for member in changed:
        if member not in FUNCTION.updatable:
            keys = ("lambda", names[member])
            raise Conflict(
                config.error(
                    keys,
                    f"AWS sets {dotted(keys)} when it makes {config.function.name}, and cannot "
                    "change it.",
                ).message,
                "Take the key out; or give the function another name, or `delete` it first.",
            )


def _compared(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Compared:
    before = state.settings and {"Configuration": state.settings, "Code": state.code}
    return Compared(config, archive, role_arn, before or None)


def _plan_tags(
    config: Config, function: Mapping[str, Any] | None, actual: Mapping[str, str]
) -> Plan:
    """Plan the function's tags; AWS's and kappa's own stay.

    A new function is made with its tags. Old tags are removed before new ones are added, since AWS
    allows 50 tags and checks that at each call.
    """
    tags = config.function.tags
    if tags is None or function is None:
        return []
    changed = {key: value for key, value in tags.items() if actual.get(key) != value}
    extra = [key for key in sorted(actual) if key not in tags and not key.startswith(RESERVED)]
    message, resource = f"tags of {config.function.name}", {"Resource": function["FunctionArn"]}
    plan: list[Step | Note] = []
    if extra:
        keys = {**resource, "TagKeys": extra}
        before = {"Tags": {key: actual[key] for key in extra}}
        text = f"{message}: {', '.join(extra)}"
        plan.append(Step("lambda", "untag_resource", keys, "removed", text, before=before))
    if changed:
        params = {**resource, "Tags": changed}
        before = {"Tags": {key: actual[key] for key in changed if key in actual}}
        text = f"{message}: {', '.join(changed)}"
        plan.append(Step("lambda", "tag_resource", params, "updated", text, before=before))
    return plan or [Note("unchanged", message)]


def _plan_missing(
    config: Config, function: Mapping[str, Any], tags: Mapping[str, str], concurrency: int | None
) -> Plan:
    """Plan the tags and the reserved concurrency that an existing function lacks.

    Existing tags keep their values, and nothing is removed.
    """
    desired_tags = config.function.tags or {}
    missing = {key: value for key, value in desired_tags.items() if key not in tags}
    plan: list[Step | Note] = []
    if missing:
        params = {"Resource": function["FunctionArn"], "Tags": missing}
        text = f"tags of {config.function.name}: {', '.join(missing)}"
        plan.append(Step("lambda", "tag_resource", params, "created", text))
    if concurrency is None and config.function.reserved_concurrency != "none":
        plan.extend(_plan_concurrency(config, concurrency))
    return plan


def _plan_concurrency(config: Config, actual: int | None) -> Plan:
    """Plan the reserved concurrency; `actual` is None if nothing is reserved."""
    reserved = config.function.reserved_concurrency
    if reserved is None:
        return []
    name = {"FunctionName": config.function.name}
    message = f"reserved concurrency of {config.function.name}"
    before = {"ReservedConcurrentExecutions": actual}
    if actual == (None if reserved == "none" else reserved):
        return [Note("unchanged", message)]
    if reserved == "none":
        operation = "delete_function_concurrency"
        return [Step("lambda", operation, name, "removed", message, before=before)]
    params = {**name, "ReservedConcurrentExecutions": reserved}
    text = f"{message}: {reserved}"
    return [Step("lambda", "put_function_concurrency", params, "updated", text, before=before)]


def _permissions(config: Config, state: FunctionState) -> Plan:
    function = config.function
    return [
        item
        for permission in function.permissions
        for item in plan_grant(
            function.name, permission, state.statements, config.function.alias, config.aws
        )
    ]


def plan_function_delete(config: Config, state: FunctionState, owner: Owner) -> Plan:
    """Plan the function's removal; its permissions and asynchronous settings go with it.

    Raises: ConfigError, if this region does not own the function.
    """
    name = config.function.name
    if state.settings is None:
        return [Note("gone", f"function {name}")]
    plan_adoption(config, state, owner)
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
