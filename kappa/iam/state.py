"""What IAM has of the function's policy and role. It only reads; plan.py plans with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from kappa.arn import Place
from kappa.aws.client import Aws
from kappa.config.model import Config, Policy
from kappa.errors import Denied, NotFound
from kappa.iam.owner import (
    MAX_POLICY_NAME,
    MAX_ROLE_NAME,
    Ask,
    Named,
    Owned,
    PolicyState,
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


@dataclass(frozen=True)
class IamState:
    """What IAM has of this region's policy and role. None: there is none.

    Of a role that the config gives by its ARN, `denied` says that it may not be read.
    `own_role` and `own_policy` say which names are this region's. `other_policy` is the ARN of
    the policy that has the config's name and is not this region's.
    """

    policy: PolicyState | None = None
    role: RoleState | None = None
    own_role: Owned = field(default_factory=Owned)
    own_policy: Owned = field(default_factory=Owned)
    other_policy: str = ""
    users: Users = field(default_factory=Users)
    denied: bool = False


def made_by_kappa(config: Config, state: IamState) -> bool:
    """Whether kappa made the role: it makes plain roles at the config's path only."""
    path, role = f":role{config.role.path}{state.own_role.name or config.role.name}", state.role
    return role is not None and role.arn.endswith(path) and not role.foreign


def _nobody(*, elsewhere: bool) -> Users:
    return Users()


def _found(read_it: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the call answers
    try:
        return read_it()
    except NotFound:
        return None


def _pair(read_one: Callable[[str], Any], plain: str, own: str) -> Named:
    """Read what has the config's name and, if there may be, what has this region's own name.

    Rights of before cover the config's name only: then there is no other one yet.
    """
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(_found, lambda: read_one(plain))
        second = pool.submit(_found, lambda: read_one(own)) if own else None
        has = first.result()
        try:
            return Named(has, second.result() if second else None)
        except Denied as error:
            return Named(has, None, error)


def read_roles(aws: Aws, config: Config, *, inline: bool = False) -> Named:
    """Read the role and what is attached to it; the names of `inline` policies if asked for.

    A role that kappa makes is read under both names that it may have. One that is given by its ARN
    is read where the names are asked for, which is to show it.
    """
    name = config.role.name
    if config.role.arn and inline:
        return _read_given(aws, config.role.arn)
    if config.role.arn or not name:
        return Named()
    own = own_name(name, aws.region) if config.makes_role else ""
    fits = own if len(own) <= MAX_ROLE_NAME else ""
    return _pair(lambda one: _read_role(aws, one, inline, likely=one == name), name, fits)


def _read_given(aws: Aws, arn: str) -> Named:
    params = {"RoleName": arn.rsplit("/", 1)[-1]}
    try:
        has = aws.call("iam", "get_role", f"reading the role {arn}", params)["Role"]
    except NotFound:
        return Named()
    except Denied as error:
        return Named(denied=error)
    return Named(RoleState(has["Arn"]) if has["Arn"] == arn else None)


def _read_role(aws: Aws, name: str, inline: bool, likely: bool) -> RoleState | None:
    """Read a role and its policies; one that is not likely there is asked for first."""
    params, doing = {"RoleName": name}, f"reading the role {name}"

    def listed(operation: str, key: str) -> Any:  # noqa: ANN401
        return _found(lambda: aws.pages("iam", operation, doing, key, params)) or []

    with ThreadPoolExecutor(3) as pool:
        role = pool.submit(_found, lambda: aws.call("iam", "get_role", doing, params))
        if not likely and role.result() is None:
            return None
        attached = pool.submit(listed, "list_attached_role_policies", "AttachedPolicies")
        names = pool.submit(listed, "list_role_policies", "PolicyNames") if inline else None
        if role.result() is None:
            return None
        has = role.result()["Role"]
        return RoleState(
            arn=has["Arn"],
            attached=tuple(sorted(one["PolicyArn"] for one in attached.result())),
            inline=tuple(sorted(names.result())) if names else (),
            tags=read_tags(has),
            foreign=why_foreign(has),
        )


def read(
    aws: Aws,
    config: Config,
    place: Place,
    roles: Named,
    settings: Mapping[str, Any] | None = None,
    *,
    ask: Ask = _nobody,
    document: Mapping[str, Any] | None = None,
    leaves: bool = False,
) -> IamState:
    """Read the policy, and choose the role and the policy that are this region's.

    `settings` are the function's; None: there is none. With the wanted document, the policy's is
    read. To delete (`leaves`), the policy's versions are read.
    """
    policies = read_policies(aws, config.policy, place)
    users = ask(elsewhere=_is_open(config, place, roles, policies))
    current = str((settings or {}).get("Role", ""))
    role, own_role = _role(config, place, roles, current, users)
    state = IamState(None, role, own_role, users=users, denied=roles.denied is not None)
    return _with_policy(aws, place, config, policies, state, document, leaves)


def _is_open(config: Config, place: Place, roles: Named, policies: Named) -> bool:
    """Whether no tag says whose something is that kappa may have made."""
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
    leaves: bool,
) -> IamState:
    """Add the policy, and no more of it than is asked for: versions only where one must go."""
    policy = config.policy
    if policy is None:
        return state
    owns = has_own(policies, policy.name, place.region)
    has = policies.own if owns else policies.plain
    differs = False
    if isinstance(has, PolicyState) and document is not None:
        has = replace(has, document=_read_document(aws, policy, has))
        differs = has.document != document
    if isinstance(has, PolicyState) and policy.document and (leaves or differs):
        has = replace(has, versions=_read_versions(aws, policy, has.arn))
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
    if (is_own and not owns) or not isinstance(has, PolicyState):
        has = None
    other = policies.plain.arn if is_own and policies.plain else ""
    return replace(state, policy=has, own_policy=owned, other_policy=other)


