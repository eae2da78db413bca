"""Read the files that `include:` names: the values of `${name}`.

Owns `include:`, YAML and .env files, and the hint that an included file may carry: a comment line
`# hint: ...`, shown where one of its values is missing. It must not know any other key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from kappa.config.files import exists, expand_home
from kappa.config.inputs import depends_on
from kappa.config.tree import Keys, Text, Tree, read_source, read_tree

_VARIABLE = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_HINT = re.compile(r"^# hint: (.+)$", re.MULTILINE)


class Included(NamedTuple):
    """The values of the included files, and their hint: how to get those that are missing.

    `files` names the file of each value. `has_dotenv`: variables of the environment go before
    values, since a .env file is among the included ones, even if it does not exist.
    """

    values: Mapping[str, str] = {}
    hint: str = ""
    files: Mapping[str, str] = {}
    has_dotenv: bool = False


def read_included(tree: Tree) -> Included:
    """Read the values of the files that `include:` names, none without an include.

    Of a value in several files, the last one counts. A path that ends in ? may be missing.
    Raises: ConfigError, if a path's environment variable is not set or a file is missing or wrong.
    """
    values: dict[str, str] = {}
    files: dict[str, str] = {}
    hint, has_dotenv = "", False
    for keys, path in _paths(tree):
        file = _path(tree, keys, path.removesuffix("?"))
        has_dotenv = has_dotenv or is_dotenv(file)
        depends_on(file)
        if not exists(file):
            if path.endswith("?"):
                continue
            problem = f"the included file {file} does not exist."
            advice = f"Create it, correct the path, or write `{path}?` if it may be missing."
            raise tree.error(keys, problem, advice)
        content = read_source(file)
        given = (_of_dotenv if is_dotenv(file) else _of_yaml)(content, file)
        values |= given
        files |= dict.fromkeys(given, str(file))
        hint = hint or _hint(content)
    return Included(values, hint, files, has_dotenv)


def _paths(tree: Tree) -> Iterator[tuple[Keys, str]]:
    include = tree.data.get("include")
    paths = include if isinstance(include, list) else [] if include is None else [include]
    for number, path in enumerate(paths):
        keys: Keys = ("include", number) if isinstance(include, list) else ("include",)
        if not isinstance(path, Text) or not path.removesuffix("?"):
            raise tree.error(keys, "include must be the path of a YAML or .env file, or a list.")
        yield keys, path


def is_dotenv(file: Path) -> bool:
    """Whether a file's name is one of a .env file: .env, .env.prod, prod.env."""
    return file.suffix == ".env" or file.name == ".env" or file.name.startswith(".env.")


def _of_dotenv(content: bytes, file: Path) -> dict[str, str]:
    from kappa.config import dotenv

    return dotenv.parse(content, file)


def _of_yaml(content: bytes, file: Path) -> dict[str, str]:
    """Read a YAML file's scalars at the top; a list of scalars is one text, "a, b"."""
    values = {}
    for name, value in read_tree(file, content).data.items():
        texts = [text for text in (value if isinstance(value, list) else [value]) if text]
        if texts and all(isinstance(text, Text) for text in texts):
            values[str(name)] = ", ".join(texts)
    return values


def _hint(content: bytes) -> str:
    match = _HINT.search(content.decode("utf-8", "replace"))
    hint = match[1].strip() if match else ""
    return hint if not hint or hint.endswith((".", "!", "?")) else f"{hint}."


def _path(tree: Tree, keys: Keys, include: str) -> Path:
    """Fill in variables of the environment; such a path may be relative to the working folder."""
    from_environment = False

    def fill(match: re.Match[str]) -> str:
        nonlocal from_environment
        value = os.environ.get(match[1], "")
        if value:
            from_environment = True
            return value
        if match[2] is None:
            raise tree.error(keys, f"the environment variable {match[1]} is not set.")
        return match[2]

    path = expand_home(_VARIABLE.sub(fill, include))
    if not from_environment:
        return tree.file.parent / path
    default = tree.file.parent / _VARIABLE.sub(lambda match: match[2] or "", include)
    from_here, beside_default = Path.cwd() / path, default.parent / path
    depends_on(from_here)
    is_ours = exists(from_here) and from_here.resolve() != tree.file.resolve()
    return beside_default if not is_ours and exists(beside_default) else from_here
