"""The files that `init` writes: a config and a function to begin with.

Owns that nothing is ever overwritten; templates.py has the text.
"""

from __future__ import annotations

import json
import keyword
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path, PurePosixPath

import msgspec

from kappa.arn import Place
from kappa.commands.templates import TEMPLATES, code_files, config_text
from kappa.config.convert import allowed, fits
from kappa.config.files import real_path
from kappa.config.model import Url
from kappa.config.value_types import FunctionName
from kappa.errors import ConfigError
from kappa.sources.kind import Occasion
from kappa.sources.url_sample import sample

SCHEMA = "kappa.schema.json"
POLICY = "policy.json"
EVENT = "input.json"
HEADER = f"# yaml-language-server: $schema={SCHEMA}\n"
_POLICY = """\
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "WriteOwnLogs",
      "Effect": "Allow",
      "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
      "Resource": "arn:${partition}:logs:${region}:${account_id}:log-group:${log_group}:*"
    }
  ]
}
"""


class NewFiles(msgspec.Struct, frozen=True):
    """Files to write, by path; which of them are programs, and remarks about them."""

    files: Mapping[str, bytes]
    programs: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()


def starter(config: Path, name: str = "", template: str = "python") -> NewFiles:
    """Make the files of a new function, from one of TEMPLATES; its name is the folder's by default.

    Raises: ConfigError, if that is not a valid function name.
    """
    folder = real_path(config).parent.name
    name = name or re.sub(r"[^a-zA-Z0-9_-]+", "-", folder).strip("-")
    if not fits(name, FunctionName):
        hint = f"{allowed(FunctionName)}."
        raise ConfigError(f"{name!r} is not a valid function name.", hint)
    module, chosen = _module(name), TEMPLATES[template]
    texts = {
        config.name: HEADER + config_text(chosen, name, module, config.name),
        POLICY: _POLICY,
        **code_files(chosen, module),
        EVENT: _request() if chosen.is_http else '{"name": "Ada"}\n',
    }
    files = {**{file: text.encode() for file, text in texts.items()}, SCHEMA: schema()}
    return NewFiles(files, chosen.programs)


def _request() -> str:
    """The event of an HTTP request, payload format 2.0."""
    place, at = Place("aws", "us-east-1", "123456789012"), datetime(2026, 1, 1, 12, tzinfo=UTC)
    return json.dumps(sample(Url("NONE"), Occasion("", place, at)), indent=2) + "\n"


def _module(name: str) -> str:
    """Name the function's module: one of Python's own would hide that from all that imports it."""
    module = re.sub(r"^(?=\d)", "_", name.replace("-", "_"))
    taken = module in sys.stdlib_module_names or keyword.iskeyword(module)
    return f"{module}_function" if taken else module


def check_name(config: Path) -> None:
    """Check that a config is not named like a file that `init` writes beside it.

    Raises: ConfigError.
    """
    if config.name.lower() in (POLICY, EVENT, SCHEMA):
        raise ConfigError(
            f"{config}: init writes a file of this name beside the config.",
            "Name the config otherwise, such as config.yml.",
        )


def schema() -> bytes:
    """The JSON Schema of a config file."""
    return resources.files("kappa.config").joinpath("schema.json").read_bytes()


def write_files(folder: Path, new: NewFiles) -> list[Path]:
    """Write files into a folder; all of them, or none when one exists already.

    Raises: ConfigError, if a file exists, its name leads outside, or it cannot be written.
    """
    paths = {folder / _inside(name): data for name, data in new.files.items()}
    programs = {folder / name for name in new.programs}
    # The schema is the same everywhere: another config's may stand here already.
    existing = [path for path in paths if path.name != SCHEMA and os.path.lexists(path)]
    if existing:
        raise ConfigError(
            f"{existing[0]} already exists, and init overwrites nothing.",
            "Choose another folder: kappa FOLDER/config.yml init",
        )
    new_files = {
        path: data
        for path, data in paths.items()
        if path.name != SCHEMA or not os.path.lexists(path)
    }
    made: list[Path] = []
    try:
        for path, data in new_files.items():
            _make_folder(path.parent, made)
            _write(path, data, path in programs, made)
    except BaseException as error:
        _undo(made)
        if isinstance(error, OSError):
            raise ConfigError(f"{error.filename or folder}: {error.strerror}.") from error
        raise
    return list(paths)


def _make_folder(folder: Path, made: list[Path]) -> None:
    for parent in reversed((folder, *folder.parents)):
        if not parent.is_dir():
            parent.mkdir()
            made.append(parent)


def _write(path: Path, data: bytes, program: bool, made: list[Path]) -> None:
    """Write one new file; the umask decides who else may read it, or run a program."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o777 if program else 0o666)
    made.append(path)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _undo(made: list[Path]) -> None:
    """Remove what was made, the newest first; a folder only if nobody put anything into it."""
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def _inside(name: str) -> PurePosixPath:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or re.match("[A-Za-z]:", name):
        raise ConfigError(f"The file name {name!r} leads outside of the folder.")
    return pure
