"""What `${...}` stands for: names of included files, references, and what kappa knows itself.

Owns where each value comes from. It reads variables and files; what AWS has is added by fill.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import msgspec

from kappa.config.files import expand_home, read_file
from kappa.config.include import Included
from kappa.config.references import (
    CALLER,
    ENVIRONMENT,
    REGION,
    asks_aws,
    is_name,
    kind_of,
    problem_of,
)
from kappa.config.tree import is_text
from kappa.errors import ConfigError, KappaError


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


class Values:
    """What names and references stand for, as far as it has been read."""

    def __init__(
        self, folder: Path, included: Included | None = None, environment: str = ""
    ) -> None:
        self._folder, self._included = folder, included or Included()
        self._own = {ENVIRONMENT: environment} if environment else {}
        self._answers: dict[str, Answer] = {}
        self.hint = self._included.hint
        self.secrets: dict[str, str] = {}

    def add(self, answers: Mapping[str, Answer]) -> None:
        """Keep what has been read."""
        self._answers.update(answers)
        for name, answer in answers.items():
            if isinstance(answer, Value) and answer.is_secret:
                self.secrets[answer.text] = f"${{{name}}}"

    def know(self, name: str, text: str) -> None:
        """Take a value that kappa knows itself, unless an included file has the name."""
        if name not in self._included.values:
            self._own[name] = text

    def is_own(self, name: str) -> bool:
        """Whether kappa knows a value itself. An included file may give a region, no account.

        --env decides what is changed or deleted: an included value never does.
        """
        if name == ENVIRONMENT:
            return ENVIRONMENT in self._own
        return (
            name in self._own
            or name in CALLER
            or (name == REGION and not self._included.values.get(REGION))
        )

    def source_of(self, name: str) -> str:
        """Where a value is from: the kind of a reference, or the path of an included file."""
        if is_name(name):
            return "" if self.is_own(name) else self._included.files.get(name, "")
        return kind_of(name)

    def names(self) -> set[str]:
        """Each name that may have a value."""
        return {*self._included.values, *self._own, *CALLER, REGION}

    def get(self, name: str) -> Answer | None:
        """The value of a name or reference, or why it has none; None: it has not been read."""
        if self.is_own(name):
            own = self._own.get(name)
            return Value(own) if own else self._answers.get(name)
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
