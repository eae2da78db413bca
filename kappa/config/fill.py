"""Fill in `${...}` once: names of included files, references, and what kappa knows itself.

Owns where each value comes from, which must be known, and the error for one that is not, with its
place. It reads variables and files; what AWS has comes from the caller's `Reader`. What a value
holds is never looked at again.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from kappa.config.error_list import raise_all
from kappa.config.files import expand_home, read_file
from kappa.config.include import Included
from kappa.config.references import (
    CALLER,
    ENVIRONMENT,
    REGION,
    Parts,
    Reference,
    asks_aws,
    escaped,
    is_name,
    is_of_iam,
    kind_of,
    meant_by,
    parse,
    problem_of,
)
from kappa.config.tree import Keys, Text, Tree, dotted, is_text, map_texts, texts_in
from kappa.config.uses import Uses
from kappa.errors import AwsError, ConfigError, KappaError

# They decide where AWS is asked, and what the function is called before it is asked.
_ACCOUNT: tuple[Keys, ...] = (("region",), ("profile",))
_NAME: tuple[Keys, ...] = (("name",), ("lambda", "name"))
_AS_TEXT = "For a text with ${ in it, write $${."


class Value(msgspec.Struct, frozen=True):
    """A value that was read. A secret is never printed."""

    text: str
    is_secret: bool = False


class NoValue(ConfigError):
    """What a reference names does not exist. Its default, if it has one, is used instead."""


Answer = Value | KappaError
# Reads the named values side by side, for the region and the profile that the config names, or "".
# It may leave out what it does not know.
Reader = Callable[[Collection[str], str, str], Mapping[str, Answer]]


class Place(NamedTuple):
    """A text that may have references: its key path, and how to build an error about it.

    `is_document`: it stands in a policy document, where IAM's variables stay.
    """

    keys: Keys
    text: str
    error: Callable[[str, str], ConfigError]
    is_document: bool = False


class Filled(msgspec.Struct):
    """What became of a text: `text` is None, if a value in it is not known.

    `shown`: the text with only those values that kappa knows itself. `wanted`: names to be read.
    """

    text: str | None
    shown: str
    wanted: set[str]
    errors: list[KappaError]
    is_secret: bool = False

    def as_text(self, line: int) -> Text:
        """What stands in the config in its place."""
        if self.text is None:
            return Text(self.shown, line, is_filled=False)
        return Text(self.text, line, written=self.shown)


class Values:
    """What names and references stand for, as far as it has been read."""

    def __init__(
        self, folder: Path, included: Included | None = None, environment: str = ""
    ) -> None:
        self._folder, self._included = folder, included or Included()
        self._environment = environment
        self._answers: dict[str, Answer] = {}
        self.hint = self._included.hint
        self.secrets: dict[str, str] = {}

    def add(self, answers: Mapping[str, Answer]) -> None:
        """Keep what has been read."""
        self._answers.update(answers)
        for name, answer in answers.items():
            if isinstance(answer, Value) and answer.is_secret:
                self.secrets[answer.text] = f"${{{name}}}"

    def is_own(self, name: str) -> bool:
        """Whether kappa knows a value itself. An included file may give a region, no account.

        --env decides what is changed or deleted: an included value never does.
        """
        if name == ENVIRONMENT:
            return bool(self._environment)
        return name in CALLER or (name == REGION and not self._included.values.get(REGION))

    def source_of(self, name: str) -> str:
        """Where a value is from: the kind of a reference, or the path of an included file."""
        if is_name(name):
            return "" if self.is_own(name) else self._included.files.get(name, "")
        return kind_of(name)

    def names(self) -> set[str]:
        """Each name that may have a value."""
        own = [ENVIRONMENT] if self._environment else []
        return {*self._included.values, *own, *CALLER, REGION}

    def get(self, name: str) -> Answer | None:
        """The value of a name or reference, or why it has none; None: it has not been read."""
        if self.is_own(name):
            own = Value(self._environment) if name == ENVIRONMENT else None
            return own or self._answers.get(name)
        if is_name(name):
            text = self._of_name(name)
            return NoValue("") if text in (None, "", "TODO") else Value(str(text))
        if problem := problem_of(name):
            return ConfigError(problem)
        if name not in self._answers and not asks_aws(name):
            self._answers[name] = _read_local(name, self._folder)
        return self._answers.get(name)

    def _of_name(self, name: str) -> str | None:
        """The value of an included name; beside a .env file the environment's wins."""
        included = self._included
        if included.has_dotenv and name in os.environ:
            return os.environ[name]
        return included.values.get(name)


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


