"""Fill in `${name}`: the values of the files that `include:` names, and where they go.

Owns `include:`, `${name}` and `${name:-default}`, and the hint that an included file may carry: a
comment line `# hint: ...`, shown where one of its values is missing. Each text is filled in once:
what a value holds is never looked at again. It must not know any other key of a kappa config.
A reference such as `${ssm:/path}` is filled in like a name; references.py reads its value.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from kappa.config.error_list import raise_all
from kappa.config.files import exists, expand_home
from kappa.config.inputs import depends_on
from kappa.config.tree import Keys, Tree, read_source, read_tree
from kappa.errors import ConfigError

# What a reference is to.
KINDS = ("env", "ssm", "secret", "cf", "file")
# Those that need no AWS.
_LOCAL = frozenset({"env", "file"})
_NAME = "[a-z][a-z0-9_]*"
_ANY_NAME = "[A-Za-z_][A-Za-z0-9_]*"
# A reference may have names in it, such as ${ssm:/${environment}/token}.
_NAME_WITHIN = rf"\$\{{{_NAME}\}}"
_REFERENCE = rf"(?:{'|'.join(KINDS)}):(?:{_NAME_WITHIN}|(?!:-)[^{{}}\n])+"


def _in_braces(names: str) -> re.Pattern[str]:
    """Match ${name} and ${name:-default}."""
    return re.compile(rf"\$\{{({names})(?::-([^}}]*))?\}}")


_VALUE = _in_braces(f"{_NAME}|{_REFERENCE}")
# Names of a .env file may have capitals. Others have not: ${TOKEN} is also pip's, for example.
_ANY_VALUE = _in_braces(f"{_ANY_NAME}|{_REFERENCE}")
# A reference, or what looks like one; ${name:-default} does not.
_LIKE_REFERENCE = re.compile(r"\$\{[A-Za-z]+:(?!-)")
# Fills in to a dollar sign, so that what follows it is not read as a name.
_DOLLAR = "${dollar_sign:-$}"
_ENVIRONMENT = _in_braces(_ANY_NAME)
_HINT = re.compile(r"^# hint: (.+)$", re.MULTILINE)


class Included(NamedTuple):
    """The values of the included files, and their hint: how to get those that are missing.

    `files` names the file of each value.
    """

    values: Mapping[str, str]
    hint: str = ""
    files: Mapping[str, str] = {}


def read_values(tree: Tree) -> Included:
    """Read the values of the files that `include:` names, none without an include.

    Of a value in several files, the last one counts.
    Raises: ConfigError, if a path's environment variable is not set or a file is missing or wrong.
    """
    include = tree.data.get("include")
    if include is None:
        return Included({})
    places: list[tuple[Keys, object]] = [(("include",), include)]
    if isinstance(include, list):
        places = [(("include", number), path) for number, path in enumerate(include)]
    values: dict[str, str] = {}
    files: dict[str, str] = {}
    hints: list[str] = []
    for keys, path in places:
        if not isinstance(path, str) or not path:
            raise tree.error(keys, "include must be the path of a YAML or .env file, or a list.")
        file = _include_path(tree, keys, path)
        depends_on(file)
        if not exists(file):
            problem = f"the included file {file} does not exist."
            raise tree.error(keys, problem, "Create it, or correct the path.")
        content = read_source(file)
        given = (_of_dotenv if is_dotenv(file) else _of_yaml)(content, file)
        values |= given
        files |= dict.fromkeys(given, str(file))
        hints += _HINT.findall(content.decode("utf-8", "replace"))[:1]
    hint = hints[0].strip() if hints else ""
    if hint and not hint.endswith((".", "!", "?")):
        hint += "."
    return Included(values, hint, files)


def is_dotenv(file: Path) -> bool:
    """Whether a file's name is one of a .env file: .env, .env.prod, prod.env."""
    return file.suffix == ".env" or file.name == ".env" or file.name.startswith(".env.")


def _of_dotenv(content: bytes, file: Path) -> dict[str, str]:
    from kappa.config import dotenv

    return dotenv.parse(content, file)


def _of_yaml(content: bytes, file: Path) -> dict[str, str]:
    """Read a YAML file's scalars at the top.

    A list of scalars is one text, "a, b": left out, it would look like a key that is not there.
    """
    values: dict[str, list[str]] = {}
    for keys, text in read_tree(file, content).texts.items():
        if len(keys) == 1 or (len(keys) == 2 and isinstance(keys[1], int)):
            values.setdefault(str(keys[0]), []).append(text)
    return {name: ", ".join(texts) for name, texts in values.items() if _is_usual(name)}


