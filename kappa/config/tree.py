"""Read YAML into texts that remember their line.

Owns YAML: syntax, duplicate keys, merge keys (`<<`), aliases that repeat too much. It must not
know what any key of a kappa config means.

Scalars stay text, apart from nulls, so that a value is read as its key wants it: an account number
keeps its leading zero, an environment variable its `1.10`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from kappa.config.files import read_file
from kappa.errors import ConfigError

Keys = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_KINDS = {
    **dict.fromkeys((_TAG + "str", _TAG + "timestamp"), ""),
    **dict.fromkeys((_TAG + "int", _TAG + "float"), "number"),
    _TAG + "bool": "bool",
}
_TRUE = frozenset({"true", "yes", "on"})
_WORDS = frozenset({"true", "false"})
_MERGE = _TAG + "merge"
_MAX_NODES = 20_000
_MAX_DEPTH = 100
_MAX_BYTES = 1_000_000
# An error is for a person: what a value holds may be as long as a file.
_MAX_PROBLEM = 400
# What YAML's errors quote of a file; of its grammar they quote single characters and <parts>.
_QUOTED = re.compile(r" (?:'(?!<)[^']{2,}'|\"[^\"]{2,}\")")
_QUOTES = (
    "Put a text in quotes if it begins with one of ! * & % @ ` { [ or has a colon or # in it; "
    "within { } or [ ], also if it has a comma or ?."
)
# YAML's words for a line that begins too far to the left or to the right, or after a tab.
_SLIPS = frozenset(
    {
        "expected <block end>, but found '<block mapping start>'",
        "expected <block end>, but found '<block sequence start>'",
        "expected <block end>, but found '-'",
        "expected <block end>, but found '?'",
        "found character '\\t' that cannot start any token",
    }
)
_INDENT = (
    "Keys of one mapping, and the dashes of one list, begin in the same column; indent with "
    "blanks, not with tabs."
)


class Text(str):
    """A text of a YAML file, that knows its line.

    `kind`: "number" or "bool", where YAML reads one. `written`: how the file writes what has been
    filled in, such as ${name}; else "". `is_filled`: a text with a reference that was not read is
    as it is written.
    """

    __slots__ = ("is_filled", "kind", "line", "written")
    line: int
    kind: str
    written: str
    is_filled: bool

    def __new__(
        cls, text: str, line: int = 1, kind: str = "", written: str = "", *, is_filled: bool = True
    ) -> Text:
        """Make a text of a line."""
        made = super().__new__(cls, text)
        made.line, made.kind, made.written, made.is_filled = line, kind, written, is_filled
        return made

    def __deepcopy__(self, _: object) -> Text:
        """It never changes."""
        return self

    @property
    def plain(self) -> str | bool:
        """The value that YAML reads, apart from numbers: 007 stays as it is."""
        return self.lower() in _TRUE if self.kind == "bool" else str(self)

    @property
    def shown(self) -> str:
        """The text as an error shows it: a value that was filled in may be a secret."""
        return self.written or str(self)


class Tree(msgspec.Struct, frozen=True):
    """A YAML file's values: mappings, lists, None and Texts. Keys are Texts too, with their line.

    `moved` maps a key path to where the file writes that value, if it is elsewhere.

    Shape: the path of the first event source's ARN is ("lambda", "event_sources", 0, "arn").
    """

    file: Path
    data: dict[str, Any]
    moved: Mapping[Keys, Keys] = {}

    def error(self, keys: Keys, problem: str, hint: str = "") -> ConfigError:
        """Build the error for what stands at a key path, with its file and line.

        A problem that begins with the key path begins with the path that the file has. What was
        filled in there may be a secret: how it is written is shown.
        """
        for _, text in texts_in(self.at(keys)):
            if isinstance(text, Text) and text.written:
                problem = problem.replace(repr(str(text)), repr(text.written))
        own = dotted(keys)
        if problem.startswith(own):
            problem = dotted(self._written_path(keys)) + problem.removeprefix(own)
        return ConfigError(f"{self.file}:{self.line(keys)}: {shortened(problem)}", hint, keys)

    def error_at(self, keys: Keys, problem: str, hint: str = "") -> ConfigError:
        """Build the error for a text: the problem follows its key path."""
        return self.error(keys, f"{dotted(keys)}: {problem}", hint)

    def line(self, keys: Keys) -> int:
        """The line of what stands at a key path, or of what is nearest above it."""
        value: Any = self.data
        line = 1
        for key in keys:
            if isinstance(value, dict) and key in value:
                line = next(_lines(name for name in value if name == key), line)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                line = next(_lines(_texts_and_keys(value[key])), line)
            else:
                break
            value = value[key]
        return line

    def at(self, keys: Keys) -> Any:  # noqa: ANN401 - plain values
        """What stands at a key path; None where there is nothing."""
        return dig(self.data, keys)

    def _written_path(self, keys: Keys) -> Keys:
        for end in range(len(keys), 0, -1):
            if keys[:end] in self.moved:
                return (*self.moved[keys[:end]], *keys[end:])
        return keys


def _lines(values: Iterable[object]) -> Iterator[int]:
    return (value.line for value in values if isinstance(value, Text))


def _texts_and_keys(value: object) -> Iterator[object]:
    yield value
    for key, item in items(value):
        yield key
        yield from _texts_and_keys(item)


def dig(data: object, keys: Keys) -> Any:  # noqa: ANN401 - plain values
    """What stands at a key path through mappings and lists; None where there is nothing."""
    for key in keys:
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            return None
    return data


def shortened(problem: str) -> str:
    """Cut what repeats a value of many pages; its end, which says what is wrong, stays."""
    if len(problem) <= _MAX_PROBLEM:
        return problem
    half = _MAX_PROBLEM // 2
    return f"{problem[:half]} ... {problem[-half:]}"


def dotted(keys: Keys) -> str:
    """Write a key path for people: lambda.event_sources[0].arn."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".") or ("''" if keys else "the file")


