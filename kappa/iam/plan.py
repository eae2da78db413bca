"""Plan the creation and update of the function's policy and role. delete.py plans their removal.

It changes only a policy whose document the config has, and only what this region owns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kappa.arn import Place
from kappa.config.model import Config, Policy
from kappa.errors import Conflict, NotFound
from kappa.iam.owner import Owner, as_list, read_tags
from kappa.iam.state import IamState, PolicyState, RoleState
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
_DOCUMENT = ("iam", "policy", "document")
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
    return place.role(config.role.path, config.role.name)


def plan_rights(
    config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState, owner: Owner
) -> Plan:
    """Plan policy, role and attachment, as far as they are missing or differ.

    An existing role keeps its trust and its other policies, which the config does not name.
    Raises: NotFound, if a policy that kappa does not make is missing; ConfigError, if this region
    owns neither the role nor the policy, and may not adopt it.
    """
    items = [*_plan_adoption(config, state, owner), *_policy(config, document, place, state, owner)]
    if config.role.name or config.role.arn:
        items.append(_create_role(config, state, owner))
    if config.makes_role and config.policy:
        name = place.policy(config.policy.path, config.policy.name or config.policy.arn)
        items.append(_attach(config.role.name, state.policy.arn if state.policy else name, state))
    return items


def plan_rights_create(
    config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState, owner: Owner
) -> Plan:
    """Plan policy, role and attachment if they are missing.

    Raises: as plan_rights().
    """
    return only_creating(plan_rights(config, document, place, state, owner))


def plan_rights_update(
    config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState, owner: Owner
) -> Plan:
    """Plan the policy's new default version if the document differs.

    Raises: ConfigError, as plan_rights().
    """
    if document is None:
        return []
    hint = f"make it: {config.command('deploy')}"
    items = [*_plan_adoption(config, state, owner), *_policy(config, document, place, state, owner)]
    return only_updating(items, hint)


def _plan_adoption(config: Config, state: IamState, owner: Owner) -> Plan:
    """Plan the tags of role and policy, where kappa makes them and they exist without an owner."""
    if not config.makes_role:
        return []
    items: list[Step | Note] = []
    if (role := state.role) is not None:
        name = config.role.name
        items.extend(owner.take(config, "role", name, role.tags, name))
    if (policy := state.policy) is not None and config.policy and config.policy.document:
        items.extend(owner.take(config, "policy", config.policy.name, policy.tags, policy.arn))
    return items


def _policy(
    config: Config,
    document: Mapping[str, Any] | None,
    place: Place,
    state: IamState,
    owner: Owner,
) -> Plan:
    policy, current = config.policy, state.policy
    if policy is None:
        return []
    name = policy.name or policy.arn
    if current is None:
        return [_create_policy(config, policy, document, place, owner)]
    if document is None:
        return [Note("exists", f"policy {name}")]
    if current.document == document:
        return [Note("unchanged", f"policy {name}")]
    _check_unshared(config, current, state.role)
    return _update_policy(name, document, current)


def _create_policy(
    config: Config,
    policy: Policy,
    document: Mapping[str, Any] | None,
    place: Place,
    owner: Owner,
) -> Step:
    name = policy.name or policy.arn
    if document is None:
        raise NotFound(
            f"The policy {name} does not exist.",
            f"Correct environments.{config.environment}.policy.arn, or give `resources` instead."
            if config.is_layout_07
            else "Correct iam.policy, or give it a `document` to make it from.",
        )
    params = {
        "Path": policy.path,
        "PolicyName": name,
        "PolicyDocument": _text(document),
        "Description": policy.description,
        "Tags": as_list(owner),
    }
    return Step(
        "iam",
        "create_policy",
        {key: value for key, value in params.items() if value},
        "created",
        f"policy {name}",
        recheck=_recheck_document(document, place.policy(policy.path, name), "v1"),
        key=_DOCUMENT,
        conflict_hint="If it was made just now, run the same command again; if it exists at "
        "another path, set iam.policy.path or take another name.",
    )


def _check_unshared(config: Config, policy: PolicyState, role: RoleState | None) -> None:
    """Raise Conflict if the policy is attached to anything but this role."""
    if policy.uses > (role is not None and policy.arn in role.attached):
        raise Conflict(
            f"The policy {policy.arn.rsplit('/', 1)[-1]} is attached to others than the role "
            f"{config.role.name}, which would get another document with it.",
            "Take another iam.policy.name, or detach it there: "
            f"{config.aws(f'iam list-entities-for-policy --policy-arn {policy.arn}')}",
        )


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
            key=_DOCUMENT,
        ),
    ]


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _create_role(config: Config, state: IamState, owner: Owner) -> Step | Note:
    if config.role.arn:
        return Note("exists", f"role {config.role.arn} (given)")
    name = config.role.name
    if state.role:
        return Note("exists", f"role {name}")
    params = {
        "Path": config.role.path,
        "RoleName": name,
        "AssumeRolePolicyDocument": _text(_TRUST),
        "Tags": as_list(owner),
    }
    return Step(
        "iam",
        "create_role",
        params,
        "created",
        f"role {name}",
        recheck=_recheck_role(config, owner),
        conflict_hint="Another command has just made it: run the same command again.",
    )


def _attach(role: str, policy_arn: str, state: IamState) -> Step | Note:
    message = f"policy {policy_arn.rsplit('/', 1)[-1]} on role {role}"
    if state.role and policy_arn in state.role.attached:
        return Note("exists", message)
    params = {"RoleName": role, "PolicyArn": policy_arn}
    return Step("iam", "attach_role_policy", params, "attached", message)


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


def _recheck_role(config: Config, owner: Owner) -> Recheck:
    """Accept a role that another deploy has just made for this region, as kappa makes it."""

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        role = answer["Role"]
        return owner.owns(read_tags(role)) and bool(role["Path"] == config.role.path)

    return Recheck("get_role", {"RoleName": config.role.name}, fits)


def _recheck_version(document: Mapping[str, Any], state: PolicyState) -> Recheck:
    """Accept the policy's next version if it has our document; our answer may have been lost."""
    numbers = [int(name.removeprefix("v")) for name in (*state.versions, state.default_version)]
    return _recheck_document(document, state.arn, f"v{max(numbers) + 1}")


def _recheck_document(document: Mapping[str, Any], arn: str, version: str) -> Recheck:
    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        newest = answer["PolicyVersion"]
        return bool(newest["IsDefaultVersion"]) and newest["Document"] == document

    return Recheck("get_policy_version", {"PolicyArn": arn, "VersionId": version}, fits)
