"""Fill in `${name}`: the values of the file that `include:` names, and where they go.

Owns `include:`, `${name}` and `${name:-default}`, and the hint that an included file may carry: a
comment line `# hint: ...`, shown where one of its values is missing. Each text is filled in once:
what a value holds is never looked at again. It must not know any other key of a kappa config.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from kappa.config.error_list import raise_all
from kappa.config.files import exists, expand_home
from kappa.config.inputs import depends_on
from kappa.config.tree import Keys, Tree, read_source, read_tree
from kappa.errors import ConfigError

_VALUE = re.compile(r"\$\{([a-z][a-z0-9_]*)(?::-([^}]*))?\}")
# Fills in to a dollar sign, so that what follows it is not read as a name.
_DOLLAR = "${dollar_sign:-$}"
_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_HINT = re.compile(r"^# hint: (.+)$", re.MULTILINE)


class Included(NamedTuple):
    """The values of an included file, and its hint: how to get those that are missing."""

    values: Mapping[str, str]
    hint: str = ""


def read_values(tree: Tree) -> Included:
    """Read the scalars of the file that `include:` names, none without an include.

    A list of scalars is one text, "a, b": left out, it would look like a key that is not there.

    Raises: ConfigError, if the path's environment variable is not set or the file is missing.
    """
    include = tree.data.get("include")
    if include is None:
        return Included({})
    if not isinstance(include, str) or not include:
        raise tree.error(("include",), "include must be the path of a YAML file.")
    included = _include_path(tree, include)
    depends_on(included)
    if not exists(included):
        raise tree.error(
            ("include",),
            f"the included file {included} does not exist.",
            "Create it, or correct the path.",
        )
    content = read_source(included)
    values: dict[str, list[str]] = {}
    for keys, text in read_tree(included, content).texts.items():
        if len(keys) == 1 or (len(keys) == 2 and isinstance(keys[1], int)):
            values.setdefault(str(keys[0]), []).append(text)
    hint = _HINT.search(content.decode("utf-8", "replace"))
    return Included(
        {name: ", ".join(texts) for name, texts in values.items()}, hint[1].strip() if hint else ""
    )


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

    path = expand_home(_ENVIRONMENT.sub(fill, include))
    if not from_environment:
        return tree.file.parent / path
    default = tree.file.parent / _ENVIRONMENT.sub(lambda match: match[2] or "", include)
    from_here, beside_default = Path.cwd() / path, default.parent / path
    depends_on(from_here)
    is_ours = exists(from_here) and from_here.resolve() != tree.file.resolve()
    return beside_default if not is_ours and exists(beside_default) else from_here


def fill_tree(
    tree: Tree,
    values: Mapping[str, str],
    later: Callable[[Keys], Set[str]] = lambda _: frozenset(),
    hint: str = "",
) -> Tree:
    """Put the included values in place of `${name}` everywhere but in `include` itself.

    `later` gives the names that are left at a place; that and `hint` are fill_text()'s.
    Raises: ConfigError, if a name is missing, empty or TODO and has no default.
    """
    texts, written = dict(tree.texts), dict(tree.written)
    errors: list[ConfigError] = []

    def fill(value: object, keys: Keys) -> object:
        if isinstance(value, dict):
            return {key: fill(item, (*keys, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, (*keys, i)) for i, item in enumerate(value)]
        if not isinstance(value, str) or keys == ("include",):
            return value

        def error(problem: str, hint: str) -> ConfigError:
            return tree.error(keys, problem, hint)

        try:
            filled = fill_text(value, values, error, later(keys), hint)
        except ConfigError as lacking:
            errors.append(lacking)
            return value
        texts[keys] = filled
        if filled != value:
            written[keys] = value
        return _plain(filled) if _VALUE.fullmatch(value) else filled

    data = {key: fill(value, (key,)) for key, value in tree.data.items()}
    raise_all(errors)
    return replace(tree, data=data, texts=texts, written=written)


def _plain(text: str) -> object:
    return text == "true" if text in ("true", "false") else text


def fill_text(
    text: str,
    values: Mapping[str, str],
    error: Callable[[str, str], ConfigError],
    later: Set[str] = frozenset(),
    hint: str = "",
) -> str:
    """Put the included values in place of `${name}` and `${name:-default}` in one text.

    IAM's own variables, such as `${aws:username}`, have other characters and are left alone. So
    are the names of `later`, for which the text is filled once more; what is put in now is
    written so that it comes out of that as it is. `hint` says how to get a value that is missing.
    """

    def put(value: str) -> str:
        return value.replace("${", f"{_DOLLAR}{{") if later else value

    def fill(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name in later or match[0] == _DOLLAR:
            return match[0] if later else str(default)
        if is_given(values, name):
            return put(values[name])
        if default is not None:
            return put(default)
        add = f"Add `{name}:` to the YAML file that `include:` names."
        advice = f"{hint} Or add `{name}:` to the included file." if hint else add
        raise error(f"${{{name}}} has no value.", advice)

    return _VALUE.sub(fill, text)


def is_given(values: Mapping[str, str], name: str) -> bool:
    """Whether a name has a value; a template's TODO is not one."""
    return values.get(name, "") not in ("", "TODO")


def names_in(text: str) -> set[str]:
    """Name the values that a text asks for: ${name} and ${name:-default}."""
    return {match[1] for match in _VALUE.finditer(text)}


def unfilled(text: str) -> str:
    """Write a text so that it comes out of fill_text() as it is."""
    return _VALUE.sub(lambda match: _DOLLAR + match[0][1:], text)
