"""Where the role or the policy is seen that another deploy has made meanwhile, as ours would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.iam.owner import PolicyState, is_ours, read_tags, why_not_made
from kappa.plan.step import Look


def role(config: Config, name: str, region: str) -> Look:
    """Look for a role of this region, at our path, that kappa would have made so."""

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        has = answer["Role"]
        ours = is_ours(read_tags(has), config.role.name, region)
        return ours and has["Path"] == config.role.path and not why_not_made(has)

    return Look("get_role", {"RoleName": name}, fits)


def version(document: Mapping[str, Any], state: PolicyState) -> Look:
    """Look for the policy's next version with our document: by now it has all that IAM takes."""
    newest = max(int(one.removeprefix("v")) for one in (*state.versions, state.default_version))
    return _version(document, state.arn, f"v{newest + 1}")


def policy(document: Mapping[str, Any], arn: str) -> Look:
    """Look for a policy whose first version has our document."""
    return _version(document, arn, "v1")


def _version(document: Mapping[str, Any], arn: str, number: str) -> Look:
    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        has = answer["PolicyVersion"]
        return bool(has["IsDefaultVersion"]) and has["Document"] == document

    return Look("get_policy_version", {"PolicyArn": arn, "VersionId": number}, fits)
