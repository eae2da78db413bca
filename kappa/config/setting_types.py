"""The types that check a config's settings, made of a table's rows and botocore's model.

Owns kinds, ranges, choices and required members, and the words for each in an error. Types are
made only for the keys that a file has: any other key is known, and nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct, defstruct, field
from msgspec.structs import asdict

from kappa.config.aws_model import shape
from kappa.config.convert import allowed
from kappa.config.model import (
    Async,
    Cors,
    EventSource,
    File,
    Function,
    Image,
    Logging,
    Section,
    Url,
    Vpc,
)
from kappa.config.setting_table import Key, Table, defaults
from kappa.config.settings import ASYNC, FUNCTION, MAPPING, URL

_SCALARS: Mapping[str, Any] = {
    "boolean": bool,
    "double": float,
    "float": float,
    "integer": int,
    "long": int,
    "string": str,
    "timestamp": str,
}


class _Types(NamedTuple):
    file: Any
    function: Any
    source: Any


def file_type(data: Mapping[str, Any] | None = None) -> type[File]:
    """The type of a whole file, for the keys in its data; without data, for all."""
    if data is None:
        return _types(None, None).file  # type: ignore[no-any-return]
    function = data.get("lambda")
    function = function if isinstance(function, dict) else {}
    sources = function.get("event_sources")
    sources = sources if isinstance(sources, list) else []
    given = frozenset(key for source in sources if isinstance(source, dict) for key in source)
    return _types(frozenset(function), given).file  # type: ignore[no-any-return]


def comparable(file: File) -> File:
    """The same file in one type, whichever keys it has: values of two types are never equal."""
    types = _types(frozenset(), frozenset())
    sources = tuple(types.source(**asdict(source)) for source in file.lambda_.event_sources)
    function = types.function(**{**asdict(file.lambda_), "event_sources": sources})
    return types.file(**{**asdict(file), "lambda_": function})  # type: ignore[no-any-return]


@cache
def _types(given: frozenset[str] | None, of_sources: frozenset[str] | None) -> _Types:
    source = _struct(MAPPING, "EventSource", MAPPING.keys, EventSource, given=of_sources)
    listed: Any = tuple[source, ...]  # type: ignore[valid-type]
    unused = frozenset({"async", "url"} - given if given is not None else ())
    more = (
        ("event_sources", listed, ()),
        ("url", object if "url" in unused else _whole(URL, Url) | None, None),
        (
            "async_",
            object if "async" in unused else _whole(ASYNC, Async) | None,
            field(default=None, name="async"),
        ),
    )
    function = _struct(FUNCTION, "Function", FUNCTION.keys, Function, *more, given=given)
    file = _made("File", File, [("lambda_", function, field(name="lambda"))])
    return _Types(file, function, source)


@cache
def _whole(table: Table, base: type[Struct]) -> Any:  # noqa: ANN401
    return _struct(table, base.__name__, table.keys, base)


def _struct(
    table: Table,
    name: str,
    keys: tuple[Key, ...],
    base: type[Struct],
    *more: tuple[str, Any, Any],
    given: frozenset[str] | None = None,
) -> Any:  # noqa: ANN401 - a type made at run time
    """A section with keys of a table beside those of its `base`; `given`: those in use."""
    own, default = base.__struct_fields__, defaults(base)
    members: list[Any] = list(more)
    for key in keys:
        kind = _kind(table, key) if given is None or key.name in given else object
        if key.required or (key.name in own and key.name not in default):
            members.append((key.name, kind))
            continue
        value = default.get(key.name)
        members.append((key.name, kind if value is not None else kind | None, value))
    return _made(name, base, members)


def _made(name: str, base: type, members: list[Any]) -> Any:  # noqa: ANN401
    return defstruct(
        name, members, bases=(base,), frozen=True, kw_only=True, forbid_unknown_fields=True
    )


def _kind(table: Table, key: Key) -> Any:  # noqa: ANN401
    if key.row and key.row.kind:
        return key.row.kind
    if table.has_rows_in(key.path):
        return _of_rows(table, key)
    return _of_shape(table, key.shape, key.row.words if key.row else "")


@cache
def _of_rows(table: Table, key: Key) -> Any:  # noqa: ANN401
    bases: Mapping[str, type[Struct]] = {
        "ImageConfig": Image,
        "Cors": Cors,
        "LoggingConfig": Logging,
        "VpcConfig": Vpc,
    }
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
