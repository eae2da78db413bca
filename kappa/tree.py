"""Read YAML into plain values that remember their line and their text; fill in `${name}`.

Owns everything about text: syntax, duplicate keys, `include:` and `${name}`. It must not know
what any key of a kappa config means, except `include`.

Scalars stay text, apart from booleans and nulls, so that a value is read as its key wants it:
an account number keeps its leading zero, an environment variable its `1.10`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from kappa.errors import ConfigError
from kappa.regular import read_bytes

Keys = tuple[str | int, ...]

STACK_OUTPUTS = frozenset(
    {
        "sns_topic_arn",
        "website_iam_role_arn",
        "identity_iam_role_arn",
        "failures_topic_arn",
        "dynamodb_table",
        "dynamodb_table_arn",
        "dynamodb_stream_arn",
        "rate_table",
        "rate_table_arn",
    }
)
_VALUE = re.compile(r"\$\{([a-z][a-z0-9_]*)(?::-([^}]*))?\}")
_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_TAG = "tag:yaml.org,2002:"
_NUMBER_TAGS = frozenset((_TAG + "int", _TAG + "float"))
_TEXT_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "timestamp"))
_MAX_NODES = 20_000


@dataclass(frozen=True)
class Tree:
    """A YAML file's values. `lines` and `texts` tell of each key path where and how it is written.

    `numbers` are the paths of what is written as a number, for values that become JSON.

    Shape: the path of the first event source's ARN is ("lambda", "event_sources", 0, "arn").
    """

    file: Path
    data: dict[str, Any]
    lines: Mapping[Keys, int]
    texts: Mapping[Keys, str]
    numbers: Set[Keys] = frozenset()

    def error(self, keys: Keys, problem: str, hint: str = "") -> ConfigError:
        """Build the error for what stands at a key path, with its file and line."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return ConfigError(f"{self.file}:{self.lines.get(keys, 1)}: {problem}", hint)


def dotted(keys: Keys) -> str:
    """Write a key path for people: lambda.event_sources[0].arn."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".") or "the file"


def read_tree(file: Path) -> Tree:
    """Read one YAML file as it stands.

    Raises: ConfigError, if it cannot be read, is not YAML, repeats a key or is no mapping.
    """
    try:
        node = yaml.compose(read_bytes(file), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}.", "Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _syntax_error(file, error) from error
    except RecursionError as error:
        raise ConfigError(f"{file}: nested too deeply.") from error
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{file}:1: the file must hold `key: value` lines.")
    reader = _Reader(file)
    return Tree(file, reader.mapping(node, ()), reader.lines, reader.texts, reader.numbers)


def _syntax_error(file: Path, error: Exception) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable"
    return ConfigError(f"{file}:{line}: not valid YAML: {problem}.")


class _Reader:
    """Walks the composed nodes of one file, collecting lines and texts."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[Keys, int] = {}
        self.texts: dict[Keys, str] = {}
        self.numbers: set[Keys] = set()
        self._open: set[int] = set()
        self._count = 0

    def _error(self, node: yaml.Node, problem: str) -> ConfigError:
        return ConfigError(f"{self.file}:{node.start_mark.line + 1}: {problem}")

    def value(self, node: yaml.Node, keys: Keys) -> object:
        self._count += 1
        if id(node) in self._open or self._count > _MAX_NODES:
            raise self._error(node, "an alias repeats too much.")
        self._open.add(id(node))
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
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise self._error(key_node, "a key must be a plain word.")
            here = (*keys, key)
            if key in result:
                first = self.lines[here]
                raise self._error(key_node, f"{dotted(here)} is given twice (first: line {first}).")
            self.lines[here] = key_node.start_mark.line + 1
            result[key] = self.value(value_node, here)
        return result

    def _scalar(self, node: yaml.Node, keys: Keys) -> object:
        text = str(node.value)
        if node.tag == _TAG + "null":
            return None
        self.texts[keys] = text
        if node.tag == _TAG + "bool":
            return text.lower() in ("true", "yes", "on")
        if node.tag in _NUMBER_TAGS:
            self.numbers.add(keys)
        if node.tag in _TEXT_TAGS:
            return text
        raise self._error(node, f"the tag {node.tag.replace(_TAG, '!!')} is not allowed here.")