def _include_path(tree: Tree, keys: Keys, include: str) -> Path:
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
    included: Included,
    later: Callable[[Keys], Set[str]] = lambda _: frozenset(),
    others: Callable[[Keys], bool] = lambda _: False,
) -> Tree:
    """Put the included values in place of `${name}` everywhere but in `include` itself.

    `later` gives the names that are left at a place; `others`: another program fills in names with
    capitals there. A text with a reference that has not been read stays as it is written.
    Raises: ConfigError, if a name is missing, empty or TODO and has no default.
    """
    texts, written = dict(tree.texts), dict(tree.written)
    errors: list[ConfigError] = []

    def fill(value: object, keys: Keys) -> object:
        if isinstance(value, dict):
            return {key: fill(item, (*keys, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, (*keys, i)) for i, item in enumerate(value)]
        if not isinstance(value, str) or keys[0] == "include":
            return value
        left = later(keys)
        if is_unread(value, included.values, in_document=bool(left)):
            return value
        error = partial(tree.error, keys)
        try:
            filled = fill_text(
                value, included.values, error, left, included.hint, keeps_capitals=others(keys)
            )
        except ConfigError as lacking:
            errors.append(lacking)
            return value
        texts[keys] = filled
        if filled != value:
            written[keys] = value
        return _plain(filled) if _ANY_VALUE.fullmatch(value) else filled

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
    *,
    keeps_capitals: bool = False,
) -> str:
    """Put the included values in place of `${name}` and `${name:-default}` in one text.

    IAM's own variables, such as `${aws:username}`, have other characters and are left alone. So
    are the names of `later`, for which the text is filled once more; what is put in now is
    written so that it comes out of that as it is. `hint` says how to get a value that is missing.
    A name with capitals is left if no .env file has such names, or if `keeps_capitals`.
    In a text that is JSON, what a reference reads is written as JSON writes a text.
    """
    is_json = _is_json(text)

    def put(value: str) -> str:
        return value.replace("${", f"{_DOLLAR}{{") if later else value

    def fill(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name in later or match[0] == _DOLLAR:
            return match[0] if later else str(default)
        name = with_names(name, values)
        if _is_left(name, values, in_document=bool(later), keeps_capitals=keeps_capitals):
            return match[0]
        if is_reference(name) and values[name]:
            return put(_in_json(values[name]) if is_json else values[name])
        if is_given(values, name):
            return put(values[name])
        if default is not None:
            return put(default)
        raise _without_value(name, error, hint)

    return _ANY_VALUE.sub(fill, text)


def _is_left(
    name: str, values: Mapping[str, str], *, in_document: bool, keeps_capitals: bool
) -> bool:
    """Whether what stands in `${...}` is not ours to fill in, or not yet."""
    if name in values:
        return in_document and _is_iams(name)
    if is_reference(name) or _is_usual(name):
        return is_reference(name)
    return keeps_capitals or all(map(_is_usual, values))


def _without_value(name: str, error: Callable[[str, str], ConfigError], hint: str) -> ConfigError:
    if is_reference(name):
        return error(f"${{{name}}} is empty.", f"Give it a value, or write ${{{name}:-default}}.")
    add = f"{'Or add' if hint else 'Add'} `{name}` to a file that `include:` names."
    return error(f"${{{name}}} has no value.", f"{hint} {add}" if hint else add)


def _is_json(text: str) -> bool:
    if text[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _in_json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def looks_referring(text: str) -> bool:
    """Whether a text may have references, or mistyped ones."""
    return "${" in text and _LIKE_REFERENCE.search(text) is not None


def is_reference(name: str) -> bool:
    """Whether what stands in `${...}` is a reference, such as ssm:/path."""
    return ":" in name


def is_reference_at(text: str, start: int) -> bool:
    """Whether a reference stands at a place of a text."""
    return _VALUE.match(text, start) is not None


def kind_of(reference: str) -> str:
    """The kind of a reference, such as ssm."""
    return reference.partition(":")[0]


def is_local(reference: str) -> bool:
    """Whether AWS is not needed to read a reference."""
    return kind_of(reference) in _LOCAL


def _is_usual(name: str) -> bool:
    """Whether it is a name as YAML files have it; those of .env files may have capitals."""
    return is_reference(name) or (name == name.lower() and name[0] != "_")


def _is_iams(name: str) -> bool:
    """Whether a policy document may mean a variable of IAM's, such as ${ssm:resourceTag/team}."""
    return name.startswith("ssm:") and name[4] != "/"


class Reference(NamedTuple):
    """A reference in a text: its kind and name, such as ssm:/path, and whether it has a default."""

    name: str
    has_default: bool


def references_in(
    text: str, values: Mapping[str, str], *, in_document: bool = False
) -> Iterator[Reference]:
    """Find the references in a text, which may be one of a policy document."""
    for match in _VALUE.finditer(text) if "${" in text else ():
        if is_reference(match[1]) and not (in_document and _is_iams(match[1])):
            yield Reference(with_names(match[1], values), match[2] is not None)


def with_names(reference: str, values: Mapping[str, str]) -> str:
    """Fill in the names within a reference; one without a value stays."""
    if "${" not in reference:
        return reference

    def fill(match: re.Match[str]) -> str:
        name = match[0][2:-1]
        return values[name] if is_given(values, name) else match[0]

    return re.sub(_NAME_WITHIN, fill, reference)


def is_unread(text: str, values: Mapping[str, str], *, in_document: bool = False) -> bool:
    """Whether a text has a reference whose value has not been read."""
    found = references_in(text, values, in_document=in_document)
    return any(reference.name not in values for reference in found)


def is_given(values: Mapping[str, str], name: str) -> bool:
    """Whether a name has a value; a template's TODO is not one."""
    return values.get(name, "") not in ("", "TODO")


def names_in(text: str, values: Mapping[str, str] | None = None) -> set[str]:
    """Name the values that a text asks for: ${name}, ${name:-default} and references.

    With `values` also those whose names only .env files have, and what references resolve to.
    """
    if values is None:
        return {match[1] for match in _VALUE.finditer(text)}
    return {with_names(match[1], values) for match in _ANY_VALUE.finditer(text)}


def unfilled(text: str) -> str:
    """Write a text so that it comes out of fill_text() as it is."""
    return _VALUE.sub(lambda match: _DOLLAR + match[0][1:], text)
