"""Who owns a function, a role or a policy: the tag that kappa gives what it makes decides. Pure.

One rule: what has the tag of this region is changed and deleted; what exists without it is refused
before anything changes. A role and a policy belong to one region, though IAM is global.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kappa.config.model import Config
from kappa.config.tree import Keys
from kappa.plan.step import Plan, Step

REGION = "kappa:region"
# What the tags of AWS and of kappa begin with; a config does not name them.
RESERVED = ("aws:", "kappa:")
_KEYS: Mapping[str, Keys] = {
    "function": ("lambda", "name"),
    "role": ("iam", "role", "name"),
    "policy": ("iam", "policy", "name"),
}
# The operation that tags a resource, and the parameter that names it.
_TAGGING = {
    "function": ("lambda", "tag_resource", "Resource"),
    "role": ("iam", "tag_role", "RoleName"),
    "policy": ("iam", "tag_policy", "PolicyArn"),
}


class Owner(msgspec.Struct, frozen=True):
    """This region, as the owner of what it makes. With `adopt`, it takes over what has no owner."""

    region: str
    adopt: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """The tags of what this region makes."""
        return {REGION: self.region}

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether the tags are those of this region's own."""
        return tags.get(REGION) == self.region

    def reason(self, tags: Mapping[str, str]) -> str:
        """Explain why this region does not own a resource with these tags; "" if it does."""
        if self.owns(tags):
            return ""
        if REGION in tags:
            return f"it belongs to {tags[REGION]}"
        return f"kappa did not make it: it has no tag {REGION}"

    def take(
        self, config: Config, kind: str, name: str, tags: Mapping[str, str], target: str
    ) -> Plan:
        """Plan the tag of an existing resource that is to be adopted; nothing if it is owned.

        `target` is what AWS's call for tagging takes: the name of a role, else the ARN.
        Raises: ConfigError, if the resource is another region's, or nobody's without `adopt`.
        """
        if self.owns(tags):
            return []
        if REGION in tags or not self.adopt:
            raise config.error(_KEYS[kind], *self._refusal(kind, name, tags))
        service, operation, parameter = _TAGGING[kind]
        tagged = self.tags if kind == "function" else as_list(self)
        params, message = {parameter: target, "Tags": tagged}, f"{kind} {name}"
        return [Step(service, operation, params, "adopted", message, before={"Tags": None})]

    def _refusal(self, kind: str, name: str, tags: Mapping[str, str]) -> tuple[str, str]:
        if REGION in tags:
            return (
                f"The {kind} {name} belongs to {tags[REGION]}.",
                f"IAM is global: take a name for each region, such as {name}-${{region}}."
                if kind != "function"
                else "Take another name.",
            )
        uses = ", `role: {arn: ...}` uses it as it is" if kind == "role" else ""
        return (
            f"The {kind} {name} exists, and kappa did not make it.",
            f"`deploy --adopt` takes it over{uses}. Otherwise take another name.",
        )


def as_list(owner: Owner) -> list[dict[str, str]]:
    """The tags as IAM's calls take them."""
    return [{"Key": key, "Value": value} for key, value in owner.tags.items()]


def read_tags(answer: Mapping[str, Any]) -> dict[str, str]:
    """Read the tags of a role or policy in IAM's answer."""
    return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}