def read_values(tree: Tree) -> dict[str, str]:
    """Read the scalars of the file that `include:` names, none without an include.

    A list of scalars is one text, "a, b": left out, it would look like a key that is not there.

    Raises: ConfigError, if the path's environment variable is not set or the file is missing.
    """
    include = tree.data.get("include")
    if include is None:
        return {}
    if not isinstance(include, str) or not include:
        raise tree.error(("include",), "include must be the path of a YAML file.")
    included = _include_path(tree, include)
    if not included.exists():
        raise tree.error(
            ("include",),
            f"the included file {included} does not exist.",
            "Make it (its example may stand beside it), or correct the path.",
        )
    values: dict[str, list[str]] = {}
    for keys, text in read_tree(included).texts.items():
        if len(keys) == 1 or (len(keys) == 2 and isinstance(keys[1], int)):
            values.setdefault(str(keys[0]), []).append(text)
    return {name: ", ".join(texts) for name, texts in values.items()}


def _include_path(tree: Tree, include: str) -> Path:
    from_environment = False

    def fill(match: re.Match[str]) -> str:
        nonlocal from_environment
        value = os.environ.get(match[1], "")
        if value:
            from_environment = True
            return value
        if match[2] is None:
            raise tree.error(("include",), f"the environment variable {match[1]} is not set.")
        return match[2]

    path = Path(_ENVIRONMENT.sub(fill, include)).expanduser()
    return Path.cwd() / path if from_environment else tree.file.parent / path


def fill_tree(
    tree: Tree,
    values: Mapping[str, str],
    local: Callable[[Keys], Mapping[str, str]] = lambda _: {},
) -> Tree:
    """Put the included values in place of `${name}` everywhere but in `include` itself.

    `local` gives what else has a value at a place, unless it is included.
    Raises: ConfigError, if a name is missing, empty or TODO and has no default.
    """
    texts = dict(tree.texts)

    def fill(value: object, keys: Keys) -> object:
        if isinstance(value, dict):
            return {key: fill(item, (*keys, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, (*keys, i)) for i, item in enumerate(value)]
        if not isinstance(value, str) or keys == ("include",):
            return value
        here = {**local(keys), **values}
        filled = fill_text(value, here, lambda problem, hint: tree.error(keys, problem, hint))
        texts[keys] = filled
        return _plain(filled) if _VALUE.fullmatch(value) else filled

    data = {key: fill(value, (key,)) for key, value in tree.data.items()}
    return replace(tree, data=data, texts=texts)


def _plain(text: str) -> object:
    return text == "true" if text in ("true", "false") else text


def fill_text(
    text: str, values: Mapping[str, str], error: Callable[[str, str], ConfigError]
) -> str:
    """Put the included values in place of `${name}` and `${name:-default}` in one text.

    IAM's own variables, such as `${aws:username}`, have other characters and are left alone.
    """

    def one(match: re.Match[str]) -> str:
        value = values.get(match[1], "")
        if value and value != "TODO":
            return value
        if match[2] is not None:
            return match[2]
        raise error(
            f"${{{match[1]}}} has no value.",
            f"Run `{_stack_command()} output --save`."
            if match[1] in STACK_OUTPUTS
            else f"Add `{match[1]}:` to the YAML file that `include:` names.",
        )

    return _VALUE.sub(one, text)


def _stack_command() -> str:
    """Name resources.py as it is typed from here: it lies in this folder or above."""
    here = Path.cwd()
    for up, folder in enumerate((here, *here.parents)):
        if (folder / "resources.py").is_file():
            return "/".join([*([".."] * up or ["."]), "resources.py"])
    return "./resources.py"
