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
from kappa.iam.owner import (
    MAX_POLICY_NAME,
    MAX_ROLE_NAME,
    Named,
    Owned,
    PolicyState,
    ReadUsers,
    RoleState,
    Users,
    choose_policy,
    choose_role,
    has_own,
    is_foreign,
    is_untagged,
    own_name,
    read_tags,
    why_foreign,
)


class IamState(msgspec.Struct, frozen=True):
    """This region's policy and role in IAM; None if they do not exist.

    `denied`: the caller may not read a role that the config gives by its ARN.
    `own_role` and `own_policy` are the names chosen for this region. `other_policy` is the ARN of
    a policy that has the config's name but belongs to another region.
    """

    policy: PolicyState | None = None
    role: RoleState | None = None
    own_role: Owned = msgspec.field(default_factory=Owned)
    own_policy: Owned = msgspec.field(default_factory=Owned)
    other_policy: str = ""
    users: Users = msgspec.field(default_factory=Users)
    denied: bool = False


def made_by_kappa(config: Config, state: IamState) -> bool:
    """Whether kappa made the role: a plain role at the config's path."""
    path, role = f":role{config.role.path}{state.own_role.name or config.role.name}", state.role
    return role is not None and role.arn.endswith(path) and not role.foreign


def _no_users(*, elsewhere: bool) -> Users:
    return Users()


