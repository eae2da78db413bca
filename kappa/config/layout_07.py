"""Read the file layout of kappa 0.7: one name, environments, a policy out of resources.

Owns how 0.7's keys become those that read.py checks. A pure function on the tree; every value
keeps its line.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from kappa.config.convert import allowed, convert, fits, suggestion
from kappa.config.environments import overlaid
from kappa.config.error_list import check_all
from kappa.config.model import Section
from kappa.config.tree import Keys, Text, Tree, dotted
from kappa.config.value_types import (
    AliasName,
    FunctionName,
    ProfileName,
    RegionName,
    RoleName,
)
from kappa.config.value_types import Text as AnyText

SOURCE = "_src"
_RENAMED: dict[str, str] = {"vpc_config": "vpc", "log_retention_policy": "log_retention_days"}


class Resource(Section, frozen=True):
    """A resource that the function may use, and what it may do with it."""

    arn: AnyText
    actions: Annotated[
        tuple[AnyText, ...],
        Meta(min_length=1, description="a list of actions such as PutItem, or *"),
    ]


class Rights(Section, frozen=True):
    """environments.NAME.policy: one that exists, or what kappa makes one of."""

    arn: AnyText = ""
    resources: tuple[Resource, ...] = ()
    statements: tuple[dict[str, Any], ...] = ()


class ExistingRole(Section, frozen=True):
    """environments.NAME.role: the role's name."""

    name: AnyText


class Environment(Section, frozen=True):
    """An environment of kappa 0.7. `lambda` and `iam` override the rest of the file."""

    profile: ProfileName = ""
    region: RegionName = ""
    policy: Rights | None = None
    policy_resources: tuple[Resource, ...] = ()
    role: ExistingRole | None = None
    resources: Annotated[Any, Meta(description="not used: policy.resources are")] = None
    event_sources: tuple[dict[str, Any], ...] = ()
    environment_variables: dict[str, Any] | None = None
    vpc_config: Annotated[Any, Meta(description="lambda.vpc")] = None


class Top(Section, frozen=True):
    """The keys beside `environments` and `lambda`. Those of tests and recordings are not used."""

    name: FunctionName = ""
    source: AnyText = ""
    tests: AnyText = ""
    unit_test_runner: AnyText = ""
    record: AnyText | bool = ""


_TOP = frozenset(Top.__struct_fields__)


def is_layout_07(tree: Tree) -> bool:
    """Whether a file has 0.7's layout: names and rights stand in no section of their own."""
    named = tree.at(("lambda", "name")) or "iam" in tree.data
    return not named and ("name" in tree.data or "environments" in tree.data)


def refuse_earlier(tree: Tree) -> None:
    """Refuse a file of kappa 0.2, whose roles a CloudFormation template made.

    Raises: ConfigError, also for code in S3, which kappa was to take one day.
    """
    if tree.at(("lambda", "code")) is not None:
        raise tree.error(
            ("lambda", "code"),
            "lambda.code: kappa takes no code that is in S3 already.",
            "Name the zip on your disk: `path: function.zip`. A large one goes through "
            "lambda.s3_bucket.",
        )
    if "cloudformation" in tree.data and "iam" not in tree.data:
        raise tree.error(
            ("cloudformation",),
            "this is a file of kappa 0.2, whose roles a CloudFormation template made.",
            "Put in place of `cloudformation:` what 0.3 has: `iam: {role: {name: ...}, policy: "
            "{name: ..., document: policy.json}}`, with the rights of the template's exec_role; or "
            "`iam: {role: {arn: ...}}` with the role that it made. "
            "The rest stays; no invoke_role is needed.",
        )


def translate(tree: Tree, environment: str) -> Tree:
    """Turn 0.7's layout, with this one environment, into the layout of 0.3.

    Function, policy and role are named as 0.7 named them: NAME, NAME_ENVIRONMENT twice; versions
    are published and an alias is named like the environment, also as 0.7 did.
    Raises: ConfigError, for a key that neither layout has.
    """
    _check(tree, environment)
    here: Keys = ("environments", environment)
    builder = _Builder(tree)
    for key in ("profile", "region"):
        builder.merge((key,), (*here, key))
    builder.merge(("include",), ("include",))
    _put_function(builder, tree)
    name = tree.data.get("name") or tree.file.resolve().parent.name
    builder.add(("lambda", "name"), name, ("name",))
    asked = "source" in tree.data or not builder.contains(("lambda", "image"))
    if asked and not builder.contains(("lambda", "path")):
        builder.add(("lambda", "path"), tree.data.get("source") or SOURCE, ("source",))
    builder.merge(("lambda", "environment"), (*here, "environment_variables"))
    if not builder.contains(("lambda", "environment")):
        # 0.7 cleared them: another environment's values must not stay.
        builder.add(("lambda", "environment"), {}, here)
    builder.merge(("lambda", "event_sources"), (*here, "event_sources"))
    builder.merge(("lambda", "vpc"), (*here, "vpc_config"))
    _add_rights(builder, tree, here, f"{name}_{environment}")
    for key, value in (("alias", environment), ("publish", True)):
        if environment and not builder.contains(("lambda", key)):
            builder.add(("lambda", key), value, here)
    return builder.build()


