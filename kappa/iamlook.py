"""Where the role or the policy is seen that another deploy has made meanwhile, as ours would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.iamowner import is_ours, read_tags, why_not_made
from kappa.settings import Config
from kappa.steps import Look


def role(config: Config, name: str, region: str) -> Look:
    """Look for a role of this region, at our path, that kappa would have made so."""

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        has = answer["Role"]
        ours = is_ours(read_tags(has), config.role.name, region)
        return ours and has["Path"] == config.role.path and not why_not_made(has)

    return Look("get_role", {"RoleName": name}, fits)


def policy(document: Mapping[str, Any], arn: str) -> Look:
    """Look for a policy whose first version has our document."""

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        has = answer["PolicyVersion"]
        return bool(has["IsDefaultVersion"]) and has["Document"] == document

    return Look("get_policy_version", {"PolicyArn": arn, "VersionId": "v1"}, fits)