def _if_exists(read: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the call answers
    try:
        return read()
    except NotFound:
        return None


def _read_both(read: Callable[[str], Any], plain: str, own: str) -> Named:
    """Read the resource with the config's name and, unless `own` is empty, NAME-REGION.

    A caller whose rights cover only the config's name has not made NAME-REGION yet.
    """
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(_if_exists, lambda: read(plain))
        second = pool.submit(_if_exists, lambda: read(own)) if own else None
        current = first.result()
        try:
            return Named(current, second.result() if second else None)
        except Denied as error:
            return Named(current, None, error)


def read_roles(aws: Aws, config: Config, *, inline: bool = False) -> Named:
    """Read the role and its attached policies; with `inline`, the names of inline ones too.

    A role that kappa makes is read under both names that it may have. A role given by its ARN is
    read only with `inline`, to show it.
    """
    name = config.role.name
    if config.role.arn and inline:
        return _read_given(aws, config.role.arn)
    if config.role.arn or not name:
        return Named()
    own = own_name(name, aws.region) if config.makes_role else ""
    fits = own if len(own) <= MAX_ROLE_NAME else ""
    return _read_both(
        lambda either: _read_role(aws, either, inline, likely=either == name), name, fits
    )


def _read_given(aws: Aws, arn: str) -> Named:
    params = {"RoleName": arn.rsplit("/", 1)[-1]}
    try:
        role = aws.call("iam", "get_role", f"reading the role {arn}", params)["Role"]
    except NotFound:
        return Named()
    except Denied as error:
        return Named(denied=error)
    return Named(RoleState(role["Arn"]) if role["Arn"] == arn else None)


def _read_role(aws: Aws, name: str, inline: bool, likely: bool) -> RoleState | None:
    """Read a role and its policies in parallel; unless `likely` to exist, check the role first."""
    params, doing = {"RoleName": name}, f"reading the role {name}"

    def list_all(operation: str, key: str) -> Any:  # noqa: ANN401
        return _if_exists(lambda: aws.pages("iam", operation, doing, key, params)) or []

    with ThreadPoolExecutor(3) as pool:
        answer = pool.submit(_if_exists, lambda: aws.call("iam", "get_role", doing, params))
        if not likely and answer.result() is None:
            return None
        attached = pool.submit(list_all, "list_attached_role_policies", "AttachedPolicies")
        names = pool.submit(list_all, "list_role_policies", "PolicyNames") if inline else None
        if answer.result() is None:
            return None
        role = answer.result()["Role"]
        return RoleState(
            arn=role["Arn"],
            attached=tuple(sorted(policy["PolicyArn"] for policy in attached.result())),
            inline=tuple(sorted(names.result())) if names else (),
            tags=read_tags(role),
            foreign=why_foreign(role),
        )


def read_rights(
    aws: Aws,
    config: Config,
    place: Place,
    roles: Named,
    settings: Mapping[str, Any] | None = None,
    *,
    read_users: ReadUsers = _no_users,
    document: Mapping[str, Any] | None = None,
    deletes: bool = False,
) -> IamState:
    """Read the policy, and choose the role and the policy that belong to this region.

    `settings` are the function's, None if it does not exist. With the desired `document`, the
    policy's document is read. If the command `deletes`, the policy's versions are read.
    """
    policies = read_policies(aws, config.policy, place)
    users = read_users(elsewhere=_is_open(config, place, roles, policies))
    current = str((settings or {}).get("Role", ""))
    role, own_role = _role(config, place, roles, current, users)
    state = IamState(None, role, own_role, users=users, denied=roles.denied is not None)
    return _with_policy(aws, place, config, policies, state, document, deletes)


def _is_open(config: Config, place: Place, roles: Named, policies: Named) -> bool:
    """Whether a role or policy that kappa may have made lacks the tag of its region."""
    if not config.makes_role:
        return False
    name, policy = config.role.name, config.policy
    role_arn = place.role(config.role.path, name)
    open_role = (
        is_untagged(roles.plain)
        and roles.plain is not None
        and roles.plain.arn == role_arn
        and not is_foreign(roles.plain)
        and not has_own(roles, name, place.region)
    )
    open_policy = (
        policy is not None
        and bool(policy.document)
        and is_untagged(policies.plain)
        and not has_own(policies, policy.name, place.region)
    )
    return open_role or open_policy


def _role(
    config: Config, place: Place, roles: Named, current: str, users: Users
) -> tuple[RoleState | None, Owned]:
    plain = roles.plain if isinstance(roles.plain, RoleState) else None
    if not config.makes_role:
        return plain, Owned()
    name = config.role.name
    owned = choose_role(name, place, config.role.path, roles, current, users)
    if owned.name == name:
        return plain, owned
    own = roles.own if has_own(roles, name, place.region) else None
    return own if isinstance(own, RoleState) else None, owned


def _with_policy(
    aws: Aws,
    place: Place,
    config: Config,
    policies: Named,
    state: IamState,
    document: Mapping[str, Any] | None,
    deletes: bool,
) -> IamState:
    """Add the policy to the state; its versions are read only if one may have to be removed."""
    policy = config.policy
    if policy is None:
        return state
    owns = has_own(policies, policy.name, place.region)
    current = policies.own if owns else policies.plain
    differs = False
    if isinstance(current, PolicyState) and document is not None:
        current = replace(current, document=_read_document(aws, policy, current))
        differs = current.document != document
    if isinstance(current, PolicyState) and policy.document and (deletes or differs):
        current = replace(current, versions=_read_versions(aws, policy, current.arn))
    owned = Owned()
    if policy.document:
        owned = choose_policy(
            policy.name,
            place.region,
            policies,
            state.role,
            state.users,
            differs=differs,
            is_made=made_by_kappa(config, state),
        )
    is_own = owned.name not in ("", policy.name)
    if (is_own and not owns) or not isinstance(current, PolicyState):
        current = None
    other = policies.plain.arn if is_own and policies.plain else ""
    return replace(state, policy=current, own_policy=owned, other_policy=other)


def read_policies(aws: Aws, policy: Policy | None, place: Place) -> Named:
    """Read the policy without its document; a policy that kappa makes, under both names."""
    if policy is None:
        return Named()
    doing = f"reading the policy {policy.name or policy.arn}"

    def read(arn: str) -> PolicyState:
        return _policy(aws.call("iam", "get_policy", doing, {"PolicyArn": arn})["Policy"])

    if policy.document:
        own = own_name(policy.name, place.region)
        fits = len(own) <= MAX_POLICY_NAME
        return _read_both(
            read,
            place.policy(policy.path, policy.name),
            place.policy(policy.path, own) if fits else "",
        )
    arns = _candidates(policy, place)
    with ThreadPoolExecutor(len(arns)) as pool:
        answers = list(pool.map(lambda arn: _if_exists(lambda: read(arn)), arns))
    current = next((answer for answer in answers if answer), None)
    if current is None and policy.name:
        current = _search_policy(aws, policy.name, doing)
    return Named(current)


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
    doing = f"reading the policy {policy.name or policy.arn}"
    params = {"PolicyArn": current.arn, "VersionId": current.default_version}
    answer = aws.call("iam", "get_policy_version", doing, params)
    document: dict[str, Any] = answer["PolicyVersion"]["Document"]
    return document


def _read_versions(aws: Aws, policy: Policy, arn: str) -> tuple[str, ...]:
    doing = f"reading the policy {policy.name}"
    versions = aws.pages("iam", "list_policy_versions", doing, "Versions", {"PolicyArn": arn})
    others = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
    return tuple(sorted(others, key=lambda number: int(number[1:])))
