"""Plan the creation and update of the function's policy and role. delete.py plans their removal.

It decides when kappa may change them: only a policy whose document the config has, and only
resources that belong to this region.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kappa.arn import Place
from kappa.config.model import Config, Policy
from kappa.errors import Conflict, NotFound
from kappa.iam.owner import (
    REGION,
    Owned,
    PolicyState,
    RoleState,
    is_ours,
    read_tags,
    tags,
    why_not_made,
)
from kappa.iam.state import IamState, made_by_kappa
from kappa.plan.step import Note, Plan, Recheck, Step, only_creating, only_updating

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
GONE = ("NoSuchEntity",)
# AWS IAM guide, "IAM and AWS STS quotas": versions of a managed policy.
MAX_VERSIONS = 5


def desired_role_arn(
    config: Config,
    place: Place,
    state: IamState,
    keeps: Mapping[str, Any] | None = None,
) -> str:
    """The ARN of the role for the function; "" if the config names none.

    `keeps` are the function's settings, for a plan that creates no role: if the config's role does
    not exist, the function keeps its own.
    """
    if config.role.arn or not config.role.name:
        return config.role.arn
    if state.role:
        return state.role.arn
    if keeps and keeps.get("Role"):
        return str(keeps["Role"])
    return place.role(config.role.path, role_name(config, state))


def role_name(config: Config, state: IamState) -> str:
    """The name of this region's role."""
    return state.own_role.name or config.role.name


def policy_name(policy: Policy, state: IamState) -> str:
    """The name of this region's policy, or the ARN that the config gives."""
    return state.own_policy.name or policy.name or policy.arn


def plan_rights(
    config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState
) -> Plan:
    """Plan policy, role and attachment, as far as they are missing or differ.

    An existing role keeps its trust and its other policies, which the config does not name. A
    resource of an older kappa gets this region's tag.
    Raises: NotFound, if a policy that kappa does not make is missing; ConfigError, if another
    region has the name and this one cannot have its own.
    """
    items = [*_plan_marks(config, place, state), *_policy(config, document, place, state)]
    if config.role.name or config.role.arn:
        items.append(_create_role(config, place.region, state))
    if config.makes_role and config.policy:
        name = place.policy(config.policy.path, policy_name(config.policy, state))
        arn = state.policy.arn if state.policy else name
        items.append(_attach(role_name(config, state), arn, state.role))
        items.extend(_detach_other(config, state))
    return items


def plan_rights_create(
    config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState
) -> Plan:
    """Plan policy, role and attachment if they are missing; existing ones are only tagged.

    Raises: NotFound, if a policy that kappa does not make is missing; ConfigError.
    """
    return only_creating(plan_rights(config, document, place, state))


def _plan_marks(config: Config, place: Place, state: IamState) -> Plan:
    """Tag resources of an older kappa as this region's, unless their users are unknown."""
    if not config.makes_role:
        return []
    role, policy = config.role.name, config.policy
    items: list[Step | Note] = []
    if state.role:
        params = {"RoleName": role}
        items.extend(_mark("tag_role", params, f"role {role}", place.region, state.own_role))
    if state.policy and policy and policy.document:
        params, label = {"PolicyArn": state.policy.arn}, f"policy {policy.name}"
        items.extend(_mark("tag_policy", params, label, place.region, state.own_policy))
    return items


def _mark(operation: str, params: Mapping[str, Any], label: str, region: str, owned: Owned) -> Plan:
    if owned.unseen:
        return [Note("unmarked", f"{label} ({unseen(owned)})")]
    if not owned.mark:
        return []
    params = {**params, "Tags": tags("", Owned(), region)}
    message = f"{label} as {region}'s"
    return [Step("iam", operation, params, "marked", message, before={"Tags": []})]


def unseen(owned: Owned) -> str:
    """Explain why a role or policy may belong to another region, and what to do."""
    return (
        f"an older kappa made it, and who uses it in {', '.join(owned.unseen)} cannot be seen; "
        f"if nothing does, give it the tag {REGION}"
    )


def plan_rights_update(
    config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState
) -> Plan:
    """Plan the policy's new default version if the document differs.

    Raises: ConfigError, if another region has the name and this one cannot have its own.
    """
    if document is None:
        return []
    hint = f"make it: {config.command('deploy')}"
    return only_updating(_policy(config, document, place, state), hint)


def _policy(
    config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState
) -> Plan:
    policy, current = config.policy, state.policy
    if policy is None:
        return []
    name = policy_name(policy, state)
    if current is None:
        return [_create_policy(config, policy, document, place, state.own_policy)]
    if document is None:
        return [Note("exists", f"policy {name}")]
    if current.document == document:
        return [Note("unchanged", f"policy {name}")]
    _check_made(config, place.region, state.own_policy)
    _check_unshared(config, current, role_name(config, state), state.role)
    return _update_policy(name, document, current)


def _create_policy(
    config: Config,
    policy: Policy,
    document: Mapping[str, Any] | None,
    place: Place,
    owned: Owned,
) -> Step:
    name = owned.name or policy.name or policy.arn
    if document is None:
        raise NotFound(
            f"The policy {name} does not exist.",
            f"Correct environments.{config.environment}.policy.arn, or give `resources` instead."
            if config.is_layout_07
            else "Correct iam.policy, or give it a `document` to make it from.",
        )
    _check_own(config, "policy", owned)
    params = {
        "Path": policy.path,
        "PolicyName": name,
        "PolicyDocument": _text(document),
        "Description": policy.description,
        "Tags": tags(policy.name, owned, place.region),
    }
    return Step(
        "iam",
        "create_policy",
        {key: value for key, value in params.items() if value},
        "created",
        f"policy {name}{_why(owned)}",
        recheck=_recheck_policy(document, place.policy(policy.path, name)),
        conflict_hint="If it was made just now, run the same command again; if it exists at "
        "another path, set iam.policy.path or take another name.",
    )


