"""Build one tree out of parts of another; each value keeps the line that it is written in.

Owns merging. It must not know what any key means.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from kappa.config.tree import Keys, Tree, dotted, items

_ABSENT = object()


def dig(data: object, keys: Keys) -> object:
    """What stands at a key path; None where there is nothing."""
    value = _dig(data, keys)
    return None if value is _ABSENT else value


def _dig(data: object, keys: Keys) -> object:
    for key in keys:
        if not isinstance(data, dict) or key not in data:
            return _ABSENT
        data = data[key]
    return data


class TreeBuilder:
    """A tree in the making: begins empty, takes parts of `tree`."""

    def __init__(self, tree: Tree) -> None:
        self._from = tree
        self._data: dict[str, Any] = {}
        self._lines: dict[Keys, int] = {}
        self._texts: dict[Keys, str] = {}
        self._written: dict[Keys, str] = {}
        self._numbers: set[Keys] = set()
        self._origins: dict[Keys, Keys] = {}

    def merge(self, target: Keys, source: Keys) -> None:
        """Merge what stands at `source` over what is at `target`; lists and scalars replace."""
        value = _dig(self._from.data, source)
        if value is not _ABSENT:
            self._merge_value(value, source, target)
            self._note(target, source)

    def add(self, target: Keys, value: object, source: Keys) -> None:
        """Put a value that is not written so; errors about it name the line of `source`."""
        self._clear(target)
        self._parent(target)[target[-1]] = value
        line = next(
            (
                self._from.lines[source[:end]]
                for end in range(len(source), 0, -1)
                if source[:end] in self._from.lines
            ),
            1,
        )
        self._lines[target] = line
        self._note(target, source)
        if isinstance(value, str):
            self._texts[target] = value

    def _note(self, target: Keys, source: Keys) -> None:
        if source != target:
            self._origins[target] = source

    def contains(self, target: Keys) -> bool:
        """Whether something is at `target`."""
        return dig(self._data, target) is not None

    def build(self) -> Tree:
        """Return the tree."""
        return replace(
            self._from,
            data=self._data,
            lines=self._lines,
            texts=self._texts,
            numbers=frozenset(self._numbers),
            origins=self._origins,
            written=self._written,
        )

    def _parent(self, target: Keys) -> dict[Any, Any]:
        where: dict[Any, Any] = self._data
        for end, key in enumerate(target[:-1], 1):
            if target[:end] in self._from.lines:
                self._lines.setdefault(target[:end], self._from.lines[target[:end]])
            if where.get(key) is None:
                where[key] = {}
            where = where[key]
            if not isinstance(where, dict):
                raise self.build().error(
                    target[:end], f"{dotted(target[:end])} must be a mapping of keys to values."
                )
        return where

    def _merge_value(self, value: object, source: Keys, target: Keys) -> None:
        parent = self._parent(target)
        if isinstance(value, dict) and isinstance(parent.get(target[-1]), dict):
            for key, item in value.items():
                self._merge_value(item, (*source, key), (*target, key))
            return
        self._clear(target)
        parent[target[-1]] = copy.deepcopy(value)
        for inner in _paths(value):
            old, new = (*source, *inner), (*target, *inner)
            if old in self._from.lines:
                self._lines[new] = self._from.lines[old]
            if old in self._from.texts:
                self._texts[new] = self._from.texts[old]
            if old in self._from.written:
                self._written[new] = self._from.written[old]
            if old in self._from.numbers:
                self._numbers.add(new)

    def _clear(self, target: Keys) -> None:
        for inner in _paths(_dig(self._data, target)):
            gone = (*target, *inner)
            for known in (self._lines, self._texts, self._written):
                known.pop(gone, None)
            self._numbers.discard(gone)


def _paths(value: object, at: Keys = ()) -> Iterator[Keys]:
    """Name each value in a value by its path, itself first."""
    yield at
    for key, item in items(value):
        yield from _paths(item, (*at, key))
