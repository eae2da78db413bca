"""Plan the removal of the function's policy and role, and report what stays, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kappa.config.model import Config
from kappa.iam.owner import Owner
from kappa.iam.plan import GONE, delete_version, detach
from kappa.iam.state import IamState
from kappa.plan.step import Note, Plan, Step


def plan_rights_delete(
    config: Config,
    state: IamState,
    owner: Owner,
    versions: Sequence[Mapping[str, Any]] = (),
    users: Collection[str] = (),
) -> Plan:
    """Plan the removal of role and policy, as far as this region owns them and nothing uses them.

    `versions` are the settings of the function's versions, which are removed too; `users` are the
    other functions of this region with the role.
    """
    if not config.makes_role:
        why = "given" if config.role.arn else "the config gives it no policy"
        role = config.role.arn or config.role.name
        if config.role.name and state.role is None and not state.denied:
            return [Note("gone", f"role {role}")]
        return [Note("kept", f"role {role} ({why})")] if role else []
    shared = _why_needed(config, versions, users)
    why_role, why_policy = _why_role_stays(state, owner), _why_policy_stays(config, state, owner)
    return [
        *_delete_role(config, state, why_role or shared, keeps_policy=bool(why_policy or shared)),
        *_delete_policy(config, state, why_policy or shared),
    ]


def _why_needed(
    config: Config, versions: Sequence[Mapping[str, Any]], users: Collection[str]
) -> str:
    """Why the role is needed with all its policies; "" if it is not.

    A function in a VPC has network interfaces, which Lambda removes later with the role's rights.
    Source: AWS Lambda guide, "Giving Lambda functions access to resources in an Amazon VPC".
    """
    if users:
        return f"used by {', '.join(sorted(users))}"
    if any((version.get("VpcConfig") or {}).get("SubnetIds") for version in versions):
        return (
            "Lambda needs it for up to 20 minutes to remove the function's network interfaces: "
            f"then run {config.command('delete')} again"
        )
    return ""


def _why_role_stays(state: IamState, owner: Owner) -> str:
    role = state.role
    if role is None:
        return ""
    ours = state.policy.arn if state.policy else ""
    others = [*(arn for arn in role.attached if arn != ours), *role.inline]
    return owner.reason(role.tags) or (
        f"it has other policies: {', '.join(others)}" if others else ""
    )


def _why_policy_stays(config: Config, state: IamState, owner: Owner) -> str:
    policy, role = state.policy, state.role
    if config.policy is None or not config.policy.document:
        return "not made by kappa"
    if policy is None:
        return ""
    attached = role is not None and policy.arn in role.attached
    return owner.reason(policy.tags) or ("attached elsewhere" if policy.uses - attached > 0 else "")


def _delete_role(config: Config, state: IamState, why_stays: str, *, keeps_policy: bool) -> Plan:
    """Plan the removal; a policy that goes is detached first, also from a role that stays."""
    name, policy = config.role.name, state.policy
    if state.role is None:
        return [Note("gone", f"role {name}")]
    detached: Plan = []
    if policy and policy.arn in state.role.attached and not (why_stays and keeps_policy):
        detached = [detach(name, policy.arn)]
    if why_stays:
        return [*detached, Note("kept", f"role {name} ({why_stays})")]
    params, message = {"RoleName": name}, f"role {name}"
    return [*detached, Step("iam", "delete_role", params, "removed", message, settled=GONE)]


def _delete_policy(config: Config, state: IamState, why_stays: str) -> Plan:
    if config.policy is None:
        return []
    name, policy = config.policy.name or config.policy.arn, state.policy
    if policy is None and config.policy.document:
        return [Note("gone", f"policy {name}")]
    if policy is None or why_stays:
        return [Note("kept", f"policy {name} ({why_stays})")]
    params = {"PolicyArn": policy.arn}
    return [
        *(delete_version(name, policy.arn, version) for version in policy.versions),
        Step("iam", "delete_policy", params, "removed", f"policy {name}", settled=GONE),
    ]
