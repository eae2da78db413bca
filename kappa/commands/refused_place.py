"""Where in the config a change comes from that AWS refused. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import fields

from kappa.config.model import Config
from kappa.config.tree import Keys
from kappa.errors import AwsError, Conflict, Denied, Unavailable
from kappa.plan.step import Step

# Texts of people, which an answer may contain by chance; so may shorter ones than _SHORTEST.
_FREE_TEXTS = frozenset({"description", "environment", "tags"})
_SHORTEST = 8


def refused_place(config: Config, step: Step, error: AwsError) -> str:
    """Name file, line and key of what AWS refused; "" if it is not in the config.

    It is the setting that AWS's answer quotes, else the key that the whole step comes from.
    """
    if not error.code or isinstance(error, Conflict | Unavailable):
        return ""
    sent = {text for keys, text in _texts(step.params) if keys != ("FunctionName",)}
    settings = _texts({"lambda": config.function, "iam": {"role": config.role}})
    quoted = {text: keys for keys, text in settings if text in sent and text in error.text}
    if quoted:
        return config.place(quoted[max(quoted, key=len)])
    # A missing permission is not the config's mistake.
    return config.place(step.key) if step.key and not isinstance(error, Denied) else ""


def _texts(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Each text with its key path, in sections of a config or params of a call."""
    if isinstance(value, str) and len(value) >= _SHORTEST:
        yield keys, value
    elif isinstance(value, Struct):
        for field in fields(value):
            if field.encode_name not in _FREE_TEXTS:
                yield from _texts(getattr(value, field.name), (*keys, field.encode_name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*keys, key))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _texts(item, (*keys, number))
