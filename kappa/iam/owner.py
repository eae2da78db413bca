"""Decide who owns a role or a policy: this region, another region or somebody else. Pure.

IAM names are global, but a function lives in one region, so kappa tags what it makes with the
region. The first region gets the config's name, another region gets NAME-REGION. A resource of an
older kappa has no tag; the functions that use it decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from kappa.arn import Place
from kappa.errors import AwsError

REGION = "kappa:region"
# The config's name, as a tag on a resource called NAME-REGION.
NAME = "kappa:name"
UNPROVEN = "nothing shows that kappa made it"
# Source: AWS IAM guide, "IAM and AWS STS quotas": IAM name character limits.
MAX_ROLE_NAME, MAX_POLICY_NAME = 64, 128
_LAMBDA, _ASSUME = "lambda.amazonaws.com", "sts:AssumeRole"
# The KMS key of a function's variables is granted to the role itself. A role that is made again
# under the old name is a different role, so the function must change to another one.
# Source: hashicorp/terraform-provider-aws#9703.
_LOST = "its function had {name}, which was deleted"


class PolicyState(msgspec.Struct, frozen=True):
    """A managed policy. `versions` are the non-default ones, oldest first, if they were read."""

    arn: str
    document: Mapping[str, Any]
    default_version: str = "v1"
    versions: tuple[str, ...] = ()
    uses: int = 0
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)


class RoleState(msgspec.Struct, frozen=True):
    """A role: its ARN, the ARNs of the attached policies, the names of the inline ones if read.

    `foreign` tells why kappa cannot have made it, "" if it may have. A foreign role is used as it
    is.
    """

    arn: str
    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
    foreign: str = ""


class Users(msgspec.Struct, frozen=True):
    """Which functions have which role, published versions included: role ARN to functions.

    `here` is this region, `elsewhere` the others. `unseen` are the regions that did not answer.
    """

    here: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    unseen: tuple[str, ...] = ()


class ReadUsers(Protocol):
    """Reads which functions have which role."""

    def __call__(self, *, elsewhere: bool) -> Users:
        """Read all regions if `elsewhere`, else return what is known of our own."""


class Owned(msgspec.Struct, frozen=True):
    """The name chosen for this region; "" is the config's name.

    `reason` tells why it is not the config's name, and `problem` why the name cannot be used.
    `mark`: the resource comes from an older kappa and needs the tag. Regions that are `unseen`
    may use it, so it is not tagged.
    """

    name: str = ""
    reason: str = ""
    problem: str = ""
    mark: bool = False
    unseen: tuple[str, ...] = ()


class Named(msgspec.Struct, frozen=True):
    """The resource with the config's name, and NAME-REGION as `own`; `denied`: it is unreadable."""

    plain: RoleState | PolicyState | None = None
    own: RoleState | PolicyState | None = None
    denied: AwsError | None = None


def own_name(name: str, region: str) -> str:
    """The name in a region that cannot use the config's name."""
    return f"{name}-{region}"


def tags(name: str, owned: Owned, region: str) -> list[dict[str, str]]:
    """The tags of a resource that kappa makes. Shape: the Tags parameter of IAM's calls."""
    pairs = {REGION: region} | ({NAME: name} if owned.name not in ("", name) else {})
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def is_ours(current_tags: Mapping[str, str], name: str, region: str) -> bool:
    """Whether the tags have this region and this name of the config."""
    return current_tags.get(REGION) == region and current_tags.get(NAME, name) == name


def read_tags(answer: Mapping[str, Any]) -> dict[str, str]:
    """Read the tags of a role or policy in IAM's answer."""
    return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}


def config_name(answer: Mapping[str, Any], name: str) -> str:
    """The config's name for a role or policy in IAM's answer."""
    return read_tags(answer).get(NAME, name)


def why_not_made(role: Mapping[str, Any]) -> str:
    """Why kappa would not make such a role; "" if it would. `role` is IAM's answer."""
    if not _trusts_lambda_alone(role.get("AssumeRolePolicyDocument") or {}):
        return "trusts others than Lambda, or under a condition"
    if role.get("PermissionsBoundary"):
        return "has a permissions boundary"
    return ""


def _trusts_lambda_alone(document: Mapping[str, Any] | str) -> bool:
    """Whether a single statement lets only Lambda assume the role, without a condition.

    An older kappa wrote lists with one item.
    """
    policy: Any = json.loads(unquote(document)) if isinstance(document, str) else document
    (statement, *more) = _as_list(policy.get("Statement")) or [{}]
    principals = _by_kind(statement.get("Principal"))
    plain = {"Effect": "Allow", "Principal": {"Service": [_LAMBDA]}, "Action": [_ASSUME]}
    return not more and plain == {
        **{key: value for key, value in statement.items() if key != "Sid"},
        "Principal": {kind: _as_list(ids) for kind, ids in principals.items()},
        "Action": _as_list(statement.get("Action")),
    }


