"""Read a kappa config file into frozen, validated objects. Every rule about the file is here.

Reads the format of kappa 0.3; the keys added since are listed in docs/kappa.md. It must not
ask AWS anything: what is wrong with a file is said before the first call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kappa import arn as arns
from kappa.arn import Place
from kappa.aws import regions
from kappa.config import environments, iam_rules, runtimes, siblings
from kappa.config import layout_07 as layout
from kappa.config.convert import convert
from kappa.config.error_list import check_all
from kappa.config.files import line_of_null, parse_json, read_plain
from kappa.config.function_rules import check_function
from kappa.config.model import Config, File, Role
from kappa.config.source_rules import check_sources, tidy, with_json
from kappa.config.tree import Keys, Tree, dotted, read_tree
from kappa.config.values import fill_text, fill_tree, is_given, read_values
from kappa.errors import ConfigError

# What a policy document may also name; known once AWS has said who is calling. The caller's account
# is the caller's, whatever an included file says; an included region counts.
_CALLERS = frozenset({"account_id", "partition"})
_REGION = frozenset({"region"})


def read_config(file: Path, environment: str = "", text: bytes | None = None) -> Config:
    """Read, fill in and check one config file, or the text that it is to hold.

    Raises: ConfigError, naming file, line, key and what is allowed.
    """
    read = _read_layout(file, environment, text)
    tree = read.tree
    settings = convert(tree, with_json(tree, _with_texts(tree)), File)
    checks = (_check_region, _check_iam, check_function, check_sources)
    check_all(partial(check, tree, settings) for check in checks)
    return Config(
        file=file,
        function=tidy(settings.lambda_),
        role=settings.iam.role if settings.iam else Role(),
        policy=settings.iam.policy if settings.iam else None,
        profile=settings.profile or None,
        region=settings.region or None,
        values=read.values,
        hint=read.hint,
        environment=read.environment,
        lines=tree.lines,
        origins=tree.origins,
        later=read.later,
        notes=(*read.notes, *_runtime_notes(tree, settings)),
        include=settings.include,
        included={at: (tree.texts[at], words) for at, words in tree.written.items()},
        siblings=read.siblings,
    )


def _runtime_notes(tree: Tree, settings: File) -> list[str]:
    words = runtimes.deprecated(settings.lambda_.runtime)
    return [tree.error(("lambda", "runtime"), words).message] if words else []


@dataclass(frozen=True)
class _Read:
    """A file as its environment makes it, and the values that were filled in."""

    tree: Tree
    values: Mapping[str, str]
    hint: str
    environment: str
    later: bool
    notes: tuple[str, ...]
    siblings: frozenset[str]


def _read_layout(file: Path, wanted: str, text: bytes | None) -> _Read:
    """Read the file, whichever layout it has."""
    raw = read_tree(file, text)
    layout.refuse_earlier(raw)
    environment = environments.choose(raw, wanted)
    later, whole = layout.is_later(raw), raw
    if environment:
        raw = (environments.alone if later else environments.merge)(raw, environment)
    named = {"environment": environment} if environment else {}
    # --env decides what is changed or deleted: an included value never does.
    given, hint = read_values(raw)
    values = {**given, **named}
    tree = fill_tree(raw, values, partial(_names_for_later, values), hint)
    iam_rules.refuse(tree, environment)
    notes = layout.notes(tree, environment) if later else ()
    tree = layout.translate(tree, environment) if later else tree
    others = siblings.aliases(whole, environment, values, later=later)
    return _Read(tree, values, hint, environment, later, notes, others)


def _names_for_later(values: Mapping[str, str], keys: Keys) -> Set[str]:
    """Leave in a policy what only AWS knows, for place_policy_document()."""
    policy = keys[:3] == ("iam", "policy", "document") or (
        keys[:1] == ("environments",) and keys[2:3] in (("policy",), ("policy_resources",))
    )
    return _of_aws(values) if policy else frozenset()


def _of_aws(values: Mapping[str, str]) -> Set[str]:
    return _CALLERS if is_given(values, "region") else _CALLERS | _REGION


def read_policy_document(config: Config) -> dict[str, Any] | None:
    """Read the policy's JSON file, filled in; None when the policy has no document.

    What only AWS knows, such as ${account_id}, is left for place_policy_document().
    Raises: ConfigError, if it is missing, no JSON or no policy, or does not say what it seems to.
    """
    if config.policy is None or not config.policy.document:
        return None
    if isinstance(config.policy.document, dict):
        # It stands in the config itself, where ${name} has been filled in.
        return config.policy.document
    file = config.beside(config.policy.document)
    content = _policy_content(config, file)
    document, text = parse_json(content, str(file)), content.decode("utf-8")

    def error(problem: str, hint: str) -> ConfigError:
        line = text.count("\n", 0, max(text.find(problem.split()[0]), 0)) + 1
        return ConfigError(f"{file}:{line}: {problem}", hint)

    if not isinstance(document, dict) or "Statement" not in document:
        raise ConfigError(f"{file}:1: a policy document needs a Statement.")
    for _, resource, blank in iam_rules.blanks(document):
        written = json.dumps(resource, ensure_ascii=False)
        line = text.count("\n", 0, max(text.find(written), 0)) + 1
        problem = f"{file}:{line}: a statement is about {resource!r}."
        raise ConfigError(problem, iam_rules.FILL_IN.format(blank=blank))
    if line := line_of_null(text):
        raise ConfigError(f"{file}:{line}: null is no value of a policy.", "Take the key out.")
    later = _of_aws(config.values)
    filled: dict[str, Any] = _fill_json(
        document, lambda value: fill_text(value, config.values, error, later, config.hint)
    )
    return filled


def _policy_content(config: Config, file: Path) -> bytes:
    try:
        return read_plain(file)
    except OSError as error:
        raise config.error(
            ("iam", "policy", "document"), f"{file}: {error.strerror}.", "Set iam.policy.document."
        ) from error


def place_policy_document(document: dict[str, Any] | None, place: Place) -> dict[str, Any] | None:
    """Fill in what only AWS knows: ${account_id}, ${partition} and, if not included, ${region}."""
    values = {"account_id": place.account, "partition": place.partition, "region": place.region}
    filled: dict[str, Any] | None = _fill_json(
        document, lambda value: fill_text(value, values, ConfigError)
    )
    return filled


def _fill_json(value: object, fill: Callable[[str], str]) -> Any:  # noqa: ANN401 - what it was
    if isinstance(value, dict):
        return {key: _fill_json(item, fill) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill_json(item, fill) for item in value]
    return fill(value) if isinstance(value, str) else value


def _with_texts(tree: Tree) -> dict[str, Any]:
    """Take environment variables and tags as they are written: 1.10, 007 and on are texts."""
    found = tree.data.get("lambda")
    section: dict[str, Any] = found if isinstance(found, dict) else {}
    texts = {
        key: {name: _text(tree, ("lambda", key, name)) for name in section[key]}
        for key in ("environment", "tags")
        if isinstance(section.get(key), dict)
    }
    return {**tree.data, "lambda": {**section, **texts}} if texts else tree.data


def _text(tree: Tree, keys: Keys) -> str:
    if keys not in tree.texts:
        raise tree.error(keys, f"{dotted(keys)} must be one value.", "Put a text in quotes.")
    return tree.texts[keys]


def _check_region(tree: Tree, settings: File) -> None:
    region = settings.region
    if not region or regions.is_usual(region):
        return
    # Loads the SDK, which takes a moment: only for a name that AWS would hardly give.
    from kappa.aws.session import regions as known

    if meant := regions.meant(region, known()):
        problem = f"region is {region!r}, which is not an AWS region."
        raise tree.error(("region",), problem, f"Did you mean `{meant}`?")


def _check_iam(tree: Tree, settings: File) -> None:
    if settings.iam is None:
        return
    role, policy = settings.iam.role, settings.iam.policy
    if bool(role.name) == bool(role.arn):
        raise tree.error(("iam", "role"), "iam.role needs a name, or an arn, not both.")
    if role.arn and not _is_iam(role.arn, "role/"):
        raise tree.error(("iam", "role", "arn"), f"iam.role.arn is {role.arn!r}, not a role.")
    if policy is None:
        return
    if bool(policy.name) == bool(policy.arn):
        raise tree.error(("iam", "policy"), "iam.policy needs a name, or an arn, not both.")
    if role.arn and policy.document:
        raise tree.error(
            ("iam", "policy", "document"),
            "a role given by arn is used as it is, so kappa would attach no policy to it.",
            "Remove iam.policy, or name the role with iam.role.name.",
        )
    if isinstance(policy.document, dict) and "Statement" not in policy.document:
        raise tree.error(("iam", "policy", "document"), "a policy document needs a Statement.")
    if policy.arn and policy.document:
        raise tree.error(
            ("iam", "policy", "document"), "a policy given by arn exists: it takes no document."
        )
    if policy.arn and not _is_iam(policy.arn, "policy/"):
        raise tree.error(("iam", "policy", "arn"), f"iam.policy.arn is {policy.arn!r}, no policy.")


def _is_iam(text: str, kind: str) -> bool:
    try:
        parsed = arns.parse(text)
    except ValueError:
        return False
    return parsed.service == "iam" and parsed.resource.startswith(kind)
