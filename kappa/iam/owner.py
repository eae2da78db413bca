"""Whose a role or a policy is: this region's, another region's or somebody else's. Pure.

IAM has one list of names for all regions, and a function lives in one region. So what kappa makes
carries a tag with the region. The first region gets the name of the config, another region gets
NAME-REGION. What an older kappa made has no tag: then its users decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import unquote

from kappa.arn import Place
from kappa.errors import AwsError

REGION = "kappa:region"
# The name in the config, on what is called NAME-REGION.
NAME = "kappa:name"
UNPROVEN = "nothing says that kappa made it"
# Source: AWS IAM guide, "IAM and AWS STS quotas": IAM name character limits.
MAX_ROLE_NAME, MAX_POLICY_NAME = 64, 128
_LAMBDA, _ASSUME = "lambda.amazonaws.com", "sts:AssumeRole"
# The key of a function's variables is granted to the role itself, and a role made anew under the
# old name is another one, so Lambda must see its function change roles.
# Source: hashicorp/terraform-provider-aws#9703.
_LOST = "its function had {name}, which was deleted"


@dataclass(frozen=True)
class PolicyState:
    """A managed policy. `versions` are the non-default ones, oldest first, if they were read."""

    arn: str
    document: Mapping[str, Any]
    default_version: str = "v1"
    versions: tuple[str, ...] = ()
    uses: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RoleState:
    """A role: its ARN, the ARNs of the attached policies, the names of the inline ones if read.

    `foreign` names what it has that kappa gives no role; then it is used as it is.
    """

    arn: str
    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    foreign: str = ""


@dataclass(frozen=True)
class Users:
    """Which functions have which role, published versions included: role ARN to functions.

    `elsewhere` is of the other regions; `unseen` are those that were asked and did not answer.
    """

    here: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()


class Ask(Protocol):
    """The question who has which role."""

    def __call__(self, *, elsewhere: bool) -> Users:
        """Ask in all regions, if `elsewhere`; else answer what is known of our own."""


@dataclass(frozen=True)
class Owned:
    """The name that is this region's; "" is the config's own.

    `reason` is why it is not the config's, and `problem` why it cannot be had. With `mark`, an
    older kappa made what has the name, and it is to get its tag; with `unseen` regions that is
    left open.
    """

    name: str = ""
    reason: str = ""
    problem: str = ""
    mark: bool = False
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """What has the config's name, and what has NAME-REGION; `denied` if that could not be read."""

    plain: RoleState | PolicyState | None = None
    own: RoleState | PolicyState | None = None
    denied: AwsError | None = None


def own_name(name: str, region: str) -> str:
    """The name in a region that cannot have the config's."""
    return f"{name}-{region}"


def tags(name: str, owned: Owned, region: str) -> list[dict[str, str]]:
    """Tag what kappa makes under this name. Shape: the Tags parameter of IAM's calls."""
    pairs = {REGION: region} | ({NAME: name} if owned.name not in ("", name) else {})
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def is_ours(tags_: Mapping[str, str], name: str, region: str) -> bool:
    """Whether the tags name this region, and this name in the config."""
    return tags_.get(REGION) == region and tags_.get(NAME, name) == name


def read_tags(answer: Mapping[str, Any]) -> dict[str, str]:
    """Read the tags of a role or policy in IAM's answer."""
    return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}


def config_name(answer: Mapping[str, Any], name: str) -> str:
    """The name in the config that stands for a role or policy in IAM's answer."""
    return read_tags(answer).get(NAME, name)


def why_not_made(role: Mapping[str, Any]) -> str:
    """Why kappa would not have made this role so; "" if it would. `role` is IAM's answer."""
    if not _trusts_lambda_alone(role.get("AssumeRolePolicyDocument") or {}):
        return "trusts others than Lambda, or under a condition"
    if role.get("PermissionsBoundary"):
        return "has a permissions boundary"
    return ""


