"""Values that a config refers to: `${env:X}`, `${ssm:/path}` and the like.

Owns how each kind is written, where a config has references, and the error for a value that cannot
be read, with file and line. It reads variables and files; values of AWS come from the caller's
`Reader`.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from kappa.config.error_list import raise_all
from kappa.config.files import expand_home, read_file
from kappa.config.merge import dig
from kappa.config.tree import Keys, Tree, dotted, is_text, texts_in
from kappa.config.uses import Uses
from kappa.config.values import (
    Included,
    fill_text,
    is_local,
    is_reference_at,
    names_in,
    references_in,
)
from kappa.errors import AwsError, ConfigError, KappaError

# By kind: the pattern of what follows it, and how an error describes that.
_FORMS = {
    "env": (r"[A-Za-z_][A-Za-z0-9_]*", "NAME, a variable of the environment"),
    "ssm": (r"[A-Za-z0-9_.:/-]+", "/PATH, a parameter of Systems Manager"),
    "secret": (r"[A-Za-z0-9/_+=.@:-]+(#[^#\"\\]+)?", "ID or ID#KEY, a secret of Secrets Manager"),
    "cf": (r"[A-Za-z0-9:/-]+\.[A-Za-z0-9]+", "STACK.OUTPUT, an output of a CloudFormation stack"),
    "file": (r".+", "PATH, a file beside the config"),
}
_ALMOST = re.compile(r"\$\{([A-Za-z]+):(?!-)")
_ALSO = {"cfn": "cf", "cloudformation": "cf", "secretsmanager": "secret", "sms": "ssm"}


class Value(msgspec.Struct, frozen=True):
    """A value that was read. A secret is never printed."""

    text: str
    is_secret: bool = False


class NoValue(ConfigError):
    """What a reference names does not exist. Its default, if it has one, is used instead."""


Answer = Value | KappaError
# Reads the named values, side by side.
Ask = Callable[[Collection[str]], Mapping[str, Answer]]
# The same, for the region and the profile that the config names, or "".
Reader = Callable[[Collection[str], str, str], Mapping[str, Answer]]


class Occurrence(NamedTuple):
    """A reference in a config or document, and how to build an error about it."""

    keys: Keys
    name: str
    has_default: bool
    error: Callable[[str, str], ConfigError]


def read_references(
    tree: Tree,
    included: Included,
    uses: Uses,
    later: Callable[[Keys], Set[str]],
    read: Reader | None,
) -> dict[str, Value]:
    """Read the references that stand where a command uses the config, those of AWS with `read`.

    Raises: ConfigError, for what does not exist or cannot be a reference; AwsError, if AWS refuses.
    """
    places = list(_occurrences(tree, included.values, later))
    if not places:
        return {}
    raise_all([error for place in places for error in malformed(place)])
    used = [place for place in places if uses(place.keys)]
    local = [place for place in used if is_local(place.name)]
    values = checked(local, read_local({place.name for place in local}, tree.file.parent))
    remote = [place for place in used if not is_local(place.name)]
    if remote and read is not None:
        texts = {**included.values, **{name: value.text for name, value in values.items()}}
        region, profile = (_of_account(tree, key, texts) for key in ("region", "profile"))
        answers = read(dict.fromkeys(place.name for place in remote), region, profile)
        values |= checked(remote, answers)
    raise_all([_in_description(place) for place in used if _shows(place, values)])
    return values


def _shows(place: Occurrence, values: Mapping[str, Value]) -> bool:
    """Whether a place that AWS shows to everyone who may list functions has a secret."""
    value = values.get(place.name)
    return place.keys[-1] == "description" and value is not None and value.is_secret


def _in_description(place: Occurrence) -> ConfigError:
    problem = f"{dotted(place.keys)} has the secret ${{{place.name}}}, and AWS shows descriptions."
    return place.error(problem, "Take it out of the description.")


def _occurrences(
    tree: Tree, values: Mapping[str, str], later: Callable[[Keys], Set[str]]
) -> Iterator[Occurrence]:
    for keys, text in texts_in(tree.data):
        if "${" in text and keys[0] != "include":
            error = partial(tree.error, keys)
            for reference in references_in(text, values, in_document=bool(later(keys))):
                yield Occurrence(keys, *reference, error)


def malformed(place: Occurrence) -> Iterator[ConfigError]:
    """Find what is wrong with a reference as it is written."""
    kind, _, rest = place.name.partition(":")
    form, words = _FORMS[kind]
    as_text = f"For this very text, write ${{dollar_sign:-$}}{{{place.name}}}."
    if missing := names_in(rest):
        problem = f"${{{min(missing)}}} in ${{{place.name}}} has no value."
        yield place.error(problem, "Add it to a file that `include:` names.")
    elif not re.fullmatch(form, rest):
        problem = f"${{{place.name}}} is not a reference: {kind}: takes {words}."
        yield place.error(problem, as_text)
    elif not is_local(place.name) and _decides_what_to_ask(place.keys):
        problem = f"{dotted(place.keys)} cannot come from AWS: it decides where or what to ask."
        yield place.error(problem, "Use an included value or ${env:NAME}.")


def remarks(tree: Tree, later: Callable[[Keys], Set[str]]) -> list[str]:
    """Note texts that look like references with a mistyped kind or no end. They stay text."""
    notes: list[str] = []
    for keys, text in texts_in(tree.data):
        for match in _ALMOST.finditer(text) if not later(keys) else ():
            if problem := _almost(text, match):
                notes.append(tree.error(keys, problem).message)
    return notes


def _almost(text: str, match: re.Match[str]) -> str:
    kind, word = match[1], match[1].lower()
    if kind in _FORMS:
        if is_reference_at(text, match.start()):
            return ""
        return f"{match[0]} is taken as plain text: what follows is empty, or ends without }}."
    near = get_close_matches(_ALSO.get(word, word), _FORMS, 1, cutoff=0.75)
    if not near:
        return ""
    return f"{match[0]}...}} is taken as plain text. Did you mean ${{{near[0]}:...}}?"


def _decides_what_to_ask(keys: Keys) -> bool:
    names: tuple[Keys, ...] = (("profile",), ("region",), ("name",), ("lambda", "name"))
    return keys in names or (keys[:1] == ("environments",) and keys[2:] in names[:2])


def _of_account(tree: Tree, key: str, values: Mapping[str, str]) -> str:
    """Fill in the config's region or profile; in the layout of 0.7 they are an environment's."""
    sections = dig(tree.data, ("environments",))
    first = next(iter(sections)) if isinstance(sections, dict) and sections else ""
    at: Keys = ("environments", first, key)
    keys = at if dig(tree.data, at) is not None else (key,)
    text = dig(tree.data, keys)
    if not isinstance(text, str):
        return ""
    return fill_text(text, values, partial(tree.error, keys))


def read_local(names: Iterable[str], folder: Path) -> dict[str, Answer]:
    """Read variables of the environment, and files relative to the folder; no others."""
    return {name: _read_local(name, folder) for name in names if is_local(name)}


def _read_local(reference: str, folder: Path) -> Answer:
    kind, _, name = reference.partition(":")
    if kind == "file":
        return _read_file(folder / expand_home(name))
    text = os.environ.get(name)
    if text is None:
        return NoValue(f"the environment variable {name} is not set.", "Set it.")
    return Value(text) if is_text(text) else ConfigError(f"the variable {name} is not UTF-8.")


def _read_file(file: Path) -> Answer:
    try:
        text = read_file(file).decode("utf-8")
    except FileNotFoundError:
        return NoValue(f"there is no file {file}.", "Create it, or correct the path.")
    except OSError as error:
        return ConfigError(f"{file}: {error.strerror}.")
    except UnicodeDecodeError:
        return ConfigError(f"{file} is not a text in UTF-8.")
    # As a shell does with the output of `cat`.
    return Value(text.removesuffix("\n").removesuffix("\r"))


def checked(places: Iterable[Occurrence], answers: Mapping[str, Answer]) -> dict[str, Value]:
    """Select the values; one that does not exist is empty, so that its default is used.

    Raises: ConfigError or AwsError, with file and line of each place without a value.
    """
    values: dict[str, Value] = {}
    wrong: list[ConfigError] = []
    refused: list[AwsError] = []
    for place in places:
        answer = answers[place.name]
        if isinstance(answer, Value):
            values[place.name] = answer
        elif isinstance(answer, NoValue) and place.has_default:
            values[place.name] = Value("")
        else:
            error = _placed(place, answer)
            (refused if isinstance(error, AwsError) else wrong).append(error)  # type: ignore[arg-type]
    raise_all(wrong)
    if refused:
        raise _together(refused)
    return values


def _placed(place: Occurrence, error: KappaError) -> KappaError:
    """Word what went wrong for its place. Errors of AWS keep their type, and so their exit code."""
    hint = error.hint
    if isinstance(error, NoValue):
        hint = f"{hint} Or give a default: ${{{place.name}:-...}}.".strip()
    at_place = place.error(f"${{{place.name}}} has no value: {error.message}", hint)
    if isinstance(error, ConfigError):
        return at_place
    same_kind = copy.copy(error)
    same_kind.message, same_kind.args = at_place.message, (at_place.message,)
    return same_kind


def _together(errors: list[AwsError]) -> AwsError:
    """Make one error of several. Without credentials or a network, the first one is enough."""
    first = errors[0]
    if first.code:
        shown = dict.fromkeys(error.message for error in errors if error.code)
        first.message = "\n".join(shown)
        first.args = (first.message,)
    return first
