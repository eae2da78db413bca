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
from kappa.config.tree import Keys, Tree, bare_words, dotted

_TEXT_KEYS = ("environment", "tags")
_JSON_KEYS = ("filter_policy", "pattern", "input")


def normalized(tree: Tree) -> dict[str, Any]:
    """Return the tree's data with environment variables and tags as texts, and JSON as JSON.

    Raises: ConfigError, if a value is of another kind.
    """
    return _with_json(tree, _with_texts(tree))


def _with_texts(tree: Tree) -> dict[str, Any]:
    """Take environment variables and tags as they are written: 1.10, 007 and on are texts."""
    function = tree.data.get("lambda")
    section: dict[str, Any] = function if isinstance(function, dict) else {}
    texts = {
        key: {name: _text(tree, ("lambda", key, name)) for name in section[key]}
        for key in _TEXT_KEYS
        if isinstance(section.get(key), dict)
    }
    return {**tree.data, "lambda": {**section, **texts}} if texts else tree.data


def _text(tree: Tree, keys: Keys) -> str:
    if keys not in tree.texts:
        raise tree.error(keys, f"{dotted(keys)} must be one value.", "Put a text in quotes.")
    return tree.texts[keys]


def _with_json(tree: Tree, data: dict[str, Any]) -> dict[str, Any]:
    """Write the event sources' patterns, policies and inputs as the JSON that AWS takes.

    Raises: ConfigError, if one is neither a mapping nor JSON.
    """
    section = data.get("lambda")
    sources = section.get("event_sources") if isinstance(section, dict) else None
    if not isinstance(section, dict) or not isinstance(sources, list):
        return data
    keys: Keys = ("lambda", "event_sources")
    written = [_source_with_json(tree, (*keys, i), source) for i, source in enumerate(sources)]
    return {**data, "lambda": {**section, "event_sources": written}}


def _source_with_json(tree: Tree, keys: Keys, source: object) -> object:
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
        data = strict_json(value) if isinstance(value, str) else _plain(tree, keys, value)
    except (ValueError, RecursionError) as error:
        raise tree.error(keys, problem, f"Write a mapping, or JSON in quotes ({error}).") from None
    if not isinstance(data, dict) and keys[-1] != "input":
        raise tree.error(keys, f"{dotted(keys)} must be a mapping.")
    return json.dumps(data, ensure_ascii=False)


def _plain(tree: Tree, keys: Keys, value: object) -> object:
    """Give numbers back their kind: the tree holds scalars as they are written."""
    if isinstance(value, dict):
        return {key: _plain(tree, (*keys, key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(tree, (*keys, i), item) for i, item in enumerate(value)]
    if isinstance(value, str) and keys in tree.numbers:
        return json.loads(value)
    return value


def without_trailing_slashes(function: Function) -> Function:
    """Drop a slash after a source's ARN, as configs of 2015 have it: AWS refuses it."""
    sources = tuple(
        replace(source, arn=source.arn.rstrip("/")) for source in function.event_sources
    )
    return replace(function, event_sources=sources)
