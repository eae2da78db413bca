"""Refuse what YAML reads otherwise than it looks, where that would widen a right.

Owns two mistakes: a key without a value, which elsewhere is as if it were not there, and NO, which
YAML takes for false. It must not know which keys a document has.
"""

from __future__ import annotations

from collections.abc import Iterator

from kappa.errors import ConfigError
from kappa.graft import find
from kappa.mistakes import together
from kappa.tree import Keys, Tree, dotted

# Each makes a permission narrower: without its value, others too could invoke the function.
_CONDITIONS = (
    "source_arn",
    "source_account",
    "principal_org_id",
    "event_source_token",
    "function_url_auth_type",
    "invoked_via_function_url",
)


def refuse(tree: Tree, environment: str) -> None:
    """Check the policy documents that stand in a config, of either layout, and its permissions.

    Raises: ConfigError, with all that it finds.
    """
    own: Keys = ("environments", environment, "policy", "statements")
    documents: tuple[Keys, ...] = (("iam", "policy", "document"), own)
    errors = [
        error
        for keys in documents
        if (document := find(tree.data, keys)) is not None
        for error in (*empty(tree, keys, document), *words(tree, keys, document))
    ]
    errors += _permissions(tree)
    if errors:
        raise together(errors)


def empty(tree: Tree, keys: Keys, value: object) -> Iterator[ConfigError]:
    """Find each key and item without a value."""
    if value is None:
        yield tree.error(
            keys, f"{dotted(keys)} has no value.", "Write one, or take the key out of the policy."
        )
    for key, item in _items(value):
        yield from empty(tree, (*keys, key), item)


def words(tree: Tree, keys: Keys, value: object) -> Iterator[ConfigError]:
    """Find each yes, no, on and off that stands without quotes."""
    text = tree.texts.get(keys, "")
    if isinstance(value, bool) and text.lower() not in ("true", "false"):
        meant = "true" if value else "false"
        yield tree.error(
            keys,
            f"{dotted(keys)} is {text}, which YAML reads as {meant}.",
            f"Write {meant}, or put the word in quotes: '{text}'.",
        )
    for key, item in _items(value):
        yield from words(tree, (*keys, key), item)


def _items(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _permissions(tree: Tree) -> Iterator[ConfigError]:
    permissions = find(tree.data, ("lambda", "permissions"))
    for number, permission in enumerate(permissions if isinstance(permissions, list) else ()):
        for key in _CONDITIONS if isinstance(permission, dict) else ():
            if key in permission and permission[key] is None:
                at: Keys = ("lambda", "permissions", number, key)
                yield tree.error(
                    at,
                    f"{dotted(at)} has no value.",
                    "Write one, or take the key out: then the permission has no such condition.",
                )