def _by_kind(principal: object) -> Mapping[str, Any]:
    return principal if isinstance(principal, Mapping) else {"AWS": principal}


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - any part of a policy document
    return list(value) if isinstance(value, list | tuple) else [value] if value else []


def why_foreign(role: Mapping[str, Any]) -> str:
    """Why kappa cannot have made this role; "" if it may have. `role` is IAM's answer.

    Users may change a role with kappa's tag. But if anyone else may assume it, they depend on it.
    """
    tagged = read_tags(role)
    why = why_not_made(role if REGION not in tagged else {**role, "PermissionsBoundary": None})
    if why or REGION in tagged:
        return why
    if role.get("Description"):
        return "has a description"
    return "has tags" if any(not key.startswith("kappa:") for key in tagged) else ""


def is_untagged(state: RoleState | PolicyState | None) -> bool:
    """Whether a resource exists without kappa's tag."""
    return state is not None and REGION not in state.tags


def is_foreign(state: RoleState | PolicyState | None) -> bool:
    """Whether a resource is a role that kappa cannot have made."""
    return isinstance(state, RoleState) and bool(state.foreign)


def has_own(named: Named, name: str, region: str) -> bool:
    """Whether this region owns a NAME-REGION."""
    own = named.own
    return own is not None and own.tags.get(NAME) == name and is_ours(own.tags, name, region)


def _own(name: str, region: str, named: Named, reason: str, max_length: int) -> Owned:
    """Choose NAME-REGION, which does not exist yet, and check that it can be made."""
    own, problem = own_name(name, region), ""
    if len(own) > max_length:
        problem = f"{reason}, and {own} is longer than {max_length} characters"
    elif named.own is not None:
        problem = f"{reason}, and {own} is not this function's"
    elif named.denied is not None:
        problem = f"{reason}, and {own} cannot be read: {named.denied.message}"
    return Owned(own, reason, problem)


def choose_role(
    name: str, place: Place, path: str, named: Named, current: str, users: Users
) -> Owned:
    """Choose the role's name. `path` is the config's.

    `current` is the ARN of the function's role in this region; "" if the function does not exist.
    """
    arn, region = place.role(path, name), place.region

    def own(reason: str) -> Owned:
        owned = _own(name, region, named, reason, MAX_ROLE_NAME)
        if named.own is None and current == place.role(path, owned.name):
            return replace(owned, problem=_LOST.format(name=owned.name))
        return owned

    if has_own(named, name, region):
        return Owned(own_name(name, region))
    if named.plain is None:
        return own(_LOST.format(name=name)) if current == arn else Owned(name)
    if not is_untagged(named.plain):
        return _by_tag(name, region, named.plain) or own(_other_owner(name, named.plain))
    if named.plain.arn != arn or is_foreign(named.plain):
        # kappa did not make it and uses it as it is.
        return Owned(name)
    if others := users.elsewhere.get(arn):
        return own(f"{name} is used by {', '.join(others)}")
    if users.unseen and arn != current and arn not in users.here:
        return own(f"who uses {name} in {', '.join(users.unseen)} cannot be seen")
    return Owned(name, mark=not users.unseen, unseen=users.unseen)


def _by_tag(name: str, region: str, current: RoleState | PolicyState) -> Owned | None:
    return Owned(name) if is_ours(current.tags, name, region) else None


def _other_owner(name: str, current: RoleState | PolicyState) -> str:
    function = f"{current.tags[NAME]} in " if NAME in current.tags else ""
    return f"{name} belongs to {function}{current.tags[REGION]}"


def choose_policy(
    name: str,
    region: str,
    named: Named,
    role: RoleState | None,
    users: Users,
    *,
    differs: bool,
    is_made: bool,
) -> Owned:
    """Choose the name of a policy that kappa makes.

    `role` is this region's; `is_made`: kappa made that role.
    An untagged policy keeps its document if others may depend on it, or if no role of kappa has
    it: somebody else may have made it.
    """

    def own(reason: str) -> Owned:
        return _own(name, region, named, reason, MAX_POLICY_NAME)

    if has_own(named, name, region):
        return Owned(own_name(name, region))
    if not isinstance(named.plain, PolicyState):
        return Owned(name)
    if not is_untagged(named.plain):
        return _by_tag(name, region, named.plain) or own(_other_owner(name, named.plain))
    attached = role is not None and named.plain.arn in role.attached
    shared = attached and role is not None and role.arn in users.elsewhere
    if named.plain.uses - attached <= 0 and not shared:
        if differs and not (attached and is_made):
            return Owned(name, problem=f"The policy {name} has another document, and {UNPROVEN}")
        return Owned(name, mark=not users.unseen, unseen=users.unseen)
    return own(f"{name} is attached elsewhere") if differs else Owned(name)
