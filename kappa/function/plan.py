"""The function itself: plan how it is made, changed and removed.

Owns the order: settings, code, tags, reserved concurrency, versions, and what hangs on those. A
setting that the config does not name is left as AWS has it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.errors import NotFound
from kappa.function import aliases, async_calls, conflicts, health, versions
from kappa.function.code import code_params, plan_code
from kappa.function.conflicts import Compared
from kappa.function.health import ready
from kappa.function.params import current, desired, first_settings
from kappa.function.permissions import plan_grant
from kappa.function.state import FunctionState, check_read
from kappa.packing import upload
from kappa.packing.archive import Archive
from kappa.plan.step import Look, Note, Plan, Step


def plan_function(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Plan:
    """Plan all of the function: settings first, so that new code finds them.

    Then code, tags, concurrency, version and alias, and what hangs on those: permissions and
    asynchronous settings. `archive` is None for a function of a container image.
    Raises: Conflict, if AWS cannot make it what the config says; Denied, if AWS leaves out what
    is compared; AwsError, if AWS has the function as failed for good.
    """
    compared = _compared(config, archive, role_arn, state)
    changes = (
        [_create(config, archive, role_arn)] if state.settings is None else _update(compared, state)
    )
    will_change = any(isinstance(item, Step) for item in changes)
    return [
        *changes,
        *_plan_tags(config, state.settings, state.tags),
        *_plan_concurrency(config, state.concurrency),
        *versions.plan(config, state.versions, will_change, conflicts.guard_publishing(compared)),
        *_permissions(config, state),
        *async_calls.plan(config, state.asynchronous),
    ]


def plan_function_create(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Plan:
    """Plan the function, its permissions and asynchronous settings; what exists stays.

    A function that exists gets what was never set: tags, reserved concurrency, a first version, the
    alias. That completes a `create` that was interrupted. Code and settings stay.
    Raises: as plan_function().
    """
    if state.settings is None:
        return plan_function(config, archive, role_arn, state)
    health.check_usable(config, state.settings)
    check_read(config, {}, {"TagsError": state.tags_error})
    compared = _compared(config, archive, role_arn, state)
    if state.versions.aliases and aliases.is_missing(config, state.versions):
        conflicts.check_shared(compared, [alias["Name"] for alias in state.versions.aliases])
    why = health.failure(state.settings) or "code"
    return [
        Note(
            "exists",
            f"function {config.function.name} ({why}: {config.command('update_code')})",
        ),
        *_plan_missing(config, state.settings, state.tags, state.concurrency),
        *versions.plan_missing(
            config, state.versions, conflicts.guard_publishing(compared, done=False)
        ),
        *_permissions(config, state),
        *async_calls.plan(config, state.asynchronous),
    ]


def plan_function_update(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Plan:
    """Plan what differs of a function that exists.

    Raises: NotFound, if there is no such function.
    """
    if state.settings is None:
        raise NotFound(
            f"The function {config.function.name} does not exist.",
            f"Make it: {config.command('create')}",
        )
    return plan_function(config, archive, role_arn, state)


def _create(config: Config, archive: Archive | None, role_arn: str) -> Step:
    function, settings = config.function, first_settings(config, role_arn)
    params = {
        "FunctionName": function.name,
        **{key: value for key, value in settings.items() if _sets(value)},
        "Code": code_params(config, archive),
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
    """Look for the function that another deploy has just made, with our settings, code and tags."""

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        settings, tags = answer["Configuration"], answer.get("Tags", {})
        state = FunctionState(settings, tags=tags, code=answer.get("Code", {}))
        plan = [
            *_update(_compared(config, archive, role_arn, state), state),
            *_plan_tags(config, settings, tags),
        ]
        return not any(isinstance(item, Step) for item in plan)

    return Look("get_function", {"FunctionName": config.function.name}, fits)


def _sets(value: object) -> bool:
    """Whether a setting sets something; {"SubnetIds": []}, "" and the like only remove."""
    if isinstance(value, dict):
        return any(map(_sets, value.values()))
    return bool(value)


def _update(compared: Compared, state: FunctionState) -> Plan:
    """Plan settings, then code. After a failure, both are sent again, and failed code first.

    Raises: Conflict, if AWS has an image where the config has a zip, or the other way round.
    """
    actual = state.settings or {}
    health.check_usable(compared.config, actual)
    check_read(compared.config, actual, {"Code": state.code, "TagsError": state.tags_error})
    failure, code_first = health.failure(actual), health.code_failed(actual)
    settings = _plan_settings(compared, actual, "" if code_first else failure, code_first)
    again = bool(failure)
    guard = conflicts.guard_update(
        compared, "code", settings=not code_first, code=False, again=again
    )
    code = plan_code(
        compared.config, compared.archive, actual, state.code, again=again, guard=guard
    )
    return [code, settings] if code_first else [settings, code]


def _plan_settings(
    compared: Compared, actual: Mapping[str, Any], failure: str, code_done: bool
) -> Step | Note:
    name = compared.config.function.name
    settings = desired(compared.config, compared.role_arn, actual)
    before = {key: current(actual, key) for key in settings}
    changed = [key for key in settings if before[key] != settings[key]]
    sent = list(settings) if failure else changed
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
        before={key: before[key] for key in sent},
        guard=conflicts.guard_update(
            compared, "settings", settings=False, code=code_done, again=bool(failure)
        ),
    )


def _compared(
    config: Config, archive: Archive | None, role_arn: str, state: FunctionState
) -> Compared:
    before = state.settings and {"Configuration": state.settings, "Code": state.code}
    return Compared(config, archive, role_arn, before or None)


def _plan_tags(
    config: Config, function: Mapping[str, Any] | None, actual: Mapping[str, str]
) -> Plan:
    """Make the tags those of the config; the tags of AWS itself begin with aws: and stay.

    A function that does not exist yet is made with its tags. Old tags are removed before new ones
    are added: AWS allows 50, and counts at each call.
    """
    tags = config.function.tags
    if tags is None or function is None:
        return []
    changed = {key: value for key, value in tags.items() if actual.get(key) != value}
    extra = [key for key in sorted(actual) if key not in tags and not key.startswith("aws:")]
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
    """Plan the tags, by their keys, and the reservation that an existing function lacks.

    What has another value stays, and nothing is removed.
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
    """Plan the reserved concurrency; None is no reservation."""
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
            function.name, permission, state.statements, config.qualifier, config.aws
        )
    ]


def plan_function_delete(config: Config, state: FunctionState) -> Plan:
    """Plan the function's removal; its permissions and asynchronous settings go with it."""
    name = config.function.name
    if state.settings is None:
        return [Note("gone", f"function {name}")]
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
