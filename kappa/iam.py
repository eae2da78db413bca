"""The function's policy and role: plan their making, change and removal.

Owns when kappa may touch them: it changes only a policy that the config gives a document for,
and removes only what was made at the config's path and is used by nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kappa.arn import Place
from kappa.errors import NotFound
from kappa.iamstate import IamState, PolicyState, RoleState
from kappa.selection import changing, making
from kappa.settings import Config, Policy
from kappa.steps import Already, Plan, Step

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
_GONE = ("NoSuchEntity",)
# AWS IAM guide, "IAM and AWS STS quotas": versions of a managed policy.
MAX_VERSIONS = 5


def role_arn(config: Config, place: Place, state: IamState) -> str:
    """The ARN of the role that the function is to have; "" where the config names none."""
    if config.role.arn or not config.role.name:
        return config.role.arn
    if state.role:
        return state.role.arn
    return place.role(config.role.path, config.role.name)


def plan(config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState) -> Plan:
    """Plan what is missing or differs of policy, role and attachment.

    A role that exists keeps its trust and its other policies: the config names neither.
    Raises: NotFound, if a policy that kappa does not make is missing.
    """
    items: list[Step | Already] = [*_policy(config, document, state.policy)]
    if config.role.name or config.role.arn:
        items.append(_create_role(config, state.role))
    if config.makes_role and config.policy:
        name = place.policy(config.policy.path, config.policy.name)
        arn = state.policy.arn if state.policy else name
        items.append(_attach(config.role.name, arn, state.role))
    return items


def plan_create(
    config: Config, document: Mapping[str, Any] | None, place: Place, state: IamState
) -> Plan:
    """Plan what is missing of policy, role and attachment; what exists is left as it is.

    Raises: NotFound, if a policy that kappa does not make is missing.
    """
    return making(plan(config, document, place, state))


def plan_update(config: Config, document: Mapping[str, Any] | None, state: IamState) -> Plan:
    """Plan the policy's new default version, when the document differs."""
    if document is None:
        return []
    hint = f"make it: kappa {config.file} create"
    return changing(_policy(config, document, state.policy), hint)


def _policy(config: Config, document: Mapping[str, Any] | None, state: PolicyState | None) -> Plan:
    policy = config.policy
    if policy is None:
        return []
    name = policy.name or policy.arn
    if state is None:
        return [_create_policy(config, policy, document)]
    if document is None:
        return [Already("exists", f"policy {name}")]
    if state.document == document:
        return [Already("unchanged", f"policy {name}")]
    return _update_policy(name, document, state)


def _create_policy(config: Config, policy: Policy, document: Mapping[str, Any] | None) -> Step:
    name = policy.name or policy.arn
    if document is None:
        raise NotFound(
            f"The policy {name} does not exist.",
            f"Correct environments.{config.environment}.policy.arn, or give `resources` instead."
            if config.later
            else "Correct iam.policy, or give it a `document` to make it from.",
        )
    params = {
        "Path": policy.path,
        "PolicyName": name,
        "PolicyDocument": _text(document),
        "Description": policy.description,
    }
    return Step(
        "iam",
        "create_policy",
        {key: value for key, value in params.items() if value},
        "created",
        f"policy {name}",
        conflict_hint="If it was made just now, run the same command again; if it exists at "
        "another path, set iam.policy.path or take another name.",
    )


def _update_policy(name: str, document: Mapping[str, Any], state: PolicyState) -> Plan:
    """A managed policy keeps five versions: the oldest one goes when they are all there."""
    full = len(state.versions) + 1 >= MAX_VERSIONS
    params = {"PolicyArn": state.arn, "PolicyDocument": _text(document), "SetAsDefault": True}
    return [
        *([_delete_version(name, state.arn, state.versions[0])] if full else []),
        Step(
            "iam",
            "create_policy_version",
            params,
            "updated",
            f"policy {name}",
            before={"PolicyDocument": _text(state.document)},
        ),
    ]


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _create_role(config: Config, state: RoleState | None) -> Step | Already:
    if config.role.arn:
        return Already("exists", f"role {config.role.arn} (given)")
    name = config.role.name
    if state:
        return Already("exists", f"role {name}")
    params = {
        "Path": config.role.path,
        "RoleName": name,
        "AssumeRolePolicyDocument": _text(_TRUST),
    }
    return Step(
        "iam",
        "create_role",
        params,
        "created",
        f"role {name}",
        conflict_hint="It was made just now by somebody else: run the same command again.",
    )


