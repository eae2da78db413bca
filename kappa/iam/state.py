"""Read the function's policy and role from IAM. plan.py and delete.py plan their changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.arn import Place
from kappa.aws import Aws
from kappa.config.model import Config, Policy
from kappa.errors import Denied, NotFound
from kappa.iam.owner import read_tags


class PolicyState(msgspec.Struct, frozen=True):
    """A managed policy. `versions` are the non-default ones, oldest first, if they were read."""

    arn: str
    document: Mapping[str, Any]
    default_version: str = "v1"
    versions: tuple[str, ...] = ()
    uses: int = 0
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)


class RoleState(msgspec.Struct, frozen=True):
    """A role: its ARN, the ARNs of the attached policies, the names of the inline ones if read."""

    arn: str
    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)


class IamState(msgspec.Struct, frozen=True):
    """The policy and the role in IAM; None if they do not exist.

    `denied`: the caller may not read a role that the config gives by its ARN.
    """

    policy: PolicyState | None = None
    role: RoleState | None = None
    denied: bool = False


def _if_exists(read: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the call answers
    try:
        return read()
    except NotFound:
        return None


def read_role(aws: Aws, config: Config, *, inline: bool = False) -> IamState:
    """Read the role and its attached policies; with `inline`, the names of inline ones too.

    A role given by its ARN is read only with `inline`, to show it.
    """
    name = config.role.name
    if config.role.arn and inline:
        return _read_given(aws, config.role.arn)
    if config.role.arn or not name:
        return IamState()
    params, doing = {"RoleName": name}, f"reading the role {name}"

    def list_all(operation: str, key: str) -> list[Any]:
        return _if_exists(lambda: aws.pages("iam", operation, doing, key, params)) or []

    with ThreadPoolExecutor(3) as pool:
        answer = pool.submit(_if_exists, lambda: aws.call("iam", "get_role", doing, params))
        attached = pool.submit(list_all, "list_attached_role_policies", "AttachedPolicies")
        names = pool.submit(list_all, "list_role_policies", "PolicyNames") if inline else None
        if answer.result() is None:
            return IamState()
        role = answer.result()["Role"]
        return IamState(
            role=RoleState(
                arn=role["Arn"],
                attached=tuple(sorted(policy["PolicyArn"] for policy in attached.result())),
                inline=tuple(sorted(names.result())) if names else (),
                tags=read_tags(role),
            )
        )


def _read_given(aws: Aws, arn: str) -> IamState:
    params = {"RoleName": arn.rsplit("/", 1)[-1]}
    try:
        role = aws.call("iam", "get_role", f"reading the role {arn}", params)["Role"]
    except NotFound:
        return IamState()
    except Denied:
        return IamState(denied=True)
    return IamState(role=RoleState(role["Arn"]) if role["Arn"] == arn else None)


def read_policy(
    aws: Aws,
    policy: Policy | None,
    place: Place,
    *,
    document: Mapping[str, Any] | None = None,
    deletes: bool = False,
) -> PolicyState | None:
    """Read the policy; None if the config names none, or it does not exist.

    With the desired `document`, the policy's document is read. Its other versions are read only if
    one may have to be removed: the document differs, or the command `deletes`.
    """
    if policy is None:
        return None
    with ThreadPoolExecutor(1) as pool:
        versions = pool.submit(_read_versions, aws, policy, place) if deletes else None
        current = _find_policy(aws, policy, place)
    if current is None:
        return None
    differs = False
    if document is not None:
        current = replace(current, document=_read_document(aws, policy, current))
        differs = current.document != document
    if differs:
        return replace(current, versions=_read_versions(aws, policy, place))
    return replace(current, versions=versions.result()) if versions else current


def _reading(policy: Policy) -> str:
    return f"reading the policy {policy.name or policy.arn}"


def _find_policy(aws: Aws, policy: Policy, place: Place) -> PolicyState | None:
    """Read the policy without its document; one that kappa does not make is searched by name."""
    doing = _reading(policy)

    def read(arn: str) -> PolicyState | None:
        answer = _if_exists(lambda: aws.call("iam", "get_policy", doing, {"PolicyArn": arn}))
        return _policy(answer["Policy"]) if answer else None

    if policy.document:
        return read(place.policy(policy.path, policy.name))
    arns = _candidates(policy, place)
    with ThreadPoolExecutor(len(arns)) as pool:
        current = next(filter(None, pool.map(read, arns)), None)
    if current is None and policy.name:
        return _search_policy(aws, policy.name, doing)
    return current


def _policy(answer: Mapping[str, Any]) -> PolicyState:
    uses = answer.get("AttachmentCount", 0) + answer.get("PermissionsBoundaryUsageCount", 0)
    return PolicyState(answer["Arn"], {}, answer["DefaultVersionId"], (), uses, read_tags(answer))


def _candidates(policy: Policy, place: Place) -> list[str]:
    if policy.arn:
        return [policy.arn]
    return [
        place.policy(policy.path, policy.name),
        place.policy("/", policy.name),
        place.aws_policy("/", policy.name),
        place.aws_policy("/service-role/", policy.name),
    ]


def _search_policy(aws: Aws, name: str, doing: str) -> PolicyState | None:
    policies = aws.pages("iam", "list_policies", doing, "Policies", {"Scope": "All"})
    return next((_policy(policy) for policy in policies if policy["PolicyName"] == name), None)


def _read_document(aws: Aws, policy: Policy, current: PolicyState) -> dict[str, Any]:
    params = {"PolicyArn": current.arn, "VersionId": current.default_version}
    answer = aws.call("iam", "get_policy_version", _reading(policy), params)
    document: dict[str, Any] = answer["PolicyVersion"]["Document"]
    return document


def _read_versions(aws: Aws, policy: Policy, place: Place) -> tuple[str, ...]:
    """The versions but the default one; none of a policy that kappa does not make."""
    if not policy.document:
        return ()
    doing, params = _reading(policy), {"PolicyArn": place.policy(policy.path, policy.name)}

    def read() -> list[Any]:
        return aws.pages("iam", "list_policy_versions", doing, "Versions", params)

    versions = _if_exists(read) or ()
    others = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
    return tuple(sorted(others, key=lambda number: int(number[1:])))
