"""From a config's section to the members of AWS's calls, and back, by a table of settings.

Owns sending, reading back, comparing and importing, for every table alike; settings.py has the
tables, setting_types.py checks what a file holds. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache, cached_property
from typing import Any

import msgspec
from msgspec import Struct

from kappa.config.aws_model import members, shape, snake_case

Answer = Mapping[str, Any]


class Row(Struct, frozen=True):
    """One setting.

    key: in the config, as `vpc.ipv6`; path: AWS's member, as `VpcConfig.Ipv6AllowedForDualStack`.
    words: what an error adds to the range of a number. kind: the type of the value, if not the
    model's. default: what an answer without the member means; `{FunctionName}` is filled in.
    forms: values of the config that AWS spells otherwise; None is no value.
    item: the member that holds the items of a list, which are JSON.
    in_order: the order of a list counts. in_any_case: the case of its texts does not.
    once: only a new one takes it, and it is not compared.
    """

    key: str
    path: str
    words: str = ""
    kind: Any = None
    default: Any = None
    forms: tuple[tuple[Any, Any], ...] = ()
    item: str = ""
    in_order: bool = False
    in_any_case: bool = False
    once: bool = False


class Key(Struct, frozen=True):
    """A key of a section: its name, the members from the section to it, its shape and row."""

    name: str
    members: tuple[str, ...]
    shape: str
    path: str
    required: bool = False
    row: Row | None = None


class Table:
    """The settings of one thing that AWS creates and updates by a call each.

    `elsewhere`: members that other parts of kappa set. `reads`: how to read a member that AWS
    answers in another form than it takes.
    """

    def __init__(
        self,
        create: str,
        update: str,
        rows: tuple[Row, ...],
        *,
        elsewhere: frozenset[str],
        reads: Mapping[str, Callable[[Answer], Any]] | None = None,
    ) -> None:
        self._calls = create, update
        self._rows = rows
        self._elsewhere = elsewhere
        self._reads = reads or {}

    @cached_property
    def members(self) -> dict[str, str]:
        """The members of the calls, each with its shape's name."""
        taken = {**members(self._calls[0]), **members(self._calls[1])}
        return {name: kind for name, kind in taken.items() if name not in self._elsewhere}

    @cached_property
    def updatable(self) -> frozenset[str]:
        """The members that the update takes; others are set once, by the creation."""
        return frozenset(members(self._calls[1]))

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The keys of the section."""
        return tuple(self._keys_of(self.members, ""))

    def keys_in(self, kind: str, path: str) -> tuple[Key, ...]:
        """The keys of a section inside: `kind` is the name of its shape, `path` AWS's member."""
        section = shape(kind)
        inner = {name: member["shape"] for name, member in section["members"].items()}
        return tuple(self._keys_of(inner, path, frozenset(section.get("required", ()))))

    def _keys_of(
        self, inner: Mapping[str, str], path: str, required: frozenset[str] = frozenset()
    ) -> Iterator[Key]:
        for name, kind in inner.items():
            here = f"{path}.{name}" if path else name
            below = [row for row in self._rows if row.path.startswith(f"{here}.")]
            own = self.row(here)
            if own or not below:
                word = own.key.rpartition(".")[2] if own else snake_case(name)
                yield Key(word, (name,), kind, here, name in required, own)
            for row in below if not own else ():
                names = tuple(row.path.removeprefix(f"{path}.").split("."))
                leaf = kind
                for inside in names[1:]:
                    leaf = shape(leaf)["members"][inside]["shape"]
                yield Key(row.key.rpartition(".")[2], names, leaf, row.path, row=row)

    def row(self, path: str) -> Row | None:
        """The row of a member."""
        return next((row for row in self._rows if row.path == path), None)

    def has_rows_in(self, path: str) -> bool:
        """Whether a structure has keys of its own rows."""
        return any(row.path.startswith(f"{path}.") for row in self._rows)

    # What the config sets

    def sent(self, section: Struct, actual: Answer) -> dict[str, Any]:
        """The members that a config sets. What it leaves open in a structure is AWS's own.

        A call replaces a structure as a whole, so the rest is repeated from AWS's answer. An empty
        structure of the config, which removes the setting, is AWS's default.
        """
        merged = {}
        for name, given in self._given(section, self.keys).items():
            value = self._merged(self.members[name], self.current(actual, name), given)
            merged[name] = value if value != {} else self._filled(name, {}, actual)
        return merged

    def sets(self, name: str, value: Any) -> bool:  # noqa: ANN401 - whatever the setting is
        """Whether a member's value sets something; {"SubnetIds": []} and the like only remove."""
        return self._plain(self.members[name], name, value) is not None

    def _given(self, section: Struct, keys: tuple[Key, ...]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        values = named(section)
        for key in keys:
            if key.name in values:
                value = self._to_aws(values[key.name], key)
                # An image is more than its ImageConfig.
                if value != {} or not named(values[key.name]):
                    _put(given, key.members, value)
        return given

    def _to_aws(self, value: Any, key: Key) -> Any:  # noqa: ANN401 - whatever the setting is
        row, kind = key.row, shape(key.shape)
        for own, theirs in row.forms if row else ():
            if own == value and type(own) is type(value):
                return theirs
        if isinstance(value, Struct):
            return self._given(value, self.keys_in(key.shape, key.path))
        if row and row.item:
            return [{row.item: text} for text in value]
        if kind["type"] == "list":
            item = Key("", (), kind["member"]["shape"], key.path)
            return [self._to_aws(each, item) for each in value]
        if kind["type"] == "map":
            item = Key("", (), kind["value"]["shape"], key.path)
            return {name: self._to_aws(each, item) for name, each in value.items()}
        return datetime.fromisoformat(value) if kind["type"] == "timestamp" else value

    def _merged(self, kind: str, actual: Any, given: Any) -> Any:  # noqa: ANN401
        """Merge what is given into a structure; an empty value replaces what there is."""
        if shape(kind)["type"] != "structure" or not given or not actual:
            return given
        inner = shape(kind)["members"]
        changed = {
            name: self._merged(inner[name]["shape"], actual.get(name), value)
            for name, value in given.items()
        }
        return {**actual, **changed}

    # What AWS has

    def current(self, actual: Answer, name: str) -> Any:  # noqa: ANN401 - whatever the setting is
        """One member of AWS's answer, cut to what the setting call takes, defaults filled in."""
        read = self._reads.get(name)
        answer = read(actual) if read else actual.get(name)
        cut = _cut(self.members[name], answer)
        return self._filled(name, cut, actual)

    def _filled(self, name: str, cut: Any, actual: Answer) -> Any:  # noqa: ANN401
        filled = {name: cut} if cut is not None else {}
        for row in self._rows:
            if row.path.split(".")[0] == name and row.default is not None:
                text = isinstance(row.default, str)
                default = row.default.format_map(_Blanks(actual)) if text else row.default
                _put_missing(filled, row.path.split("."), default)
        return filled.get(name)

    def differing(self, expected: Answer, actual: Answer) -> list[str]:
        """The members of a call that AWS's answer has otherwise."""
        return [name for name in expected if self._differs(name, expected[name], actual)]

    def _differs(self, name: str, value: Any, actual: Answer) -> bool:  # noqa: ANN401
        row, kind = self.row(name), self.members[name]
        wanted = self._filled(name, _cut(kind, value), actual)
        current = self._plain(kind, name, self.current(actual, name))
        return not (row and row.once) and self._plain(kind, name, wanted) != current

    def _plain(self, name: str, path: str, value: Any) -> Any:  # noqa: ANN401
        """A value as it is compared: empty members and the order of most lists do not count."""
        kind, row = shape(name), self.row(path)
        if value is None:
            return None
        if kind["type"] == "structure":
            inner = {
                member: self._plain(kind["members"][member]["shape"], f"{path}.{member}", each)
                for member, each in value.items()
            }
            kept = {member: each for member, each in inner.items() if not _is_empty(each)}
            return kept or None
        if row and row.item:
            return [msgspec.json.decode(each[row.item]) for each in value] or None
        if kind["type"] == "list":
            items = [self._plain(kind["member"]["shape"], path, each) for each in value]
            items = [each.lower() for each in items] if row and row.in_any_case else items
            return (items if row and row.in_order else sorted(items, key=repr)) or None
        return value if not _is_empty(value) else None

    # What a config of it would hold

    def section(self, actual: Answer) -> dict[str, Any]:
        """AWS's answer in the words of a config, without what AWS has by default."""
        cut = {}
        for name, kind in self.members.items():
            read = self._reads.get(name)
            value = _cut(kind, read(actual) if read else actual.get(name))
            if value is not None:
                cut[name] = value
        return self._to_config(cut, self.keys, actual)

    def _to_config(self, given: Answer, keys: tuple[Key, ...], actual: Answer) -> dict[str, Any]:
        section = {}
        for key in keys:
            value = _dig(given, key.members)
            if self._is_default(value, key, actual):
                continue
            written = self._written(value, key, actual)
            if written not in (None, {}):
                section[key.name] = written
        return section

    def _is_default(self, value: Any, key: Key, actual: Answer) -> bool:  # noqa: ANN401
        default = key.row.default if key.row else None
        if isinstance(default, str):
            default = default.format_map(_Blanks(actual))
        return _is_empty(value) or value == default

    def _written(self, value: Any, key: Key, actual: Answer) -> Any:  # noqa: ANN401
        row, kind = key.row, shape(key.shape)
        for own, theirs in row.forms if row else ():
            if theirs == value:
                return own
        if kind["type"] == "structure":
            return self._to_config(value, self.keys_in(key.shape, key.path), actual)
        if row and row.item:
            return [each[row.item] for each in value]
        if kind["type"] == "list":
            item = Key("", (), kind["member"]["shape"], key.path)
            return [self._written(each, item, actual) for each in value]
        if kind["type"] == "map":
            item = Key("", (), kind["value"]["shape"], key.path)
            return {name: self._written(each, item, actual) for name, each in value.items()}
        return value.isoformat() if isinstance(value, datetime) else value


class _Blanks(dict[str, Any]):
    """What fills in a default: a member that the answer lacks is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _is_empty(value: object) -> bool:
    """Whether a value sets nothing; 0 does."""
    return value is None or value is False or value in ("", [], {})


def named(section: object) -> dict[str, Any]:
    """The keys of a section that differ from their default."""
    if not isinstance(section, Struct):
        return {}
    default = defaults(type(section))
    values = {name: getattr(section, name) for name in section.__struct_fields__}
    return {
        name: value
        for name, value in values.items()
        if name not in default or value != default[name]
    }


@cache
def defaults(kind: type[Struct]) -> dict[str, Any]:
    """Each optional field of a section with its default; msgspec.structs.fields() takes longer."""
    backwards = zip(
        reversed(kind.__struct_fields__), reversed(kind.__struct_defaults__), strict=False
    )
    return {name: value for name, value in backwards if value is not msgspec.NODEFAULT}


def _put(into: dict[str, Any], path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401
    for name in path[:-1]:
        into = into.setdefault(name, {})
    if value is not None:
        into[path[-1]] = value


def _put_missing(into: dict[str, Any], path: list[str], value: Any) -> None:  # noqa: ANN401
    for name in path[:-1]:
        into = into.setdefault(name, {})
    into.setdefault(path[-1], value)


def _dig(value: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _cut(name: str, value: Any) -> Any:  # noqa: ANN401
    """Cut an answer to the members of a shape."""
    kind = shape(name)
    if value is None:
        return None
    if kind["type"] == "structure":
        inner = {member: inside["shape"] for member, inside in kind["members"].items()}
        return {
            member: _cut(inner[member], each) for member, each in value.items() if member in inner
        }
    if kind["type"] == "list":
        return [_cut(kind["member"]["shape"], each) for each in value]
    return value