def read_policies(aws: Aws, policy: Policy | None, place: Place) -> Named:
    """Read the policy, without its document; one that kappa makes under both names."""
    if policy is None:
        return Named()
    doing = f"reading the policy {policy.name or policy.arn}"

    def read_one(arn: str) -> PolicyState:
        return _policy(aws.call("iam", "get_policy", doing, {"PolicyArn": arn})["Policy"])

    if policy.document:
        own = own_name(policy.name, place.region)
        fits = len(own) <= MAX_POLICY_NAME
        return _pair(
            read_one,
            place.policy(policy.path, policy.name),
            place.policy(policy.path, own) if fits else "",
        )
    arns = _candidates(policy, place)
    with ThreadPoolExecutor(len(arns)) as pool:
        answers = list(pool.map(lambda arn: _found(lambda: read_one(arn)), arns))
    found = next((one for one in answers if one), None)
    if found is None and policy.name:
        found = _search_policy(aws, policy.name, doing)
    return Named(found)


def _policy(has: Mapping[str, Any]) -> PolicyState:
    uses = has.get("AttachmentCount", 0) + has.get("PermissionsBoundaryUsageCount", 0)
    return PolicyState(has["Arn"], {}, has["DefaultVersionId"], (), uses, read_tags(has))


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
    return next((_policy(one) for one in policies if one["PolicyName"] == name), None)


def _read_document(aws: Aws, policy: Policy, has: PolicyState) -> dict[str, Any]:
    doing = f"reading the policy {policy.name or policy.arn}"
    params = {"PolicyArn": has.arn, "VersionId": has.default_version}
    answer = aws.call("iam", "get_policy_version", doing, params)
    document: dict[str, Any] = answer["PolicyVersion"]["Document"]
    return document


def _read_versions(aws: Aws, policy: Policy, arn: str) -> tuple[str, ...]:
    doing = f"reading the policy {policy.name}"
    found = aws.pages("iam", "list_policy_versions", doing, "Versions", {"PolicyArn": arn})
    others = [one["VersionId"] for one in found if not one["IsDefaultVersion"]]
    return tuple(sorted(others, key=lambda one: int(one[1:])))