def read_tree(file: Path, text: bytes | None = None) -> Tree:
    """Read one YAML file as it stands, or the text that it is to hold.

    Raises: ConfigError, if it cannot be read, and for what parse_tree() refuses.
    """
    return parse_tree(read_source(file) if text is None else text, file)


def read_source(file: Path) -> bytes:
    """Read a YAML file's content. Raises: ConfigError."""
    try:
        return read_file(file)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}.", "Check the path.") from error


def parse_tree(content: bytes, file: Path) -> Tree:
    """Turn a file's content into its tree; `file` is for the error messages.

    Raises: ConfigError, if it is not YAML, repeats a key or is no mapping.
    """
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{file}: over {_MAX_BYTES // 1_000_000} MB, too large for a config.")
    try:
        node = _Loader(content).get_single_node()
    except _TooMuch as error:
        raise ConfigError(f"{file}:{error.line}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # What YAML's own error quotes of the file may be a secret.
        raise _syntax_error(file, error) from None
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{file}:1: the file must hold `key: value` lines.")
    return Tree(file, _Reader(file).mapping(node, ()))


def _syntax_error(file: Path, error: Exception) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    syntax = getattr(error, "problem", None)
    problem = syntax or getattr(error, "reason", None) or "not readable"
    hint = _QUOTES if syntax else ""
    if problem in _SLIPS:
        problem, hint = "the indent is off", _INDENT
    return ConfigError(f"{file}:{line}: not valid YAML: {_QUOTED.sub('', problem)}.", hint)


class _TooMuch(Exception):
    """What no config holds, and would take long to read."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line, self.problem = line, problem


class _Loader(yaml.SafeLoader):
    """Composes nodes, as many and as deep ones as a config may have."""

    count = depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - as in yaml
        """Compose a node and what is in it."""
        self.count += 1
        self.depth += 1
        line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
        # A key is a node too, and so are the file and each mapping on the way down.
        if self.count > 2 * _MAX_NODES:
            raise _TooMuch(line, f"over {_MAX_NODES:,} values.")
        if self.depth > _MAX_DEPTH + 1:
            raise _TooMuch(line, "nested too deeply.")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Reader:
    """Walks the composed nodes of one file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._open: set[int] = set()
        self._count = 0

    def _error(self, node: yaml.Node, problem: str, hint: str = "") -> ConfigError:
        return ConfigError(f"{self.file}:{node.start_mark.line + 1}: {problem}", hint)

    def _enter(self, node: yaml.Node, keys: Keys) -> None:
        """Note that a node is being read; refuse what would repeat or go down without end."""
        self._count += 1
        if id(node) in self._open:
            raise self._error(node, "an alias repeats too much.")
        if self._count > _MAX_NODES:
            many = f"over {_MAX_NODES:,} values, or an alias repeats too much."
            raise self._error(node, many)
        if len(keys) > _MAX_DEPTH:
            raise self._error(node, "nested too deeply.")
        self._open.add(id(node))

    def value(self, node: yaml.Node, keys: Keys) -> object:
        self._enter(node, keys)
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, keys)
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*keys, i)) for i, item in enumerate(node.value)]
            return self._scalar(node, keys)
        finally:
            self._open.discard(id(node))

    def mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        return {
            Text(key, key_node.start_mark.line + 1): self.value(value_node, (*keys, key))
            for key, (key_node, value_node) in self._pairs(node, keys).items()
        }

    def _pairs(self, node: yaml.MappingNode, keys: Keys) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Collect the keys that a mapping has itself, then those that it merges."""
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or not is_text(key):
                raise self._error(key_node, "a key must be a plain word.")
            if key in pairs:
                first = pairs[key][0].start_mark.line + 1
                words = f"{dotted((*keys, key))} is given twice (first: line {first})."
                raise self._error(key_node, words)
            pairs[key] = key_node, value_node
        if pairs.get("<<", (node,))[0].tag != _MERGE:
            return pairs
        merged: list[dict[str, tuple[yaml.Node, yaml.Node]]] = [pairs]
        for base in self._bases(pairs.pop("<<")[1]):
            self._enter(base, keys)
            merged.append(self._pairs(base, keys))
            self._open.discard(id(base))
        # The first one wins.
        return {key: pair for some in reversed(merged) for key, pair in some.items()}

    def _bases(self, node: yaml.Node) -> list[yaml.MappingNode]:
        """What a merge key names: one mapping, or several, of which the first wins."""
        named = node.value if isinstance(node, yaml.SequenceNode) else [node]
        bases = [base for base in named if isinstance(base, yaml.MappingNode)]
        if len(bases) != len(named):
            raise self._error(node, "`<<` merges a mapping, or a list of mappings.")
        return bases

    def _scalar(self, node: yaml.Node, keys: Keys) -> object:
        text = str(node.value)
        if node.tag == _TAG + "null":
            return None
        if not is_text(text):
            raise self._error(node, f"{dotted(keys)} has a character that no text can have.")
        if node.tag not in _KINDS:
            raise self._error(node, "a tag, which begins with !, is not allowed here.", _QUOTES)
        return Text(text, node.start_mark.line + 1, _KINDS[node.tag])


def is_text(text: str) -> bool:
    """Whether all of it is characters: half of a surrogate pair, as an escape writes, is none."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def items(value: object) -> Iterator[tuple[str | int, object]]:
    """Each item of a mapping or a list with its key or number; none of any other value."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def texts_in(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Each text in a value with its key path, which begins with `keys`."""
    if isinstance(value, str):
        yield keys, value
    for key, item in items(value):
        yield from texts_in(item, (*keys, key))


