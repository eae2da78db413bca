"""Read a kappa config file into frozen, validated objects. Every rule about the file is here.

Reads the format of kappa 0.3; the keys added since are listed in docs/kappa.md. It must not
ask AWS anything: what is wrong with a file is said before the first call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kappa import arn as arns
from kappa import environments, layout
from kappa.arn import Place
from kappa.errors import ConfigError
from kappa.functionrules import check_function
from kappa.regular import read_bytes
from kappa.settings import Config, File
from kappa.sourcerules import check_sources, tidy, with_json
from kappa.tree import Keys, Tree, dotted, fill_text, fill_tree, read_tree, read_values
from kappa.typed import convert

# What a policy document may also name; known once AWS has said who is calling.
_PLACE = ("account_id", "partition", "region")


def read_config(file: Path, environment: str = "") -> Config:
    """Read, fill in and check one config file.

    Raises: ConfigError, naming file, line, key and what is allowed.
    """
    tree, values, environment = _read_layout(file, environment)
    settings = convert(tree, with_json(tree, _with_texts(tree)), File)
    for check in (_check_iam, check_function, check_sources):
        check(tree, settings)
    return Config(
        file=file,
        function=tidy(settings.lambda_),
        role=settings.iam.role,
        policy=settings.iam.policy,
        profile=settings.profile or None,
        region=settings.region or None,
        values=values,
        environment=environment,
        lines=tree.lines,
    )


def _read_layout(file: Path, wanted: str) -> tuple[Tree, dict[str, str], str]:
    """Read the file, whichever layout it has, as its environment makes it; and the values."""
    raw = read_tree(file)
    environment = environments.choose(raw, wanted)
    later = layout.is_later(raw)
    if environment:
        raw = (environments.alone if later else environments.merge)(raw, environment)
    named = {"environment": environment} if environment else {}
    values = {**named, **read_values(raw)}
    tree = fill_tree(raw, values, _place_values)
    return (layout.translate(tree, environment) if later else tree), values, environment


def _place_values(keys: Keys) -> dict[str, str]:
    """Leave in a policy what only AWS knows, for place_policy_document()."""
    policy = keys[:3] == ("iam", "policy", "document") or (
        keys[:1] == ("environments",) and keys[2:3] in (("policy",), ("policy_resources",))
    )
    return {name: f"${{{name}}}" for name in _PLACE} if policy else {}


def read_policy_document(config: Config) -> dict[str, Any] | None:
    """Read the policy's JSON file, filled in; None when the policy has no document.

    What only AWS knows, such as ${account_id}, is left for place_policy_document().
    Raises: ConfigError, if it is missing, no JSON or no policy.
    """
    if config.policy is None or not config.policy.document:
        return None
    if isinstance(config.policy.document, dict):
        # It stands in the config itself, where ${name} has been filled in.
        return config.policy.document
    file = config.beside(config.policy.document)
    try:
        text = read_bytes(file).decode()
        document = json.loads(text)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}.", "Set iam.policy.document.") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"{file}:{error.lineno}: not valid JSON: {error.msg}.") from error
    except ValueError as error:
        raise ConfigError(f"{file}:1: not valid JSON: {error}.") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise ConfigError(f"{file}:1: a policy document needs a Statement.")
    later = {name: f"${{{name}}}" for name in _PLACE}
    filled = _fill_json(document, file, text, {**later, **config.values})
    return filled if isinstance(filled, dict) else None


def place_policy_document(document: dict[str, Any] | None, place: Place) -> dict[str, Any] | None:
    """Fill in what only AWS knows: ${account_id}, ${partition} and, if not included, ${region}."""
    values = {"account_id": place.account, "partition": place.partition, "region": place.region}
    filled = _fill_json(document, Path(), "", values)
    return filled if isinstance(filled, dict) else None


def _fill_json(value: object, file: Path, text: str, values: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _fill_json(item, file, text, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill_json(item, file, text, values) for item in value]
    if not isinstance(value, str):
        return value

    def error(problem: str, hint: str) -> ConfigError:
        line = text.count("\n", 0, max(text.find(problem.split()[0]), 0)) + 1
        return ConfigError(f"{file}:{line}: {problem}", hint)

    return fill_text(value, values, error)


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


def _check_iam(tree: Tree, settings: File) -> None:
    role, policy = settings.iam.role, settings.iam.policy
    if bool(role.name) == bool(role.arn):
        raise tree.error(("iam", "role"), "iam.role needs a name, or an arn, not both.")
    if role.arn and not _is_iam(role.arn, "role/"):
        raise tree.error(("iam", "role", "arn"), f"iam.role.arn is {role.arn!r}, not a role.")
    if policy is None:
        return
    if bool(policy.name) == bool(policy.arn):
        raise tree.error(("iam", "policy"), "iam.policy needs a name, or an arn, not both.")
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
