"""What IAM has of the function's policy and role. It only reads; iam.py plans with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kappa.arn import Place
from kappa.aws import Aws
from kappa.errors import NotFound
from kappa.settings import Config, Policy


@dataclass(frozen=True)
class PolicyState:
    """A managed policy. `versions` are the non-default ones, oldest first, if they were read."""

    arn: str
    document: Mapping[str, Any]
    default_version: str = "v1"
    versions: tuple[str, ...] = ()
    uses: int = 0


@dataclass(frozen=True)
class RoleState:
    """A role: its ARN, the ARNs of the attached policies, the names of the inline ones if read."""

    arn: str
    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()


@dataclass(frozen=True)
class IamState:
    """What IAM has. None: there is none."""

    policy: PolicyState | None = None
    role: RoleState | None = None


def _found(read_it: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the call answers
    try:
        return read_it()
    except NotFound:
        return None


def read_role(aws: Aws, config: Config, *, inline: bool = False) -> RoleState | None:
    """Read the role and what is attached to it; the names of `inline` policies if asked for."""
    if not config.role.name:
        return None
    name, doing = {"RoleName": config.role.name}, f"reading the role {config.role.name}"

    def listed(operation: str, key: str) -> Any:  # noqa: ANN401
        return _found(lambda: aws.pages("iam", operation, doing, key, name)) or []

    with ThreadPoolExecutor(3) as pool:
        role = pool.submit(_found, lambda: aws.call("iam", "get_role", doing, name))
        attached = pool.submit(listed, "list_attached_role_policies", "AttachedPolicies")
        names = pool.submit(listed, "list_role_policies", "PolicyNames") if inline else None
        if role.result() is None:
            return None
        return RoleState(
            arn=role.result()["Role"]["Arn"],
            attached=tuple(sorted(one["PolicyArn"] for one in attached.result())),
            inline=tuple(sorted(names.result())) if names else (),
        )


def read_policy(
    aws: Aws,
    policy: Policy | None,
    place: Place,
    document: Mapping[str, Any] | None = None,
    *,
    versions: bool = False,
) -> PolicyState | None:
    """Read the policy, and no more of it than is asked for.

    With the wanted document, the policy's is read, and its versions only if the two differ.
    """
    if policy is None:
        return None
    arns = _candidates(policy, place)
    doing = f"reading the policy {policy.name or policy.arn}"
    with ThreadPoolExecutor(len(arns)) as pool:
        answers = list(
            pool.map(
                lambda arn: _found(
                    lambda: aws.call("iam", "get_policy", doing, {"PolicyArn": arn})
                ),
                arns,
            )
        )
    found = next((answer["Policy"] for answer in answers if answer), None)
    if found is None and policy.name and not policy.document:
        found = _search_policy(aws, policy.name, doing)
    if found is None:
        return None
    arn, default = found["Arn"], found["DefaultVersionId"]
    uses = found.get("AttachmentCount", 0) + found.get("PermissionsBoundaryUsageCount", 0)
    has = _read_document(aws, arn, default, doing) if document is not None else {}
    differs = document is not None and has != document
    others = _read_versions(aws, arn, doing) if policy.document and (versions or differs) else ()
    return PolicyState(arn, has, default, others, uses)


def _candidates(policy: Policy, place: Place) -> list[str]:
    if policy.arn:
        return [policy.arn]
    own = [place.policy(policy.path, policy.name)]
    if policy.document:
        return own
    return [
        *own,
        place.policy("/", policy.name),
        place.aws_policy("/", policy.name),
        place.aws_policy("/service-role/", policy.name),
    ]


def _search_policy(aws: Aws, name: str, doing: str) -> dict[str, Any] | None:
    policies = aws.pages("iam", "list_policies", doing, "Policies", {"Scope": "All"})
    return next((policy for policy in policies if policy["PolicyName"] == name), None)


def _read_document(aws: Aws, arn: str, version: str, doing: str) -> dict[str, Any]:
    params = {"PolicyArn": arn, "VersionId": version}
    answer = aws.call("iam", "get_policy_version", doing, params)
    document: dict[str, Any] = answer["PolicyVersion"]["Document"]
    return document


def _read_versions(aws: Aws, arn: str, doing: str) -> tuple[str, ...]:
    found = aws.pages("iam", "list_policy_versions", doing, "Versions", {"PolicyArn": arn})
    others = [one["VersionId"] for one in found if not one["IsDefaultVersion"]]
    return tuple(sorted(others, key=lambda one: int(one[1:])))


def read_role_users(aws: Aws) -> dict[str, str]:
    """Read which role each function of the region has: function name to role ARN."""
    functions = aws.pages("lambda", "list_functions", "listing the functions", "Functions")
    if functions:
        aws.learn(functions[0]["FunctionArn"])
    return {one["FunctionName"]: one["Role"] for one in functions}
