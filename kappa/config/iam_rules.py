"""Refuse what YAML reads otherwise than it looks, where that would widen a right.

Owns three mistakes: a key without a value, which elsewhere is as if it were not there; NO, which
YAML takes for false; and a blank that nobody has filled in, such as <your table>, in what a
statement is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kappa.config.error_list import together
from kappa.config.merge import find
from kappa.config.tree import Keys, Tree, dotted
from kappa.errors import ConfigError

# An object's key in S3 may look like a blank: IAM takes it.
_BLANK = re.compile(r"<[^<>]*>")
_OBJECT = re.compile(r"^(arn:[^:]*:s3:::[^/]+/).*$", re.DOTALL)
FILL_IN = "Put in place of {blank} what is meant."
_ARN_WORDS = (
    "an ARN, such as arn:aws:dynamodb:us-east-1:123456789012:table/news; parts may be *; or * alone"
)
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
        for error in (
            *empty(tree, keys, document),
            *words(tree, keys, document),
            *_blanks(tree, keys, document),
        )
    ]
    errors += _resources(tree, environment)
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


def blanks(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, str, str]]:
    """Find in a document each resource with a blank: its key path, itself, its blank."""
    for key, item in _items(value):
        here = (*keys, key)
        if key in ("Resource", "NotResource"):
            listed = enumerate(item) if isinstance(item, list) else [(None, item)]
            for number, one in listed:
                at = here if number is None else (*here, number)
                if isinstance(one, str) and (blank := _blank(one)):
                    yield at, one, blank
        else:
            yield from blanks(item, here)


def _blank(resource: str) -> str:
    match = _BLANK.search(_OBJECT.sub(r"\1", resource))
    return match[0] if match else ""


def _blanks(tree: Tree, keys: Keys, document: object) -> Iterator[ConfigError]:
    for at, resource, blank in blanks(document, keys):
        yield tree.error(at, f"{dotted(at)} is {resource!r}.", FILL_IN.format(blank=blank))


def _resources(tree: Tree, environment: str) -> Iterator[ConfigError]:
    """Check what 0.7's layout makes statements of."""
    here: Keys = ("environments", environment)
    for keys in ((*here, "policy", "resources"), (*here, "policy_resources")):
        listed = find(tree.data, keys)
        for number, one in enumerate(listed if isinstance(listed, list) else ()):
            arn = one.get("arn") if isinstance(one, dict) else None
            if not isinstance(arn, str) or not arn:
                continue
            at: Keys = (*keys, number, "arn")
            if blank := _blank(arn):
                yield tree.error(at, f"{dotted(at)} is {arn!r}.", FILL_IN.format(blank=blank))
            elif arn != "*" and not arn.startswith(("arn:", "${")):
                # Source: AWS IAM guide, "IAM JSON policy elements: Resource".
                yield tree.error(at, f"{dotted(at)} is {arn!r}.", f"Allowed: {_ARN_WORDS}.")


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
