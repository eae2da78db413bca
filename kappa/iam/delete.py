"""Plan the removal of the function's policy and role.

It decides what may be removed: only what kappa made at the config's path, what belongs to
this region and what no other function uses. It reports what stays, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from msgspec.structs import replace

from kappa.config.model import Config
from kappa.iam.owner import REGION, UNPROVEN, Owned, RoleState, Users
from kappa.iam.plan import GONE, delete_version, detach, policy_name, role_name, unseen
from kappa.iam.state import IamState, made_by_kappa
from kappa.plan.step import Note, Plan, Step

# Tag on the role of a function in a VPC: the time of the function's removal.
VPC = "kappa:vpc"
_INTERFACES_GO = timedelta(minutes=20)
_LONG_AFTER = datetime.max.replace(tzinfo=UTC)


def plan_vpc_mark(
    config: Config, state: IamState, versions: Sequence[Mapping[str, Any]], now: datetime
) -> Plan:
    """Plan a tag with the time on the role of a function in a VPC, before the function's removal.

    If `delete` is interrupted, the next run learns of the VPC from the tag.
    """
    if not _in_vpc(versions) or not config.makes_role or not made_by_kappa(config, state):
        return []
    name = role_name(config, state)
    time = [{"Key": VPC, "Value": now.isoformat(timespec="seconds")}]
    params, message = {"RoleName": name, "Tags": time}, f"role {name} (its function has a VPC)"
    return [Step("iam", "tag_role", params, "marked", message, settled=GONE)]


def _in_vpc(versions: Sequence[Mapping[str, Any]]) -> bool:
    return any((version.get("VpcConfig") or {}).get("SubnetIds") for version in versions)


def _was_in_vpc(role: RoleState | None, now: datetime) -> bool:
    """Whether the role's function was in a VPC and was removed a short time ago."""
    try:
        time = datetime.fromisoformat(role.tags.get(VPC, "") if role else "")
    except ValueError:
        return False
    return time.tzinfo is not None and abs(now - time) < _INTERFACES_GO


def plan_rights_delete(
    config: Config,
    state: IamState,
    versions: Sequence[Mapping[str, Any]] = (),
    now: datetime = _LONG_AFTER,
    users_now: Callable[[], Users] | None = None,
) -> Plan:
    """Plan the removal of role and policy, with the reason for each that stays.

    The users in `state` may be minutes old and of this region only. `users_now` reads those of all
    regions, right before the first removal. `versions` are the settings of the function's
    versions, which are removed too. A role that stays keeps every policy that is not removed.

    A function in a VPC has network interfaces, which Lambda removes later with the role's rights.
    Source: AWS Lambda guide, "Giving Lambda functions access to resources in an Amazon VPC".
    """
    if not config.makes_role:
        why = "given" if config.role.arn else "the config gives it no policy"
        role = config.role.arn or config.role.name
        if config.role.name and state.role is None and not state.denied:
            return [Note("gone", f"role {role}")]
        return [Note("kept", f"role {role} ({why})")] if role else []
    why_role, why_policy = _why_role_stays(config, state), _why_policy_stays(config, state)
    if _in_vpc(versions) or _was_in_vpc(state.role, now):
        why_vpc = (
            "Lambda needs it for up to 20 minutes to remove the function's network interfaces: "
            f"then run {config.command('delete')} again"
        )
        why_role, why_policy = why_role or why_vpc, why_policy or why_vpc
    plan = [
        *_delete_role(config, state, why_role, why_policy),
        *_delete_policy(config, state, why_policy),
    ]
    if state.role is None or users_now is None:
        return plan
    why_used = cache(lambda: _why_used(config, replace(state, users=users_now())))
    return [_unless_used(item, why_used) if isinstance(item, Step) else item for item in plan]


def _unless_used(step: Step, why_used: Callable[[], str]) -> Step:
    def unless() -> Note | None:
        message = step.message.replace(" from role ", " on role ")
        return Note("kept", f"{message} ({why})") if (why := why_used()) else None

    return replace(step, unless=unless)