def _check_own(config: Config, kind: str, owned: Owned) -> None:
    if owned.problem:
        hint = f"Set another iam.{kind}.name for this region."
        raise config.error(("iam", kind, "name"), f"{owned.problem}.", hint)


def _check_made(config: Config, region: str, owned: Owned) -> None:
    if owned.problem:
        hint = f"Take another iam.policy.name or path; if kappa made it, tag it {REGION}={region}."
        raise config.error(("iam", "policy", "name"), f"{owned.problem}.", hint)


def _check_unshared(
    config: Config, policy: PolicyState, role: str, state: RoleState | None
) -> None:
    """Raise Conflict if the policy is attached to anything but this role."""
    if policy.uses > (state is not None and policy.arn in state.attached):
        raise Conflict(
            f"The policy {policy.arn.rsplit('/', 1)[-1]} is attached to others than the role "
            f"{role}, which would get another document with it.",
            "Take another iam.policy.name, or detach it there: "
            f"{config.aws(f'iam list-entities-for-policy --policy-arn {policy.arn}')}",
        )


def _why(owned: Owned) -> str:
    return f" ({owned.reason})" if owned.reason else ""


def _update_policy(name: str, document: Mapping[str, Any], state: PolicyState) -> Plan:
    """Plan a new version. A managed policy has at most five, so the oldest may go first."""
    full = len(state.versions) + 1 >= MAX_VERSIONS
    params = {"PolicyArn": state.arn, "PolicyDocument": _text(document), "SetAsDefault": True}
    return [
        *([delete_version(name, state.arn, state.versions[0])] if full else []),
        Step(
            "iam",
            "create_policy_version",
            params,
            "updated",
            f"policy {name}",
            before={"PolicyDocument": _text(state.document)},
            recheck=_recheck_version(document, state),
        ),
    ]


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _create_role(config: Config, region: str, state: IamState) -> Step | Note:
    if config.role.arn:
        return Note("exists", f"role {config.role.arn} (given)")
    name, owned = role_name(config, state), state.own_role
    if state.role:
        return Note("exists", f"role {name}")
    _check_own(config, "role", owned)
    params = {
        "Path": config.role.path,
        "RoleName": name,
        "AssumeRolePolicyDocument": _text(_TRUST),
        "Tags": tags(config.role.name, owned, region),
    }
    return Step(
        "iam",
        "create_role",
        params,
        "created",
        f"role {name}{_why(owned)}",
        recheck=_recheck_role(config, name, region),
        conflict_hint="Another command has just made it: run the same command again.",
    )


def _attach(role: str, policy_arn: str, state: RoleState | None) -> Step | Note:
    message = f"policy {policy_arn.rsplit('/', 1)[-1]} on role {role}"
    if state and policy_arn in state.attached:
        return Note("exists", message)
    params = {"RoleName": role, "PolicyArn": policy_arn}
    return Step("iam", "attach_role_policy", params, "attached", message)


def _detach_other(config: Config, state: IamState) -> Plan:
    """Detach another region's policy from this region's role."""
    role, other = state.role, state.other_policy
    if role is None or other not in role.attached or not made_by_kappa(config, state):
        return []
    return [detach(role_name(config, state), other)]


def detach(role: str, policy_arn: str) -> Step:
    """Detach a policy from a role."""
    message = f"policy {policy_arn.rsplit('/', 1)[-1]} from role {role}"
    params = {"RoleName": role, "PolicyArn": policy_arn}
    return Step("iam", "detach_role_policy", params, "detached", message, settled=GONE)


def delete_version(name: str, arn: str, version: str) -> Step:
    """Delete a version of a policy that is not the default."""
    return Step(
        "iam",
        "delete_policy_version",
        {"PolicyArn": arn, "VersionId": version},
        "removed",
        f"version {version} of policy {name}",
        settled=GONE,
    )


def _recheck_role(config: Config, name: str, region: str) -> Recheck:
    """Accept a role that another deploy has just made for this region, as kappa makes it."""

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        role = answer["Role"]
        ours = is_ours(read_tags(role), config.role.name, region)
        return ours and role["Path"] == config.role.path and not why_not_made(role)

    return Recheck("get_role", {"RoleName": name}, fits)


def _recheck_policy(document: Mapping[str, Any], arn: str) -> Recheck:
    """Accept a policy whose first version has our document."""
    return _recheck_document(document, arn, "v1")


def _recheck_version(document: Mapping[str, Any], state: PolicyState) -> Recheck:
    """Accept the policy's next version if it has our document; our answer may have been lost."""
    numbers = [int(name.removeprefix("v")) for name in (*state.versions, state.default_version)]
    return _recheck_document(document, state.arn, f"v{max(numbers) + 1}")


def _recheck_document(document: Mapping[str, Any], arn: str, version: str) -> Recheck:
    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        newest = answer["PolicyVersion"]
        return bool(newest["IsDefaultVersion"]) and newest["Document"] == document

    return Recheck("get_policy_version", {"PolicyArn": arn, "VersionId": version}, fits)
