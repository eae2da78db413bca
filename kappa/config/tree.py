"""Read YAML into plain values that remember their line and their text.

Owns YAML: syntax, duplicate keys, merge keys (`<<`), aliases that repeat too much. It must not
know what any key of a kappa config means.

Scalars stay text, apart from booleans and nulls, so that a value is read as its key wants it:
an account number keeps its leading zero, an environment variable its `1.10`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import msgspec
import yaml

from kappa.config.files import read_file
from kappa.errors import ConfigError
from kappa.texts import SHORTEST_SECRET

Keys = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_NUMBER_TAGS = frozenset((_TAG + "int", _TAG + "float"))
_TEXT_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "timestamp"))
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
    "within { }, also if it has a comma or ?."
)
# A value as repr() writes it; an apostrophe stands behind a letter.
_VALUE = r"(?<!\w)(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?!\w)"
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


class Tree(msgspec.Struct, frozen=True):
    """A YAML file's values. `lines` and `texts` give, by key path, where and how it is written.

    `numbers` are the paths of what is written as a number, for values that become JSON. `origins`
    map a key path to where the file writes that value, if it is elsewhere. `written` is how the
    file writes what an included value was put into, such as `${name}`: an error shows that instead.

    Shape: the path of the first event source's ARN is ("lambda", "event_sources", 0, "arn").
    """

    file: Path
    data: dict[str, Any]
    lines: Mapping[Keys, int]
    texts: Mapping[Keys, str]
    numbers: Set[Keys] = frozenset()
    origins: Mapping[Keys, Keys] = msgspec.field(default_factory=dict)
    written: Mapping[Keys, str] = msgspec.field(default_factory=dict)

    def error(self, keys: Keys, problem: str, hint: str = "") -> ConfigError:
        """Build the error for what stands at a key path, with its file and line."""
        at = keys
        while at and at not in self.lines:
            at = at[:-1]
        problem, hint = (
            as_written(self.without_included(text, keys), self.origins) for text in (problem, hint)
        )
        place = f"{self.file}:{self.lines.get(at, 1)}"
        return ConfigError(f"{place}: {shortened(problem)}", hint, keys)

    def without_included(self, text: str, keys: Keys = ()) -> str:
        """Put what the file writes in place of included values: they may be secrets."""
        for at, written in self.written.items():
            if at[: len(keys)] == keys and (value := self.texts.get(at, "")):
                text = text.replace(repr(value), repr(written))
                if len(value) >= SHORTEST_SECRET:
                    pattern = rf"(?<!\w){re.escape(value)}(?!\w)"
                    text = re.sub(pattern, written.replace("\\", r"\\"), text)
        return text


def as_written(text: str, origins: Mapping[Keys, Keys]) -> str:
    """Name the keys in a text as the file does; what is in quotes is a value and stays.

    A key of one word, such as `region`, is a word of any text too: it is a key at its beginning.
    """
    words = {dotted(target): dotted(source) for target, source in origins.items()}
    if not words:
        return text
    longest_first = sorted(words, key=len, reverse=True)
    keys = "|".join(
        re.escape(word) if "." in word else rf"\A{re.escape(word)}(?= is )"
        for word in longest_first
    )
    pattern = rf"{_VALUE}|(?<![\w.])(?P<key>{keys})(?!\w)"
    return re.sub(pattern, lambda match: words.get(match["key"], match[0]), text)


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
    reader = _Reader(file)
    return Tree(file, reader.mapping(node, ()), reader.lines, reader.texts, reader.numbers)


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
    """Walks the composed nodes of one file, collecting lines and texts."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[Keys, int] = {}
        self.texts: dict[Keys, str] = {}
        self.numbers: set[Keys] = set()
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
                return [self._item(item, (*keys, i)) for i, item in enumerate(node.value)]
            return self._scalar(node, keys)
        finally:
            self._open.discard(id(node))

    def _item(self, node: yaml.Node, keys: Keys) -> object:
        self.lines[keys] = node.start_mark.line + 1
        return self.value(node, keys)

    def mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, (key_node, value_node) in self._pairs(node, keys).items():
            here = (*keys, key)
            self.lines[here] = key_node.start_mark.line + 1
            result[key] = self.value(value_node, here)
        return result

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
        self.texts[keys] = text
        if node.tag == _TAG + "bool":
            return text.lower() in ("true", "yes", "on")
        if node.tag in _NUMBER_TAGS:
            self.numbers.add(keys)
        if node.tag in _TEXT_TAGS:
            return text
        raise self._error(node, "a tag, which begins with !, is not allowed here.", _QUOTES)


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


def map_texts(value: object, change: Callable[[str], Any]) -> Any:  # noqa: ANN401 - what it was
    """Change each text in mappings and lists; tuples become lists."""
    if isinstance(value, Mapping):
        return {key: map_texts(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_texts(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def bare_words(tree: Tree, keys: Keys, value: object) -> Iterator[ConfigError]:
    """Find each yes, no, on and off that stands without quotes in what stands at `keys`."""
    text = tree.texts.get(keys, "")
    if isinstance(value, bool) and text.lower() not in ("true", "false"):
        meant = "true" if value else "false"
        yield tree.error(
            keys,
            f"{dotted(keys)} is {text}, which YAML reads as {meant}.",
            f"Write {meant}, or put the word in quotes: '{text}'.",
        )
    for key, item in items(value):
        yield from bare_words(tree, (*keys, key), item)