def _why_used(config: Config, state: IamState) -> str:
    """Name the other users of the role, or the regions that did not answer; "" if it is unused."""
    role, users = state.role, state.users
    if role is None:
        return ""
    here = [name for name in users.here.get(role.arn, ()) if name != config.function.name]
    if used := [*here, *users.elsewhere.get(role.arn, ())]:
        return f"used by {', '.join(used)}"
    if users.unseen:
        more = f" and {len(users.unseen) - 3} more regions" if len(users.unseen) > 3 else ""
        where = f"{', '.join(users.unseen[:3])}{more}"
        return f"who uses it in {where} cannot be seen; if nothing does, remove it yourself"
    return ""


def _why_role_stays(config: Config, state: IamState) -> str:
    """Why the role must stay; "" if it can be removed or is gone."""
    role = state.role
    if role is None:
        return ""
    if users := _why_used(config, state):
        return users
    if role.foreign:
        return f"it {role.foreign}"
    if not made_by_kappa(config, state):
        return "made at another path than kappa's"
    ours = {state.policy.arn if state.policy else "", state.other_policy}
    others = [*(arn for arn in role.attached if arn not in ours), *role.inline]
    return f"it has other policies: {', '.join(others)}{_advice(config, others)}" if others else ""


def _advice(config: Config, others: Sequence[str]) -> str:
    """How to remove policies that another config with this role may have made."""
    path = f":policy{config.policy.path}" if config.policy else ""
    likely = path != ":policy/" and any(path in name for name in others if name.startswith("arn:"))
    return "; to remove a policy and the role, delete again with the config that made it" * likely


def _why_policy_stays(config: Config, state: IamState) -> str:
    """Why the policy must stay; "" if it can be removed or is gone."""
    policy, role = state.policy, state.role
    if config.policy is None or not config.policy.document:
        return "not made by kappa"
    if policy is None:
        return ""
    attached = role is not None and policy.arn in role.attached
    if policy.uses - attached > 0:
        return "attached elsewhere"
    if attached and (users := _why_used(config, state)):
        again = f"once nothing uses it, run {config.command('delete')} again"
        return f"on role {role_name(config, state)}, {users}; {again}"
    if REGION not in policy.tags and not (attached and made_by_kappa(config, state)):
        return f"without the tag {REGION} and on no role of kappa, {UNPROVEN}"
    return unseen(state.own_policy) if state.own_policy.unseen else ""


def _delete_role(config: Config, state: IamState, why_stays: str, why_policy_stays: str) -> Plan:
    name = role_name(config, state)
    if state.role is None:
        return [_gone("role", name, config.role.name, state.own_role)]
    own = state.policy.arn if state.policy else ""
    detached = {own} if not (why_stays and why_policy_stays) else set()
    detached |= set() if why_stays else {state.other_policy}
    items: list[Step | Note] = [detach(name, arn) for arn in state.role.attached if arn in detached]
    if why_stays:
        return [*items, Note("kept", f"role {name} ({why_stays})")]
    params, message = {"RoleName": name}, f"role {name}"
    return [*items, Step("iam", "delete_role", params, "removed", message, settled=GONE)]


def _gone(kind: str, name: str, plain: str, owned: Owned) -> Note:
    """Note that this region has none, or who owns the one with the config's name."""
    if owned.reason:
        return Note("kept", f"{kind} {plain} ({owned.problem or owned.reason})")
    return Note("gone", f"{kind} {name}")


def _delete_policy(config: Config, state: IamState, why_stays: str) -> Plan:
    if config.policy is None:
        return []
    name, policy = policy_name(config.policy, state), state.policy
    if why_stays and (policy or not config.policy.document):
        return [Note("kept", f"policy {name} ({why_stays})")]
    if policy is None:
        return [_gone("policy", name, config.policy.name, state.own_policy)]
    return [
        *(delete_version(name, policy.arn, version) for version in policy.versions),
        Step(
            "iam",
            "delete_policy",
            {"PolicyArn": policy.arn},
            "removed",
            f"policy {name}",
            settled=GONE,
        ),
    ]