def fill_tree(
    tree: Tree,
    values: Values,
    uses: Uses,
    in_document: Callable[[Keys], bool],
    read: Reader | None,
) -> Tree:
    """Fill in a tree's texts, apart from `include`.

    A text with a value that is not known stays as it is written: AWS is not asked for what the
    command does not use.
    Raises: ConfigError, for a value that is needed and cannot be given; AwsError, if AWS refuses.
    """
    places = [
        Place(keys, text, partial(tree.error, keys), in_document(keys))
        for keys, text in texts_in(tree.data)
        if "${" in text and keys[0] != "include"
    ]
    if not places:
        return tree

    def ask(names: Collection[str]) -> Mapping[str, Answer]:
        if read is None:
            return {}
        return read(
            names, _of_account(tree, "region", filled), _of_account(tree, "profile", filled)
        )

    filled = {place.keys: evaluate(place, values) for place in places}
    raise_all([_decides(place) for place in places if _cannot_ask(place, filled[place.keys])])
    filled = fill_places(places, values, uses, ask, filled)
    raise_all([_nameless(place) for place in places if _lacks_name(place, filled[place.keys])])

    def put(keys: Keys, text: str) -> str:
        result, line = filled.get(keys), text.line if isinstance(text, Text) else 1
        return text if result is None else result.as_text(line)

    return replace(tree, data=map_texts(tree.data, put))


def fill_places(
    places: Sequence[Place],
    values: Values,
    uses: Uses,
    ask: Callable[[Collection[str]], Mapping[str, Answer]],
    filled: dict[Keys, Filled],
) -> dict[Keys, Filled]:
    """Fill in texts with what `ask` answers, as far as they need it. `filled`: what is so far.

    Raises: ConfigError or AwsError, for each place that the command uses and that has an error.
    """
    used = [place for place in places if uses(place.keys)]
    asked: set[str] = set()
    while True:
        _raise_errors([error for place in used for error in filled[place.keys].errors])
        local = {
            name for place in places for name in filled[place.keys].wanted if not asks_aws(name)
        }
        remote = (
            {name for place in used for name in filled[place.keys].wanted} if uses.asks else set()
        )
        if not (wanted := (local | remote) - asked):
            break
        values.add(ask(sorted(wanted)))
        asked |= wanted
        filled |= {
            place.keys: evaluate(place, values) for place in places if filled[place.keys].wanted
        }
    for place in places:
        result = filled[place.keys]
        if result.is_secret and result.text:
            values.secrets[result.text] = result.shown
    raise_all(
        [
            _in_description(place)
            for place in used
            if filled[place.keys].is_secret and place.keys[-1] == "description"
        ]
    )
    return filled


def evaluate(place: Place, values: Values) -> Filled:
    """Fill in one text with the values that are known."""
    result = Filled("", "", set(), [])
    is_json = _is_json(place.text)
    for part in parse(place.text):
        text: str | None
        if isinstance(part, str):
            text, shown = part, escaped(part)
        else:
            text, shown = _of_reference(part, place, values, result, is_json=is_json), part.source
            if text is not None and values.is_own("".join(map(str, part.name))):
                shown = escaped(text)
        result.text = None if text is None or result.text is None else result.text + text
        result.shown += shown
    return result


def _joined(
    parts: Parts, place: Place, values: Values, result: Filled, *, is_json: bool
) -> str | None:
    texts = [
        part
        if isinstance(part, str)
        else _of_reference(part, place, values, result, is_json=is_json)
        for part in parts
    ]
    return None if None in texts else "".join(map(str, texts))


