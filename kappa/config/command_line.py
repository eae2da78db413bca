"""How a command that an error or a report advises is worded.

Owns that it acts on the same function as the command at hand: the same file, environment,
profile and region. Every advised command is built here.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path


def kappa_command(words: str, *files: Path | str, given: Sequence[str] = ()) -> str:
    """Word a command as one types it; `given` are options to repeat, such as ("--env", "prod")."""
    named = shlex.join(map(str, files))
    return " ".join(["kappa", named, words, *([shlex.join(given)] if given else [])])


def aws_command(words: str, given: Sequence[str] = ()) -> str:
    """Word a command of the AWS CLI; `given` are its options, such as ("--region", "eu-west-1")."""
    return " ".join(["aws", words, *([shlex.join(given)] if given else [])])


def options(**values: str | None) -> tuple[str, ...]:
    """Name the options that have a value: env="prod" is ("--env", "prod")."""
    return tuple(word for key, value in values.items() if value for word in (f"--{key}", value))