def _attach(role: str, policy_arn: str, state: RoleState | None) -> Step | Already:
    message = f"policy {policy_arn.rsplit('/', 1)[-1]} on role {role}"
    if state and policy_arn in state.attached:
        return Already("exists", message)
    params = {"RoleName": role, "PolicyArn": policy_arn}
    return Step("iam", "attach_role_policy", params, "attached", message)


def _delete_version(name: str, arn: str, version: str) -> Step:
    return Step(
        "iam",
        "delete_policy_version",
        {"PolicyArn": arn, "VersionId": version},
        "removed",
        f"version {version} of policy {name}",
        settled=_GONE,
    )


def plan_delete(config: Config, state: IamState, users: Mapping[str, str]) -> Plan:
    """Plan the removal of role and policy, and say of each that stays why it stays."""
    if not config.makes_role:
        why = "given" if config.role.arn else "the config gives it no policy"
        role = config.role.arn or config.role.name
        return [Already("kept", f"role {role} ({why})")] if role else []
    return [*_delete_role(config, state, users), *_delete_policy(config, state, users)]


def _sharers(config: Config, state: IamState, users: Mapping[str, str]) -> list[str]:
    role = state.role.arn if state.role else ""
    return sorted(
        name for name, arn in users.items() if arn == role and name != config.function.name
    )


def _delete_role(config: Config, state: IamState, users: Mapping[str, str]) -> Plan:
    name = config.role.name
    if state.role is None:
        return [Already("gone", f"role {name}")]
    sharers = _sharers(config, state, users)
    if sharers:
        return [Already("kept", f"role {name} (used by {', '.join(sharers)})")]
    own = state.policy.arn if state.policy else ""
    items: list[Step | Already] = []
    if own in state.role.attached:
        params = {"RoleName": name, "PolicyArn": own}
        message = f"policy {own.rsplit('/', 1)[-1]} from role {name}"
        items.append(Step("iam", "detach_role_policy", params, "detached", message, settled=_GONE))
    others = [*(arn for arn in state.role.attached if arn != own), *state.role.inline]
    if others:
        return [
            *items,
            Already("kept", f"role {name} (it has other policies: {', '.join(others)})"),
        ]
    if not state.role.arn.endswith(f":role{config.role.path}{name}"):
        return [*items, Already("kept", f"role {name} (made at another path than kappa's)")]
    params = {"RoleName": name}
    step = Step(
        "iam",
        "delete_role",
        params,
        "removed",
        f"role {name}",
        settled=_GONE,
    )
    return [*items, step]


def _delete_policy(config: Config, state: IamState, users: Mapping[str, str]) -> Plan:
    policy = config.policy
    if policy is None:
        return []
    name = policy.name or policy.arn
    if not policy.document:
        return [Already("kept", f"policy {name} (not made by kappa)")]
    if state.policy is None:
        return [Already("gone", f"policy {name}")]
    arn = state.policy.arn
    detached = state.role is not None and arn in state.role.attached
    if _sharers(config, state, users) or state.policy.uses - detached > 0:
        return [Already("kept", f"policy {name} (attached elsewhere)")]
    return [
        *(_delete_version(name, arn, version) for version in state.policy.versions),
        Step(
            "iam",
            "delete_policy",
            {"PolicyArn": arn},
            "removed",
            f"policy {name}",
            settled=_GONE,
        ),
    ]