class _Builder:
    """A tree in the making: begins empty, takes parts of `tree` with their lines."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._data: dict[str, Any] = {}
        self._moved: dict[Keys, Keys] = {}

    def merge(self, target: Keys, source: Keys) -> None:
        """Lay what stands at `source` over what is at `target`."""
        parent = self._tree.at(source[:-1])
        if isinstance(parent, dict) and source[-1] in parent:
            value = parent[source[-1]]
            self.add(target, overlaid(self.build().at(target), value), source)

    def add(self, target: Keys, value: object, source: Keys) -> None:
        """Put a value; errors about it name the line and the path of `source`."""
        where: dict[str, Any] = self._data
        for end, key in enumerate(target[:-1], 1):
            if where.get(str(key)) is None:
                where[Text(str(key), self._tree.line(target[:end]))] = {}
            where = where[str(key)]
            if not isinstance(where, dict):
                at = target[:end]
                raise self._tree.error(at, f"{dotted(at)} must be a mapping of keys to values.")
        where.pop(str(target[-1]), None)
        where[Text(str(target[-1]), self._tree.line(source))] = value
        if source != target:
            self._moved[target] = source

    def contains(self, target: Keys) -> bool:
        """Whether something is at `target`."""
        return self.build().at(target) is not None

    def build(self) -> Tree:
        """Return the tree."""
        return Tree(self._tree.file, self._data, self._moved)


def notes(tree: Tree, environment: str) -> tuple[str, ...]:
    """Name the keys of 0.7's layout that look as if they had an effect and have none, as in 0.7."""
    keys: Keys = ("environments", environment, "resources")
    if tree.at(keys) is None:
        return ()
    words = f"{dotted(keys)} has no effect; environments.{environment}.policy.resources has."
    return (tree.error(keys, words).message,)


def _check(tree: Tree, environment: str) -> None:
    at: Keys = ("environments", environment)
    check_all(
        (
            *(partial(_check_key, tree, key) for key in tree.data),
            partial(convert, tree, {key: tree.data[key] for key in _TOP & set(tree.data)}, Top),
            partial(convert, tree, tree.at(at) or {}, Environment, at),
            partial(_check_names, tree, environment),
        )
    )


def _check_names(tree: Tree, environment: str) -> None:
    """Check what other names are made of, so that a wrong name is one error."""
    folder = tree.file.resolve().parent.name
    if "name" not in tree.data and not fits(folder, FunctionName):
        raise tree.error(
            ("name",),
            f"name is missing, and the folder's name, {folder!r}, is not a valid function name.",
            f"Allowed: {allowed(FunctionName)}.",
        )
    given = tree.at(("lambda", "alias")) is not None
    # Role and policy are named after it too, and unless the file says otherwise the alias.
    kind = RoleName if given else AliasName
    if environment and not fits(environment, kind):
        raise tree.error(
            ("environments", environment),
            f"{dotted(('environments', environment))} is not a valid environment name.",
            f"Allowed: {allowed(kind)}.",
        )


def _check_key(tree: Tree, key: str) -> None:
    known = _TOP | {"environments", "lambda", "include"}
    if key == "restapi":
        raise tree.error((key,), "kappa makes no REST APIs.", "lambda.url gives an address.")
    if key not in known:
        raise tree.error((key,), f"unknown key {key}.", suggestion(key, known))


def _put_function(builder: _Builder, tree: Tree) -> None:
    section = tree.data.get("lambda")
    if not isinstance(section, dict):
        builder.merge(("lambda",), ("lambda",))
        return
    for key, value in section.items():
        new = str(_RENAMED.get(key, key))
        # 0.7's defaults left out what Lambda has anyway, and .gitignore: a zip is only larger.
        if key not in ("excluded_dirs", "excluded_files") or value not in ("default", "none"):
            builder.merge(("lambda", new), ("lambda", key))
    if not builder.contains(("lambda", "requirements")):
        # 0.7 installed nothing: a requirements.txt in the source is the developer's own.
        builder.add(("lambda", "requirements"), [], ("lambda",))
    permissions = builder.build().at(("lambda", "permissions"))
    for number, permission in enumerate(permissions if isinstance(permissions, list) else ()):
        if isinstance(permission, dict):
            # 0.7 gave each a new random id.
            permission.setdefault("statement_id", f"kappa-{number + 1}")


def _add_rights(builder: _Builder, tree: Tree, here: Keys, name: str) -> None:
    role = tree.at((*here, "role", "name"))
    builder.add(("iam", "role", "name"), role or name, (*here, "role", "name"))
    policy: Keys = ("iam", "policy")
    if arn := tree.at((*here, "policy", "arn")):
        builder.add((*policy, "arn"), arn, (*here, "policy", "arn"))
        return
    document = _document(tree.at(here))
    if document is None:
        return
    builder.add((*policy, "name"), name, (*here, "policy"))
    words = f"A kappa policy to control access to {here[-1]} resources"
    builder.add((*policy, "description"), words, (*here, "policy"))
    builder.add((*policy, "document"), document, (*here, "policy"))


def _document(section: Any) -> dict[str, Any] | None:  # noqa: ANN401 - checked before
    section = section or {}
    rights = section.get("policy") or {}
    resources = [*(rights.get("resources") or ()), *(section.get("policy_resources") or ())]
    statements = [*map(_statement, resources), *(rights.get("statements") or ())]
    return {"Version": "2012-10-17", "Statement": statements} if statements else None


def _statement(resource: dict[str, Any]) -> dict[str, Any]:
    service = resource["arn"].split(":")[2:3]
    actions = [
        action if ":" in action or not service else f"{service[0]}:{action}"
        for action in resource["actions"]
    ]
    return {"Effect": "Allow", "Action": actions, "Resource": resource["arn"]}