def _of_reference(
    reference: Reference, place: Place, values: Values, result: Filled, *, is_json: bool
) -> str | None:
    """The value of a reference; None, if it is not known or there is none."""
    name = _joined(reference.name, place, values, result, is_json=False)
    if name is None:
        return None
    if not reference.has_end or not name:
        result.errors.append(
            place.error(
                f"{reference.source} has no {'name' if reference.has_end else 'end'}.", _AS_TEXT
            )
        )
        return None
    if place.is_document and is_of_iam(name):
        return reference.source
    answer = values.get(name)
    if answer is None:
        result.wanted.add(name)
        return None
    if isinstance(answer, Value) and answer.text:
        result.is_secret = result.is_secret or answer.is_secret
        return json.dumps(answer.text, ensure_ascii=False)[1:-1] if is_json else answer.text
    if isinstance(answer, Value | NoValue) and reference.default is not None:
        return _joined(reference.default, place, values, result, is_json=is_json)
    result.errors.append(_error(name, answer, place, values))
    return None


def _is_json(text: str) -> bool:
    if text[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _error(name: str, answer: Answer, place: Place, values: Values) -> KappaError:
    """Word what is wrong with a value for its place. AWS's errors keep their exit code."""
    written = f"${{{name}}}"
    if isinstance(answer, Value):
        return place.error(
            f"{written} is empty.", f"Give it a value, or write ${{{name}:-default}}."
        )
    problem, hint = f"{written} has no value: {answer.message}", answer.hint
    if problem_of(name) or (is_name(name) and isinstance(answer, NoValue)):
        problem = f"{written} {problem_of(name) or 'has no value.'}"
        hint = _remedy(name, values)
    elif isinstance(answer, NoValue):
        hint = f"{hint} Or give a default: ${{{name}:-...}}.".strip()
    error = place.error(problem, hint)
    if isinstance(answer, ConfigError):
        return error
    same_kind = copy.copy(answer)
    same_kind.message, same_kind.args = error.message, (error.message,)
    return same_kind


def _remedy(name: str, values: Values) -> str:
    if meant := meant_by(name, values.names()):
        return f"Did you mean `${{{meant}}}`? {_AS_TEXT}"
    if not is_name(name):
        return _AS_TEXT
    add = f"{'Or add' if values.hint else 'Add'} `{name}` to a file that `include:` names."
    return f"{values.hint} {add}" if values.hint else add


def _raise_errors(errors: Sequence[KappaError]) -> None:
    """Raise errors as one. Without credentials or a network, the first one of AWS is enough."""
    raise_all([error for error in errors if isinstance(error, ConfigError)])
    refused = [error for error in errors if isinstance(error, AwsError)]
    if refused:
        first = refused[0]
        if first.code:
            first.message = "\n".join(
                dict.fromkeys(error.message for error in refused if error.code)
            )
            first.args = (first.message,)
        raise first


def _of_account(tree: Tree, key: str, filled: Mapping[Keys, Filled]) -> str:
    """The config's region or profile; in the layout of 0.7 they are an environment's."""
    sections = tree.at(("environments",))
    first = next(iter(sections)) if isinstance(sections, dict) and sections else ""
    keys: Keys = ("environments", first, key)
    keys = keys if tree.at(keys) is not None else (key,)
    text = filled[keys].text if keys in filled else tree.at(keys)
    return str(text) if isinstance(text, str) else ""


def _cannot_ask(place: Place, filled: Filled) -> bool:
    """Whether a text that decides where or what to ask needs what must be asked."""
    keys = place.keys
    if keys in _ACCOUNT or (keys[0] == "environments" and keys[2:] in _ACCOUNT):
        return bool(filled.wanted)
    return keys in _NAME and any(map(asks_aws, filled.wanted))


def _decides(place: Place) -> ConfigError:
    problem = f"{dotted(place.keys)} cannot come from AWS: it decides where or what to ask."
    return place.error(problem, "Use an included value or ${env:NAME}.")


def _lacks_name(place: Place, filled: Filled) -> bool:
    return place.keys in _NAME and filled.text is None


def _nameless(place: Place) -> ConfigError:
    problem = f"{dotted(place.keys)} is {place.text}, and the region is not known."
    return place.error(problem, "Give --region, a `region:`, or set AWS_REGION.")


def _in_description(place: Place) -> ConfigError:
    problem = f"{dotted(place.keys)} has a secret, and AWS shows descriptions: {place.text}."
    return place.error(problem, "Take it out of the description.")
