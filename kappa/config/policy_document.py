"""The policy document of a config: read it, fill it in, and complete it with what only AWS knows.

${account_id} and ${partition} may stay until AWS has answered another question, which says who is
calling: that saves a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from kappa import arn
from kappa.config.files import read_file
from kappa.config.fill import Place, evaluate, fill_places
from kappa.config.model import Config
from kappa.config.references import REGION
from kappa.config.strict_json import line_of_null, parse_json
from kappa.config.tree import Keys, Text, items, map_texts, texts_in
from kappa.config.uses import ALL, OFFLINE
from kappa.config.values import Answer, Value, Values
from kappa.errors import ConfigError

_KEYS: Keys = ("iam", "policy", "document")
# Reads the named values, side by side.
Ask = Callable[[Collection[str]], Mapping[str, Answer]]
# An object's key in S3 may look like a blank: IAM takes it.
_BLANK = re.compile(r"<[^<>]*>")
_OBJECT = re.compile(r"^(arn:[^:]*:s3:::[^/]+/).*$", re.DOTALL)
FILL_IN = "Put in place of {blank} what is meant."


def read_policy_document(config: Config, ask: Ask | None = None) -> dict[str, Any] | None:
    """Read the policy's JSON file, filled in; None when the policy has no document.

    In a file, ${log_group} is the function's log group, so that its rights follow its name.
    A text with a value that `ask` does not answer is an unfilled Text, for place_policy_document().
    Raises: ConfigError, if it is missing, not JSON or not a policy, repeats a key, has a null or
    an unfilled blank, or a reference without a value; AwsError, if AWS refuses one.
    """
    if config.policy is None or not config.policy.document:
        return None
    if isinstance(config.policy.document, dict):
        # It stands in the config itself, where ${name} has been filled in.
        return config.policy.document
    file = config.beside(config.policy.document)
    content = _read_document_file(config, file)
    document, text = parse_json(content, str(file)), content.decode("utf-8")

    def error(problem: str, hint: str) -> ConfigError:
        return ConfigError(f"{file}:{_line(text, problem.split()[0])}: {problem}", hint)

    if not isinstance(document, dict) or "Statement" not in document:
        raise ConfigError(f"{file}:1: a policy document needs a Statement.")
    for _, resource, blank in blanks(document):
        line = _line(text, json.dumps(resource, ensure_ascii=False))
        problem = f"{file}:{line}: a statement is about {resource!r}."
        raise ConfigError(problem, FILL_IN.format(blank=blank))
    if null_line := line_of_null(text):
        raise ConfigError(f"{file}:{null_line}: a policy cannot contain null.", "Take the key out.")
    config.values.know("log_group", config.function.log_group)
    places = [
        Place((*_KEYS, *keys), words, error, is_document=True)
        for keys, words in texts_in(document)
        if "${" in words
    ]
    filled = fill_places(places, config.values, ALL if ask else OFFLINE, ask or _nothing)

    def put(keys: Keys, words: str) -> str:
        at = (*_KEYS, *keys)
        return filled[at].as_text(_line(text, words)) if at in filled else words

    placed: dict[str, Any] = map_texts(document, put)
    return placed


def _nothing(_: Collection[str]) -> Mapping[str, Answer]:
    return {}


def _read_document_file(config: Config, file: Path) -> bytes:
    try:
        return read_file(file)
    except OSError as error:
        raise config.error(
            ("iam", "policy", "document"),
            f"{file}: {error.strerror}.",
            "Correct iam.policy.document.",
        ) from error


def _line(text: str, part: str) -> int:
    """The line in which a part of a text begins; 1, if it is not in it."""
    return text.count("\n", 0, max(text.find(part), 0)) + 1


def place_policy_document(
    document: dict[str, Any] | None, values: Values, place: arn.Place
) -> dict[str, Any] | None:
    """Fill in what only AWS knows: ${account_id}, ${partition} and, if not included, ${region}."""
    known = {"account_id": place.account, "partition": place.partition, REGION: place.region}
    values.add({name: Value(text) for name, text in known.items()})

    def put(keys: Keys, text: str) -> str:
        if not isinstance(text, Text) or text.is_filled:
            return str(text)
        return evaluate(Place(keys, text, ConfigError, is_document=True), values).text or text

    placed: dict[str, Any] | None = map_texts(document, put)
    return placed


def is_document(keys: Keys) -> bool:
    """Whether a key path of a config, of either layout, leads into a policy document."""
    return keys[:3] == _KEYS or (
        keys[:1] == ("environments",) and keys[2:3] in (("policy",), ("policy_resources",))
    )


def blanks(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, str, str]]:
    """Find in a document each resource with a blank: its key path, itself, its blank.

    A blank is what nobody has filled in of an example, such as <your table>.
    """
    for key, item in items(value):
        here = (*keys, key)
        if key not in ("Resource", "NotResource"):
            yield from blanks(item, here)
            continue
        resources = items(item) if isinstance(item, list) else [(None, item)]
        for number, resource in resources:
            at = here if number is None else (*here, number)
            if isinstance(resource, str) and (blank := blank_in(resource)):
                yield at, resource, blank


def blank_in(resource: str) -> str:
    """The blank of a resource's ARN, such as <your table>; "" without one."""
    match = _BLANK.search(_OBJECT.sub(r"\1", resource))
    return match[0] if match else ""
