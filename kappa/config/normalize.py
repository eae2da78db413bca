"""Give the values of a config's tree the form that the types of their keys take.

Owns which texts stay as they are written, what becomes the JSON that AWS takes, and the slash that
configs of 2015 have after an ARN. It must not check what the types and rules do.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from kappa.config.model import Function
from kappa.config.strict_json import strict_json
from kappa.config.tree import Keys, Text, Tree, bare_words, dotted, map_texts

_TEXT_KEYS = ("environment", "tags")
_JSON_KEYS = ("filter_policy", "pattern", "input")


def normalized(tree: Tree) -> dict[str, Any]:
    """Return the tree's data with environment variables and tags as texts, and JSON as JSON.

    Raises: ConfigError, if a value is of another kind.
    """
    data = dict(tree.data)
    if not isinstance(data.get("lambda"), dict):
        return data
    function = data["lambda"] = dict(data["lambda"])
    for key in _TEXT_KEYS:
        if isinstance(function.get(key), dict):
            texts = {name: _text(tree, ("lambda", key, name)) for name in function[key]}
            function[key] = texts
    if isinstance(function.get("event_sources"), list):
        sources = enumerate(function["event_sources"])
        at: Keys = ("lambda", "event_sources")
        function["event_sources"] = [_with_json(tree, (*at, i), source) for i, source in sources]
    iam = data.get("iam")
    if isinstance(iam, dict) and isinstance(iam.get("policy"), dict):
        data["iam"] = {**iam, "policy": _with_document(iam["policy"])}
    return data


def _text(tree: Tree, keys: Keys) -> str:
    """Take a variable or a tag as it is written: 1.10, 007 and on are texts."""
    text = tree.at(keys)
    if not isinstance(text, str):
        raise tree.error(keys, f"{dotted(keys)} must be one value.", "Put a text in quotes.")
    return str(text)


def _with_document(policy: dict[str, Any]) -> dict[str, Any]:
    """Keep what is not filled in of a document: only a command that uses it needs it."""
    document = policy.get("document")
    if not isinstance(document, dict):
        return policy
    return {**policy, "document": map_texts(document, lambda _, text: _known(text))}


def _known(text: str) -> object:
    return text.plain if isinstance(text, Text) and text.is_filled else str(text)


def _with_json(tree: Tree, keys: Keys, source: object) -> object:
    """Write a source's patterns, policies and inputs as the JSON that AWS takes.

    Raises: ConfigError, if one is neither a mapping nor JSON.
    """
    if not isinstance(source, dict):
        return source
    given = [key for key in _JSON_KEYS if source.get(key) not in (None, "")]
    written = {key: _json(tree, (*keys, key), source[key]) for key in given}
    filters = source.get("filter_criteria")
    if isinstance(filters, list):
        at: Keys = (*keys, "filter_criteria")
        written["filter_criteria"] = [_json(tree, (*at, i), text) for i, text in enumerate(filters)]
    return {**source, **written}


def _json(tree: Tree, keys: Keys, value: object) -> object:
    problem = f"{dotted(keys)} is not JSON."
    if misread := next(bare_words(tree, keys, value), None):
        raise misread
    try:
        data = strict_json(value) if isinstance(value, str) else map_texts(value, _number)
    except (ValueError, RecursionError) as error:
        if isinstance(value, Text) and not value.is_filled:
            return json.dumps(value)
        raise tree.error(keys, problem, f"Write a mapping, or JSON in quotes ({error}).") from None
    if not isinstance(data, dict) and keys[-1] != "input":
        raise tree.error(keys, f"{dotted(keys)} must be a mapping.")
    return json.dumps(data, ensure_ascii=False)


def _number(_: Keys, text: str) -> object:
    """Give a number back its kind: the tree holds scalars as they are written."""
    if isinstance(text, Text) and text.kind:
        return text.plain if text.kind == "bool" else json.loads(text)
    return str(text)


def without_trailing_slashes(function: Function) -> Function:
    """Drop a slash after a source's ARN, as configs of 2015 have it: AWS refuses it."""
    sources = tuple(
        replace(source, arn=source.arn.rstrip("/")) for source in function.event_sources
    )
    return replace(function, event_sources=sources)