def map_texts(value: object, change: Callable[[Keys, str], Any], keys: Keys = ()) -> Any:  # noqa: ANN401 - what it was
    """Change each text in mappings and lists, by its key path."""
    if isinstance(value, dict):
        return {key: map_texts(item, change, (*keys, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [map_texts(item, change, (*keys, number)) for number, item in enumerate(value)]
    return change(keys, value) if isinstance(value, str) else value


def without_nulls(value: object) -> Any:  # noqa: ANN401 - plain values
    """Turn Texts into plain values, and drop keys without one: they are as if not there."""
    if isinstance(value, dict):
        return {str(key): without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value.plain if isinstance(value, Text) else value


def unknown_places(value: object, keys: Keys = ()) -> Iterator[Keys]:
    """Name each key whose value is not known, since a reference in it was not read.

    A list with such a text is not known as a whole.
    """
    if is_unknown(value):
        yield keys
        return
    for key, item in items(value):
        yield from unknown_places(item, (*keys, key))


def without_unknown(value: object) -> Any:  # noqa: ANN401 - plain values
    """Leave out the keys whose values are not known."""
    if isinstance(value, dict):
        known = ((key, item) for key, item in value.items() if not is_unknown(item))
        return {key: without_unknown(item) for key, item in known}
    return [without_unknown(item) for item in value] if isinstance(value, list) else value


def is_unknown(value: object) -> bool:
    """Whether a value, or an item of a list, has a reference that was not read."""
    if isinstance(value, list):
        return any(isinstance(item, Text) and not item.is_filled for item in value)
    return isinstance(value, Text) and not value.is_filled


def bare_words(tree: Tree, keys: Keys, value: object) -> Iterator[ConfigError]:
    """Find each yes, no, on and off that stands without quotes in what stands at `keys`."""
    for at, text in texts_in(value, keys):
        if isinstance(text, Text) and text.kind == "bool" and text.lower() not in _WORDS:
            meant = "true" if text.plain else "false"
            yield tree.error(
                at,
                f"{dotted(at)} is {text}, which YAML reads as {meant}.",
                f"Write {meant}, or put the word in quotes: '{text}'.",
            )
