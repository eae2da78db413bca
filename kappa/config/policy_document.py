"""The policy document of a config: read it, fill it in, and complete it with what only AWS knows.

Owns which names are AWS's: ${account_id}, ${partition} and, where no included file gives it,
${region}. They stay as they are until AWS has answered who is calling. References to AWS, such as
${cf:Stack.Output}, are read by the caller's `ask`; without it they stay too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kappa.arn import Place
from kappa.config.error_list import raise_all
from kappa.config.files import read_file
from kappa.config.model import Config
from kappa.config.strict_json import line_of_null, parse_json
from kappa.config.tree import Keys, items, map_texts, texts_in
from kappa.config.values import fill_text, is_given, is_local, references_in
from kappa.errors import ConfigError

if TYPE_CHECKING:
    from kappa.config.references import Ask

# The caller's account is the caller's, whatever an included file holds; an included region counts.
_CALLERS = frozenset({"account_id", "partition"})
_REGION = frozenset({"region"})
# An object's key in S3 may look like a blank: IAM takes it.
_BLANK = re.compile(r"<[^<>]*>")
_OBJECT = re.compile(r"^(arn:[^:]*:s3:::[^/]+/).*$", re.DOTALL)
FILL_IN = "Put in place of {blank} what is meant."


def read_policy_document(config: Config, ask: Ask | None = None) -> dict[str, Any] | None:
    """Read the policy's JSON file, filled in; None when the policy has no document.

    What only AWS knows, such as ${account_id}, is left for place_policy_document().
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
    later = _names_of_aws(config.values)
    values = config.values
    if names := _references(document, values):
        values = {**values, **_read_references(config, names, ask, error)}
    filled: dict[str, Any] = map_texts(
        document, lambda value: fill_text(value, values, error, later, config.hint)
    )
    return filled


def _references(document: object, values: Mapping[str, str]) -> dict[str, bool]:
    """Name a document's references without a value: whether all have defaults."""
    names: dict[str, bool] = {}
    for _, text in texts_in(document):
        for name, has_default in references_in(text, values, in_document=True):
            if name not in values:
                names[name] = names.get(name, True) and has_default
    return names


def _read_references(
    config: Config,
    names: Mapping[str, bool],
    ask: Ask | None,
    error: Callable[[str, str], ConfigError],
) -> dict[str, str]:
    from kappa.config.references import Occurrence, checked, malformed, read_local

    places = [Occurrence((), name, has_default, error) for name, has_default in names.items()]
    raise_all([wrong for place in places for wrong in malformed(place)])
    answers = read_local(names, config.file.parent)
    remote = [name for name in names if name not in answers]
    if remote and ask is not None:
        answers |= ask(remote)
    asked = [place for place in places if place.name in answers]
    return {name: value.text for name, value in checked(asked, answers).items()}


def unread_in_document(config: Config) -> list[tuple[Path, int, str]]:
    """List the references to AWS in the policy's file: file, line and name."""
    if config.policy is None or not isinstance(config.policy.document, str):
        return []
    if not config.policy.document:
        return []
    file = config.beside(config.policy.document)
    content = _read_document_file(config, file)
    names = _references(parse_json(content, str(file)), config.values)
    text = content.decode("utf-8")
    return [(file, _line(text, f"${{{name}"), name) for name in names if not is_local(name)]


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


def place_policy_document(document: dict[str, Any] | None, place: Place) -> dict[str, Any] | None:
    """Fill in what only AWS knows: ${account_id}, ${partition} and, if not included, ${region}."""
    values = {"account_id": place.account, "partition": place.partition, "region": place.region}
    filled: dict[str, Any] | None = map_texts(
        document, lambda value: fill_text(value, values, ConfigError)
    )
    return filled


def names_for_later(values: Mapping[str, str], keys: Keys) -> Set[str]:
    """Name what stays in the text at `keys` until place_policy_document(): nothing elsewhere."""
    in_policy = keys[:3] == ("iam", "policy", "document") or (
        keys[:1] == ("environments",) and keys[2:3] in (("policy",), ("policy_resources",))
    )
    return _names_of_aws(values) if in_policy else frozenset()


def _names_of_aws(values: Mapping[str, str]) -> Set[str]:
    return _CALLERS if is_given(values, "region") else _CALLERS | _REGION


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
