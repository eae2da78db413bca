"""The places of a config whose references were not read: they are left out, not checked.

A command that does not use a value does not ask for it, and `validate` asks for none. What such a
reference stands for may be of any kind, so the smallest part that has rules of its own is taken
out of the tree: a key, an item of a list, a section. Texts without rules stay as they are written.
Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from kappa.config.error_list import raise_all
from kappa.config.tree import Keys, Tree, dotted, texts_in
from kappa.config.values import is_unread
from kappa.errors import ConfigError

_FREE: tuple[Keys, ...] = (
    ("lambda", "environment"),
    ("lambda", "tags"),
    ("iam", "policy", "document"),
)
_SOURCES: Keys = ("lambda", "event_sources")
_LISTS: tuple[Keys, ...] = (_SOURCES, ("lambda", "permissions"))
_OF_IMAGE = ("path", "handler", "runtime")


def unread_places(tree: Tree, values: Mapping[str, str]) -> dict[Keys, str]:
    """Find the texts with an unread reference. A value that only looks like one does not count."""
    return {
        keys: text
        for keys, text in texts_in(tree.data)
        if "${" in text
        and keys not in tree.written
        and keys[0] != "include"
        and is_unread(text, values, in_document=keys[:3] == ("iam", "policy", "document"))
    }


def parts_of(places: Iterable[Keys]) -> list[Keys]:
    """Name the parts to take out, in the order of the file's lists."""
    parts = {part for keys in places if (part := _part(keys))}
    return sorted(parts, key=lambda keys: [(isinstance(key, str), key) for key in keys])


def _part(keys: Keys) -> Keys | None:
    if any(keys[: len(free)] == free and len(keys) > len(free) for free in _FREE):
        return None
    if keys[:2] == _SOURCES and keys[3:4] == ("input",) and len(keys) > 4:
        return None
    if keys[0] == "iam":
        return keys[:1]
    if keys[0] != "lambda" or len(keys) < 2:
        return None
    return keys[:3] if keys[:2] in _LISTS else keys[:2]


def without(tree: Tree, parts: Sequence[Keys]) -> Tree:
    """Take parts out of a tree; errors about the list items that stay keep the file's numbers."""
    if not parts:
        return tree
    data: dict[str, Any] = copy.deepcopy(tree.data)
    for part in reversed(parts):
        parent: Any = at(data, part[:-1])
        del parent[part[-1]]

    def moved(keys: Keys) -> Keys | None:
        if any(keys[: len(part)] == part for part in parts):
            return None
        if len(keys) < 3 or keys[:2] not in _LISTS:
            return keys
        before = sum(part[:2] == keys[:2] and part[2] < keys[2] for part in parts)  # type: ignore[operator]
        return (*keys[:2], int(keys[2]) - before, *keys[3:])

    def kept(mapping: Mapping[Keys, Any]) -> dict[Keys, Any]:
        return {new: value for keys, value in mapping.items() if (new := moved(keys)) is not None}

    items_moved = {
        new: keys
        for keys in tree.lines
        if len(keys) == 3 and (new := moved(keys)) not in (None, keys)
    }
    return replace(
        tree,
        data=data,
        lines=kept(tree.lines),
        texts=kept(tree.texts),
        written=kept(tree.written),
        numbers=frozenset(new for keys in tree.numbers if (new := moved(keys)) is not None),
        origins={**items_moved, **kept(tree.origins)},
    )


def at(data: Any, keys: Keys) -> Any:  # noqa: ANN401 - plain values
    """What stands at a key path through mappings and lists."""
    for key in keys:
        data = data[key]
    return data


def put_back(data: dict[str, Any], unread: Mapping[Keys, Any]) -> None:
    """Put parts that were taken out of a config into what is written of it."""
    for keys, value in unread.items():
        parent: Any = data
        for key, following in pairwise(keys):
            parent = parent.setdefault(key, [] if isinstance(following, int) else {})
        if isinstance(parent, list):
            parent.insert(int(keys[-1]), value)
        else:
            parent[keys[-1]] = value


def raise_certain(error: ConfigError, places: Collection[Keys]) -> None:
    """Raise what is wrong whatever the unread values are.

    Raises: ConfigError.
    """
    unread = {_part(keys) or keys for keys in places if keys[:2] not in _LISTS}
    if ("lambda", "image") in unread:
        unread |= {("lambda", key) for key in _OF_IMAGE}

    def is_certain(part: ConfigError) -> bool:
        words = [word.strip(",.:;") for word in part.message.split()]
        return not any(part.keys[: len(keys)] == keys or dotted(keys) in words for keys in unread)

    raise_all([part for part in getattr(error, "parts", (error,)) if is_certain(part)])
