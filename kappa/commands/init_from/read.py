"""Read a function that exists, with all that hangs on it. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from kappa.aws import Aws
from kappa.commands.init_from.left_out import read_without_key, unknown_settings
from kappa.commands.init_from.sources import adopt_sources
from kappa.errors import AwsError
from kappa.function.async_calls import read_async_settings
from kappa.function.log_group import LogGroup, find_log_group
from kappa.function.permissions import Statement, read_statements
from kappa.function.state import check_variables
from kappa.package.compare import read_code
from kappa.sources.url import read_url


class Existing(msgspec.Struct, frozen=True):
    """All that AWS has of a function, as AWS puts it.

    `sources` are in the words of a config already; `without_key` names what it has no key for.
    """

    function: Mapping[str, Any]
    statements: tuple[Statement, ...]
    sources: list[dict[str, Any]]
    role: Mapping[str, Any]
    policy: Mapping[str, Any] | None
    asynchronous: Mapping[str, Any] | None
    url: Mapping[str, Any] | None
    log_group: LogGroup | None
    zipped: bytes | None
    without_key: tuple[str, ...] = ()


def read_existing(aws: Aws, name: str) -> Existing:
    """Read a function with its role, permissions, event sources and code.

    Raises: NotFound, if there is none of this name; Denied, if its variables cannot be read;
    AwsError.
    """
    doing = f"reading the function {name}"
    function = aws.call("lambda", "get_function", doing, {"FunctionName": name})
    settings = function["Configuration"]
    check_variables(name, settings)
    name, arn = settings["FunctionName"], settings["FunctionArn"]
    image = settings.get("PackageType") == "Image"

    with ThreadPoolExecutor(7) as pool:
        statements = pool.submit(read_statements, aws, name)
        role = pool.submit(_read_role, aws, settings["Role"])
        asynchronous = pool.submit(read_async_settings, aws, name)
        url = pool.submit(read_url, aws, name)
        log_group = pool.submit(find_log_group, aws, _log_group(settings))
        without_key = pool.submit(read_without_key, aws, name, image=image)
        zipped = None if image else pool.submit(_download, aws, name, function.get("Code", {}))
        sources = adopt_sources(aws, arn, statements.result())
        return Existing(
            function=function,
            statements=statements.result(),
            sources=list(sources.sections),
            role=role.result()[0],
            policy=role.result()[1],
            asynchronous=asynchronous.result(),
            url=url.result(),
            log_group=log_group.result(),
            zipped=zipped.result() if zipped else None,
            without_key=(
                *unknown_settings(function),
                *sources.left_out,
                *without_key.result(),
            ),
        )


def _log_group(settings: Mapping[str, Any]) -> str:
    default = f"/aws/lambda/{settings['FunctionName']}"
    return str(settings.get("LoggingConfig", {}).get("LogGroup", default))


def _read_role(aws: Aws, arn: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read the role and, if it is all that the role has, its one policy with its document."""
    name = arn.rsplit("/", 1)[-1]
    doing, params = f"reading the role {name}", {"RoleName": name}
    role: dict[str, Any] = aws.call("iam", "get_role", doing, params)["Role"]
    attached = aws.pages("iam", "list_attached_role_policies", doing, "AttachedPolicies", params)
    inline = aws.pages("iam", "list_role_policies", doing, "PolicyNames", params)
    if len(attached) != 1 or inline:
        return role, None
    which = {"PolicyArn": attached[0]["PolicyArn"]}
    policy: dict[str, Any] = aws.call("iam", "get_policy", doing, which)["Policy"]
    if ":aws:policy/" in policy["Arn"]:
        return role, policy
    version = {**which, "VersionId": policy["DefaultVersionId"]}
    answer = aws.call("iam", "get_policy_version", doing, version)
    return role, {**policy, "Document": answer["PolicyVersion"]["Document"]}


def _download(aws: Aws, name: str, code: Mapping[str, Any]) -> bytes | None:
    location = str(code.get("Location", ""))
    if not location:
        problem = code.get("Error", {}).get("Message", "it gives no address")
        raise AwsError(f"AWS does not hand out the function's code: {problem}.")
    return read_code(aws, location, name)
