"""Turn a Tree into a msgspec Struct, and msgspec's complaints into words with file and line.

Owns the words of a type error: what stands there, what is allowed, what was meant. It must not
know the keys of a kappa config: their types and descriptions carry all it says.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from kappa.errors import ConfigError
from kappa.tree import Keys, Tree, dotted

T = TypeVar("T")
_AT = re.compile(r"^(?P<problem>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_KEY = re.compile(r"\.(\w+)|\[(\d+)\]")
_NAMED = re.compile(r"field `(.*)`$")


def convert(tree: Tree, data: object, wanted: type[T], at: Keys = ()) -> T:
    """Convert a tree's data to a Struct; text becomes a number where the type says so.

    `at` is where in the tree the data stands.
    Raises: ConfigError, for the first thing that does not fit.
    """
    try:
        return msgspec.convert(_without_nulls(data), wanted, strict=False)
    except msgspec.ValidationError as error:
        raise _config_error(tree, wanted, str(error), at) from error


def _without_nulls(value: object) -> object:
    """Drop keys without a value: an empty `event_sources:` is as if it were not there."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _config_error(tree: Tree, wanted: object, text: str, at: Keys) -> ConfigError:
    match = _AT.match(text)
    problem, path = (match["problem"], match["path"] or "") if match else (text, "")
    inner: Keys = tuple(word or int(number) for word, number in _KEY.findall(path))
    keys = (*at, *inner)
    named = _NAMED.search(problem)
    if named and "unknown" in problem:
        return _unknown_key(tree, (*keys, named[1]), _keys(_type_at(wanted, inner)))
    if named:
        return tree.error(
            keys,
            f"{dotted((*keys, named[1]))} is missing.",
            f"Allowed: {allowed(_type_at(wanted, (*inner, named[1])))}.",
        )
    stands = f"is {tree.texts[keys]!r}" if keys in tree.texts else "is of the wrong kind"
    return tree.error(
        keys, f"{dotted(keys)} {stands}.", f"Allowed: {allowed(_type_at(wanted, inner))}."
    )


def _unknown_key(tree: Tree, keys: Keys, known: list[str]) -> ConfigError:
    return tree.error(keys, f"unknown key {dotted(keys)}.", suggestion(str(keys[-1]), known))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Say which known word was meant, or list them all."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    return f"Did you mean `{near[0]}`?" if near else f"Allowed: {', '.join(words)}."


def _keys(kind: object) -> list[str]:
    fields: Any = msgspec.structs.fields(_bare(kind))
    return [field.encode_name for field in fields]


def _type_at(kind: object, keys: Keys) -> object:
    for key in keys:
        bare = _bare(kind)
        if isinstance(key, int):
            kind = get_args(bare)[0] if get_args(bare) else object
        elif isinstance(bare, type) and issubclass(bare, msgspec.Struct):
            found = {field.encode_name: field.type for field in msgspec.structs.fields(bare)}
            kind = found.get(key, object)
        else:
            kind = get_args(bare)[-1] if get_args(bare) else object
    return kind


def _bare(kind: object) -> Any:  # noqa: ANN401 - a type, whatever it is
    """Take the Annotated and the `| None` off."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return _bare(next(arg for arg in get_args(kind) if arg is not type(None)))
    return kind


def allowed(kind: object) -> str:
    """Say in words which values a type takes."""
    if get_origin(kind) is Annotated:
        return str(get_args(kind)[1].description)
    if get_origin(kind) in (Union, types.UnionType):
        return allowed(next(arg for arg in get_args(kind) if arg is not type(None)))
    if get_origin(kind) is Literal:
        return ", ".join(str(arg) for arg in get_args(kind))
    if get_origin(kind) is tuple:
        return f"a list; each item: {allowed(get_args(kind)[0])}"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"a mapping with {', '.join(_keys(kind))}"
    names: dict[object, str] = {bool: "true or false", str: "a text", int: "a whole number"}
    return names.get(kind, "a mapping of names to texts")
