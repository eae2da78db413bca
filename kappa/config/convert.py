"""Turn a Tree into a msgspec Struct, and msgspec's complaints into words with file and line.

Owns the words of a type error: what stands there, what is allowed, what was meant. It must not
know the keys of a kappa config: types and their descriptions carry all that it says.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from kappa.config.error_list import joined
from kappa.config.tree import (
    Keys,
    Tree,
    dotted,
    unknown_places,
    without_nulls,
    without_unknown,
)
from kappa.errors import ConfigError

T = TypeVar("T")
# A file with more mistakes than this is another kind of file.
_MOST_TRIES = 200
_AT = re.compile(r"^(?P<problem>.*?)(?: - at (?:`key` in )?`\$(?P<path>.*)`)?$", re.DOTALL)
_KEY = re.compile(r"\.(\w+)|\[(\d+)\]")
# What stands below these is never shown: values of a function's variables are secrets.
_SECRET = frozenset({"environment", "environment_variables"})
_NAMED = re.compile(r"field `(.*)`$")
# Keys that look like another one, but must not be answered with it.
_UNSUPPORTED = {
    "provisioned_concurrency": (
        "kappa does not support provisioned concurrency; what you set elsewhere stays."
    )
}


def convert(tree: Tree, data: object, kind: type[T], at: Keys = ()) -> T:
    """Convert a tree's data to a Struct; text becomes a number where the type says so.

    `at` is where in the tree the data stands.
    Raises: ConfigError, for all that does not fit.
    """
    left_out = [(*at, *keys) for keys in unknown_places(data)]
    remaining = _Remaining(without_nulls(without_unknown(data)))
    # What is not known is no error, and neither is what follows from it.
    errors: dict[Keys, ConfigError | None] = dict.fromkeys(left_out)
    for _ in range(_MOST_TRIES):
        try:
            converted = msgspec.convert(remaining.data, kind, strict=False)
        except msgspec.ValidationError as error:
            keys, problem = _config_error(tree, kind, str(error), at, remaining)
            if not _follows(keys, errors):
                errors[keys] = problem
            if not remaining.take_out(keys[len(at) :]):
                errors = errors if any(errors.values()) else {keys: problem}
                break
        else:
            if not any(errors.values()):
                return converted
            break
    raise joined(error for error in errors.values() if error)


def fits(value: object, kind: object) -> bool:
    """Whether a value is one that a type takes."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _follows(keys: Keys, errors: Mapping[Keys, ConfigError | None]) -> bool:
    """Whether something is wrong only because of an error before: taken out, or misspelled."""
    return any(
        before[: len(keys)] == keys
        or (error and before[:-1] == keys[:-1] and f"`{keys[-1]}`" in error.hint)
        for before, error in errors.items()
    )


class _Remaining:
    """Data that gets smaller: what was wrong is taken out, so that the next error shows.

    An item of a list that is taken out leaves a gap, by which the numbers of others are put right.
    """

    def __init__(self, data: object) -> None:
        self.data = data
        self._gaps: dict[Keys, list[int]] = {}

    def original(self, keys: Keys) -> Keys:
        """Return where in the file stands what msgspec found at `keys` of what is left."""
        original: Keys = ()
        for key in keys:
            number = key
            for gap in sorted(self._gaps.get(original, ())):
                number = int(number) + (gap <= int(number))
            original = (*original, number)
        return original

    def take_out(self, keys: Keys) -> bool:
        """Take out what stands at `keys` of the file; what is missing, with its mapping."""
        while keys and self._at(keys) is None:
            keys = keys[:-1]
        if not keys:
            return False
        where: Any = self._at(keys[:-1])
        del where[self._now(keys)]
        if isinstance(keys[-1], int):
            self._gaps.setdefault(keys[:-1], []).append(keys[-1])
        return True

    def _now(self, keys: Keys) -> str | int:
        last = keys[-1]
        gaps = self._gaps.get(keys[:-1], ())
        return last - sum(gap < last for gap in gaps) if isinstance(last, int) else last

    def _at(self, keys: Keys) -> object:
        """What stands at `keys` of the file; None where there is nothing."""
        value: Any = self.data
        for end in range(1, len(keys) + 1):
            if not isinstance(value, dict | list):
                return None
            key = self._now(keys[:end])
            value = value.get(key) if isinstance(value, dict) else value[int(key)]
        return value


def _config_error(
    tree: Tree, kind: object, text: str, at: Keys, remaining: _Remaining
) -> tuple[Keys, ConfigError]:
    """Turn msgspec's error into the key path that it is about, and our error for it."""
    match = _AT.match(text)
    problem, path = (match["problem"], match["path"] or "") if match else (text, "")
    inner = remaining.original(tuple(word or int(number) for word, number in _KEY.findall(path)))
    keys = (*at, *inner)
    named = _NAMED.search(problem)
    if named and "unknown" in problem:
        keys = (*keys, named[1])
        return keys, _unknown_key(tree, keys, _keys(_type_at(kind, inner)))
    if named:
        missing = (*keys, named[1])
        words = f"{dotted(missing)} is missing."
        hint = f"Allowed: {allowed(_type_at(kind, (*inner, named[1])))}."
        return missing, tree.error(keys, words, hint)
    text = tree.at(keys)
    shows = isinstance(text, str) and not _SECRET & set(keys)
    stands = f"is {str(text)!r}" if shows else "is of the wrong kind"
    hint = _hint(_type_at(kind, inner), str(text) if shows else "")
    return keys, tree.error(keys, f"{dotted(keys)} {stands}.", hint)


def _hint(kind: object, word: str) -> str:
    """Suggest the choice that was meant, or describe what is allowed."""
    choices = get_args(_bare(kind)) if get_origin(_bare(kind)) is Literal else ()
    near = [choice for choice in choices if str(choice).lower() == word.lower()]
    near = near or difflib.get_close_matches(word, map(str, choices), n=1)
    return f"Did you mean `{near[0]}`?" if near else f"Allowed: {allowed(kind)}."


def _unknown_key(tree: Tree, keys: Keys, known: list[str]) -> ConfigError:
    key = str(keys[-1])
    hint = _UNSUPPORTED.get(key) or suggestion(key, known)
    return tree.error(keys, f"unknown key {dotted(keys)}.", hint)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Suggest the known word that was meant, or list them all."""
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
            types_ = {field.encode_name: field.type for field in msgspec.structs.fields(bare)}
            kind = types_.get(key, object)
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
    """Describe the values that a type takes."""
    if get_origin(kind) is Annotated:
        return str(get_args(kind)[1].description)
    if get_origin(kind) in (Union, types.UnionType):
        return allowed(next(arg for arg in get_args(kind) if arg is not type(None)))
    if get_origin(kind) is Literal:
        return ", ".join(str(arg) for arg in get_args(kind))
    if get_origin(kind) is tuple:
        return f"a list; each item: {allowed(get_args(kind)[0])}"
    if get_origin(kind) is dict and get_origin(get_args(kind)[0]) is Literal:
        return f"a mapping with {', '.join(get_args(get_args(kind)[0]))}"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"a mapping with {', '.join(_keys(kind))}"
    names: dict[object, str] = {bool: "true or false", str: "a text", int: "a whole number"}
    return names.get(kind, "a mapping of names to texts")