def _trusts_lambda_alone(document: Mapping[str, Any] | str) -> bool:
    """Whether one statement lets Lambda alone assume a role, without a condition.

    An older kappa wrote lists of one.
    """
    read: Any = json.loads(unquote(document)) if isinstance(document, str) else document
    (statement, *more) = _listed(read.get("Statement")) or [{}]
    principals = _kinds(statement.get("Principal"))
    plain = {"Effect": "Allow", "Principal": {"Service": [_LAMBDA]}, "Action": [_ASSUME]}
    return not more and plain == {
        **{key: value for key, value in statement.items() if key != "Sid"},
        "Principal": {kind: _listed(ids) for kind, ids in principals.items()},
        "Action": _listed(statement.get("Action")),
    }


def _kinds(principal: object) -> Mapping[str, Any]:
    return principal if isinstance(principal, Mapping) else {"AWS": principal}


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any part of a policy document
    return list(value) if isinstance(value, list | tuple) else [value] if value else []


def why_foreign(role: Mapping[str, Any]) -> str:
    """Why kappa only uses this role; "" if kappa may have made it. `role` is IAM's answer.

    Others may add to a role that has kappa's tag, but whoever else may assume it depends on it.
    """
    tagged = read_tags(role)
    why = why_not_made(role if REGION not in tagged else {**role, "PermissionsBoundary": None})
    if why or REGION in tagged:
        return why
    if role.get("Description"):
        return "has a description"
    return "has tags" if any(not key.startswith("kappa:") for key in tagged) else ""


def is_untagged(state: RoleState | PolicyState | None) -> bool:
    """Whether it exists without a tag of kappa."""
    return state is not None and REGION not in state.tags


def is_foreign(state: RoleState | PolicyState | None) -> bool:
    """Whether it is a role that kappa would have made otherwise."""
    return isinstance(state, RoleState) and bool(state.foreign)


def has_own(named: Named, name: str, region: str) -> bool:
    """Whether this region has made itself NAME-REGION."""
    own = named.own
    return own is not None and own.tags.get(NAME) == name and is_ours(own.tags, name, region)


def _own(name: str, region: str, named: Named, reason: str, longest: int) -> Owned:
    """Choose NAME-REGION, which does not exist yet, and check that it can be made."""
    own, problem = own_name(name, region), ""
    if len(own) > longest:
        problem = f"{reason}, and {own} is longer than {longest} characters"
    elif named.own is not None:
        problem = f"{reason}, and {own} is not this function's"
    elif named.denied is not None:
        problem = f"{reason}, and {own} cannot be read: {named.denied.message}"
    return Owned(own, reason, problem)


def choose_role(
    name: str, place: Place, path: str, named: Named, current: str, users: Users
) -> Owned:
    """Choose the role's name. `path` is the config's.

    `current` is the role that the function of this region has; "" if there is no function.
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
        return _by_tag(name, region, named.plain) or own(_whose(name, named.plain))
    if named.plain.arn != arn or is_foreign(named.plain):
        # Not made by kappa: it is just used.
        return Owned(name)
    if others := users.elsewhere.get(arn):
        return own(f"{name} is used by {', '.join(others)}")
    if users.unseen and arn != current and arn not in users.here:
        return own(f"who uses {name} in {', '.join(users.unseen)} cannot be seen")
    return Owned(name, mark=not users.unseen, unseen=users.unseen)


def _by_tag(name: str, region: str, current: RoleState | PolicyState) -> Owned | None:
    return Owned(name) if is_ours(current.tags, name, region) else None


def _whose(name: str, current: RoleState | PolicyState) -> str:
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

    `role` is this region's; `is_made` says that kappa made it.
    A policy of an older kappa that others may depend on keeps its document, and so does one that
    no role of kappa has: nothing tells it from one that somebody else made.
    """

    def own(reason: str) -> Owned:
        return _own(name, region, named, reason, MAX_POLICY_NAME)

    if has_own(named, name, region):
        return Owned(own_name(name, region))
    if not isinstance(named.plain, PolicyState):
        return Owned(name)
    if not is_untagged(named.plain):
        return _by_tag(name, region, named.plain) or own(_whose(name, named.plain))
    attached = role is not None and named.plain.arn in role.attached
    shared = attached and role is not None and role.arn in users.elsewhere
    if named.plain.uses - attached <= 0 and not shared:
        if differs and not (attached and is_made):
            return Owned(name, problem=f"The policy {name} has another document, and {UNPROVEN}")
        return Owned(name, mark=not users.unseen, unseen=users.unseen)
    return own(f"{name} is attached elsewhere") if differs else Owned(name)
