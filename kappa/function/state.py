"""Read the function from Lambda: settings, code, tags, versions and more.

It also refuses an answer in which AWS left out a part that the plan compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.aws import Aws
from kappa.config.model import Config
from kappa.errors import Denied, NotFound, WaitTimeout
from kappa.function import async_calls, health, version_state, versions
from kappa.function.permissions import Statement, read_statements
from kappa.function.version_state import VersionsState
from kappa.iam.owner import Owner
from kappa.plan.step import WAIT_DEADLINE_S, Clock, Plan


class FunctionState(msgspec.Struct, frozen=True):
    """The function as Lambda has it. `settings` is GetFunction's Configuration; None: no function.

    `statements` and `asynchronous` belong to the alias if the config names one. `code` locates the
    code: {"Location": a URL that expires soon} or {"ImageUri"}. `tags_error` is AWS's error if the
    tags could not be read.
    """

    settings: Mapping[str, Any] | None = None
    statements: tuple[Statement, ...] = ()
    asynchronous: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    concurrency: int | None = None
    code: Mapping[str, Any] = msgspec.field(default_factory=dict)
    versions: VersionsState = msgspec.field(default_factory=VersionsState)
    tags_error: Mapping[str, Any] = msgspec.field(default_factory=dict)


def read_function(
    aws: Aws, config: Config, *, permissions: bool = True, clock: Clock | None = None
) -> FunctionState:
    """Read the function, and the other parts that the config sets.

    `permissions` includes those, if the config has any. With a `clock`, it waits for a change in
    progress, since AWS shows the new settings only afterwards.
    Raises: WaitTimeout, if that change does not end.
    """
    name, alias = config.function.name, config.function.alias
    permissions = permissions and bool(config.function.permissions)
    with ThreadPoolExecutor(3) as pool:
        statements = pool.submit(read_statements, aws, name, alias) if permissions else None
        asynchronous = pool.submit(async_calls.read, aws, config)
        published = pool.submit(_read_versions, aws, config)
        answer = _read_settled(aws, config, clock)
        return FunctionState(
            answer.get("Configuration"),
            statements.result() if statements else (),
            asynchronous.result(),
            answer.get("Tags", {}),
            answer.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            answer.get("Code", {}),
            published.result(),
            answer.get("TagsError", {}),
        )


def _read_settled(aws: Aws, config: Config, clock: Clock | None) -> dict[str, Any]:
    name = config.function.name
    doing = f"reading the function {name}"
    deadline = clock.now() + WAIT_DEADLINE_S if clock else 0.0
    pause_s = 0.25
    while True:
        try:
            answer = aws.call("lambda", "get_function", doing, {"FunctionName": name})
        except NotFound:
            return {}
        aws.remember_account(answer["Configuration"]["FunctionArn"])
        if clock is None or not health.is_changing(answer["Configuration"]):
            return answer
        if clock.now() >= deadline:
            raise WaitTimeout(
                f"Another change of {name} has not ended after {WAIT_DEADLINE_S:.0f} s.",
                "Is another deploy running? Run the same command again when it has ended.",
            )
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 2.0)


def list_functions(aws: Aws) -> list[dict[str, Any]]:
    """List the region's functions with all their versions, since each has its own role.

    Source: AWS Lambda API reference, "ListFunctions": FunctionVersion.
    """
    params = {"FunctionVersion": "ALL"}
    return aws.pages("lambda", "list_functions", "listing the functions", "Functions", params)


def _read_versions(aws: Aws, config: Config) -> VersionsState:
    if not config.function.publish and not config.published_alias:
        return VersionsState()
    name = config.function.name
    published = version_state.read(aws, name)
    users = version_state.read_users(aws, name, versions.deletable(config, published))
    return version_state.read_health(aws, name, replace(published, users=users), published.newest)


def check_variables(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse an answer without the variables, which the caller may not decrypt.

    Raises: Denied, naming the key.
    """
    error = settings.get("Environment", {}).get("Error")
    if error:
        key = settings.get("KMSKeyArn") or "the key of the variables"
        raise _unreadable(name, "variables", error, f"Ask for the permission kms:Decrypt on {key}.")


def check_tags(config: Config, state: FunctionState) -> None:
    """Refuse an answer without the tags, which name the function's owner.

    Raises: Denied, naming the permission.
    """
    if state.tags_error:
        hint = "Ask for the permission lambda:ListTags."
        raise _unreadable(config.function.name, "tags", state.tags_error, hint)


def check_owned(aws: Aws, config: Config, owner: Owner) -> bool:
    """Refuse a function that this region does not own; return whether the function exists.

    Raises: ConfigError; Denied, if its tags are hidden.
    """
    answer = _read_settled(aws, config, None)
    state = FunctionState(
        answer.get("Configuration"),
        tags=answer.get("Tags", {}),
        tags_error=answer.get("TagsError", {}),
    )
    plan_adoption(config, state, owner)
    return state.settings is not None


def plan_adoption(config: Config, state: FunctionState, owner: Owner) -> Plan:
    """Plan the tag of a function that is to be adopted.

    Raises: ConfigError, if this region does not own the function; Denied, if its tags are hidden.
    """
    if state.settings is None:
        return []
    check_tags(config, state)
    name, arn = config.function.name, str(state.settings["FunctionArn"])
    return owner.take(config, "function", name, state.tags, arn)


def check_read(config: Config, settings: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Refuse an answer that lacks a part which the config sets.

    `answer` is the rest of GetFunction's answer: Code.
    Raises: Denied, naming the part and the permission.
    """
    function = config.function
    if function.environment is not None:
        check_variables(function.name, settings)
    if not function.image:
        return
    image_error = answer.get("Code", {}).get("Error")
    settings_error = settings.get("ImageConfigResponse", {}).get("Error")
    for part, error in (("image", image_error), ("settings of the image", settings_error)):
        if error:
            hint = "Check the image, its repository's policy and your permissions for ECR."
            raise _unreadable(function.name, part, error, hint)


def _unreadable(name: str, part: str, error: Mapping[str, Any], hint: str) -> Denied:
    code, text = error.get("ErrorCode", ""), error.get("Message", "")
    return Denied(f"AWS refused reading the {part} of {name}: {text} ({code})", hint, code, text)
