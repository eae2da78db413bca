"""The types that check a config's settings, made of a table's rows and botocore's model.

Owns kinds, ranges, choices and required members, and the words for each in an error. Types are
made only for the keys that a file has: any other key is known, and nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, defstruct, field
from msgspec.structs import fields

from kappa.config.aws_model import shape
from kappa.config.convert import allowed
from kappa.config.model import File, Function, Image, Logging, Section, Vpc
from kappa.config.setting_table import Key, Table
from kappa.config.settings import FUNCTION

_SCALARS: Mapping[str, Any] = {
    "boolean": bool,
    "double": float,
    "float": float,
    "integer": int,
    "long": int,
    "string": str,
    "timestamp": str,
}


def file_type(data: Mapping[str, Any] | None = None) -> type[File]:
    """The type of a whole file, for the keys in its data; without data, for all."""
    function = data and data.get("lambda")
    given = frozenset(function) if isinstance(function, dict) else frozenset()
    return _file_type(None if data is None else given)


@cache
def _file_type(given: frozenset[str] | None) -> type[File]:
    function = section_type(FUNCTION, Function, given)
    kind: Any = defstruct(
        "File",
        [("lambda_", function, field(name="lambda"))],
        bases=(File,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return kind  # type: ignore[no-any-return]


def section_type(table: Table, base: type[Struct], given: frozenset[str] | None = None) -> Any:  # noqa: ANN401
    """The type of a section with a table's keys beside those of its `base`.

    `given`: the keys that are in use; None: all.
    """
    return _struct(table, base.__name__, table.keys, base, given)


def _struct(
    table: Table, name: str, keys: tuple[Key, ...], base: type, given: frozenset[str] | None = None
) -> Any:  # noqa: ANN401 - a type made at run time
    own = {field.name: field for field in fields(base)}
    members: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for key in keys:
        used = given is None or key.name in given
        kind = _kind(table, key) if used else object
        if key.required:
            members.append((key.name, kind))
            continue
        default = own[key.name].default if key.name in own else None
        members.append((key.name, kind if default is not None else kind | None, default))
    return defstruct(
        name, members, bases=(base,), frozen=True, kw_only=True, forbid_unknown_fields=True
    )


def _kind(table: Table, key: Key) -> Any:  # noqa: ANN401
    if key.row and key.row.kind:
        return key.row.kind
    if table.has_rows_in(key.path):
        return _of_rows(table, key)
    return _of_shape(table, key.shape, key.row.words if key.row else "")


def _of_rows(table: Table, key: Key) -> Any:  # noqa: ANN401
    bases: Mapping[str, type] = {"ImageConfig": Image, "LoggingConfig": Logging, "VpcConfig": Vpc}
    return _struct(
        table, key.shape, table.keys_in(key.shape, key.path), bases.get(key.path, Section)
    )


@cache
def _of_shape(table: Table, name: str, words: str = "") -> Any:  # noqa: ANN401
    kind = shape(name)
    least, most = kind.get("min"), kind.get("max")
    if kind["type"] == "structure":
        return _struct(table, name, table.keys_in(name, f"?{name}"), Section)
    if kind["type"] == "list":
        item = _of_shape(table, kind["member"]["shape"])
        size = f"a list of at most {most}" if most else "a list"
        text = f"{size}; each item: {allowed(item)}"
        items: Any = tuple[item, ...]  # type: ignore[valid-type]
        return Annotated[items, Meta(max_length=most, description=text)]
    if kind["type"] == "map":
        key, value = (_of_shape(table, kind[part]["shape"]) for part in ("key", "value"))
        return dict[key, value]  # type: ignore[valid-type]
    if "enum" in kind:
        return Literal[tuple(kind["enum"])]
    scalar = _SCALARS[kind["type"]]
    if scalar in (int, float):
        return Annotated[scalar, Meta(ge=least, le=most, description=_range(least, most, words))]
    if scalar is str and most:
        return Annotated[
            str, Meta(max_length=most, description=f"a text of at most {most} characters")
        ]
    return scalar


def _range(least: object, most: object, words: str) -> str:
    text = f"{least} to {most}" if least is not None and most is not None else "a number"
    return f"{text} ({words})" if words else text
