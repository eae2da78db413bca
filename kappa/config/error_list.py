"""All errors of one config as one error, so that they need not be corrected one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from kappa.errors import ConfigError

_LINE = re.compile(r".*?:(\d+): ")
# A file with more is another kind of file.
MAX_SHOWN = 20


class ErrorList(ConfigError):
    """Errors in the order of their lines, each with its own hint."""

    def __init__(self, parts: Sequence[ConfigError]) -> None:
        shown = sorted(parts, key=_line)[:MAX_SHOWN]
        more = [f"... and {len(parts) - MAX_SHOWN} more."] if len(parts) > MAX_SHOWN else []
        texts = [str(error) for error in shown[:-1]] + [shown[-1].message]
        super().__init__("\n".join(texts), "\n".join([shown[-1].hint, *more]).strip("\n"))
        self.parts = tuple(parts)


def _line(error: ConfigError) -> int:
    match = _LINE.match(error.message)
    return int(match[1]) if match else 0


def joined(errors: Iterable[ConfigError]) -> ConfigError:
    """Make one error of several; a single error stays as it is."""
    flat = [part for error in errors for part in parts_of(error)]
    return flat[0] if len(flat) == 1 else ErrorList(flat)


def parts_of(error: ConfigError) -> Sequence[ConfigError]:
    """The single errors of an error."""
    return error.parts if isinstance(error, ErrorList) else (error,)


def check_all(checks: Iterable[Callable[[], object]]) -> None:
    """Run every check, also after one has failed.

    Raises: ConfigError, with the messages of all.
    """
    errors = []
    for check in checks:
        try:
            check()
        except ConfigError as error:
            errors.append(error)
    raise_all(errors)


def raise_all(errors: Sequence[ConfigError]) -> None:
    """Raise errors as one; without any, return.

    Raises: ConfigError.
    """
    if errors:
        raise joined(errors)
