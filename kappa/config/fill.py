"""Fill in `${...}` once, and ask AWS only for what a command needs.

Owns which values must be known, and the error for one that is not, with its place. What AWS has
comes from the caller's `Reader`. What a value holds is never looked at again.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from kappa.config.error_list import raise_all
from kappa.config.references import (
    ENVIRONMENT,
    Parts,
    Reference,
    asks_aws,
    escaped,
    is_name,
    is_of_iam,
    meant_by,
    parse,
    problem_of,
)
from kappa.config.tree import Keys, Text, Tree, map_texts, texts_in
from kappa.config.uses import Uses
from kappa.config.values import Answer, NoValue, Reader, Value, Values
from kappa.errors import AwsError, ConfigError, KappaError

# They decide where AWS is asked, and what the function is called before it is asked.
_ACCOUNT: tuple[Keys, ...] = (("region",), ("profile",))
_NAME: tuple[Keys, ...] = (("name",), ("lambda", "name"))
_AS_TEXT = "For a text with ${ in it, write $${."


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

    def place(keys: Keys, text: str) -> Place:
        return Place(keys, text, partial(tree.error_at, keys), in_document(keys))

    def account(key: str) -> str:
        """The config's region or profile; in the layout of 0.7 they are an environment's."""
        keys = next((keys for keys, _ in texts if _is_account(keys) and keys[-1] == key), ())
        return (keys and evaluate(place(keys, tree.at(keys)), values).text) or ""

    def ask(names: Collection[str]) -> Mapping[str, Answer]:
        return read(names, account("region"), account("profile")) if read else {}

    texts = list(texts_in(tree.data))
    places = [place(*at) for at in texts if "${" in at[1] and at[0][0] != "include"]
    filled = fill_places(places, values, uses, ask)

    def put(keys: Keys, text: str) -> str:
        result, line = filled.get(keys), text.line if isinstance(text, Text) else 1
        return text if result is None else result.as_text(line)

    return replace(tree, data=map_texts(tree.data, put)) if places else tree


def fill_places(
    places: Sequence[Place],
    values: Values,
    uses: Uses,
    ask: Callable[[Collection[str]], Mapping[str, Answer]],
) -> dict[Keys, Filled]:
    """Fill in texts with what `ask` answers, as far as they need it.

    Raises: ConfigError or AwsError, for each place that the command uses and that has an error.
    """
    filled = {place.keys: evaluate(place, values) for place in places}
    raise_all([error for place in places for error in _too_early(place, filled[place.keys].wanted)])
    used = dict.fromkeys(place.keys for place in places if uses(place.keys))
    asked: set[str] = set()
    while True:
        _raise_errors([error for keys in used for error in filled[keys].errors])
        wanted = {
            name
            for place in places
            for name in filled[place.keys].wanted - asked
            if not asks_aws(name) or (uses.asks and place.keys in used)
        }
        if not wanted:
            break
        values.add(ask(sorted(wanted)))
        asked |= wanted
        for place in places:
            if filled[place.keys].wanted & wanted:
                filled[place.keys] = evaluate(place, values)
    raise_all([error for place in places for error in _misplaced(place, filled[place.keys])])
    values.secrets |= {
        result.text: result.shown for result in filled.values() if result.is_secret and result.text
    }
    return filled


def _is_account(keys: Keys) -> bool:
    return keys in _ACCOUNT or (keys[0] == "environments" and keys[2:] in _ACCOUNT)


def _too_early(place: Place, wanted: Collection[str]) -> Iterator[ConfigError]:
    """Find a value of AWS in what decides where or what to ask."""
    if (_is_account(place.keys) and wanted) or (place.keys in _NAME and any(map(asks_aws, wanted))):
        problem = "it cannot come from AWS, since it decides where or what to ask."
        yield place.error(problem, "Use an included value or ${env:NAME}.")


def _misplaced(place: Place, filled: Filled) -> Iterator[ConfigError]:
    """Find a function's name without its region, and a secret that AWS shows in its lists."""
    if place.keys in _NAME and filled.text is None:
        problem = f"the region in {place.text} is not known."
        yield place.error(problem, "Give --region, a `region:`, or set AWS_REGION.")
    if place.keys[-1] == "description" and filled.is_secret:
        problem = f"{place.text} has a secret, and AWS shows descriptions."
        yield place.error(problem, "Take it out of the description.")


def evaluate(place: Place, values: Values) -> Filled:
    """Fill in one text with the values that are known."""
    return _Evaluation(place, values).run()


class _Evaluation:
    """How one text is filled in."""

    def __init__(self, place: Place, values: Values) -> None:
        self._place, self._values = place, values
        self._result = Filled(None, "", set(), [])
        self._is_json = _is_json(place.text)

    def run(self) -> Filled:
        """Fill in the text, and note what is missing or wrong."""
        texts = []
        for part in parse(self._place.text):
            text = self._of_part(part)
            is_own = isinstance(part, Reference) and self._values.is_own(
                "".join(map(str, part.name))
            )
            shows = isinstance(part, str) or (is_own and text is not None)
            self._result.shown += escaped(str(text)) if shows else part.source  # type: ignore[union-attr]
            texts.append(text)
        self._result.text = _joined(texts)
        return self._result

    def _of_part(self, part: str | Reference) -> str | None:
        return part if isinstance(part, str) else self._of_reference(part)

    def _of_parts(self, parts: Parts) -> str | None:
        return _joined([self._of_part(part) for part in parts])

    def _of_reference(self, reference: Reference) -> str | None:
        """The value of a reference; None, if it is not known or there is none."""
        name = self._of_parts(reference.name)
        if not reference.has_end or name == "":
            lacks = "name" if reference.has_end else "end"
            error = self._place.error(f"{reference.source} has no {lacks}.", _AS_TEXT)
            self._result.errors.append(error)
            return None
        if name is None or (self._place.is_document and is_of_iam(name)):
            return name and reference.source
        answer = self._values.get(name)
        if answer is None:
            self._result.wanted.add(name)
            return None
        if isinstance(answer, Value) and answer.text:
            self._result.is_secret = self._result.is_secret or answer.is_secret
            return _in_json(answer.text) if self._is_json else answer.text
        if isinstance(answer, Value | NoValue) and reference.default is not None:
            return self._of_parts(reference.default)
        self._result.errors.append(_error(name, answer, self._place, self._values))
        return None


def _joined(texts: Sequence[str | None]) -> str | None:
    known = [text for text in texts if text is not None]
    return "".join(known) if len(known) == len(texts) else None


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


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
    if name == ENVIRONMENT:
        return "The config has no `environments:`."
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
