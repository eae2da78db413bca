"""Run uv in place of pip, where both install the same: uv takes a tenth of the time.

It owns which requirements and settings uv gets. Whatever its options, uv builds packages that are
editable or named by `--no-binary`, which runs their code. So it gets only lines that name a package
or a wheel, and pip's settings in place of its own; everything else is left to pip.
Source: uv documentation, "Compatibility with pip and pip-tools".
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kappa.errors import ArchiveError
from kappa.packing import install_process, requirement_lines
from kappa.packing.machine import Machine
from kappa.packing.pip_cache_key import read_settings
from kappa.packing.required import Required, read_requirements
from kappa.texts import masked

# uv has no name for Amazon Linux 2, which earlier Pythons run on.
_MIN_MINOR = 12
# NAME @ PLACE; MARKER, or without the name or the marker.
_PLACE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*\s*(?:\[[\w.,\s-]*\])?\s*@\s*)?(?P<place>[^;]+)(?P<marker>;.*)?"
)
_WHEEL_ADDRESS = re.compile(r"https?://[^\s#?]+\.whl(#\S*)?")
# pip's settings that do not choose packages.
_HARMLESS = frozenset(
    {"config-file", "default-timeout", "disable-pip-version-check", "no-input"}
    | {"retries", "root-user-action", "timeout"}
)
_VARIABLES = {"index-url": "UV_INDEX_URL", "extra-index-url": "UV_EXTRA_INDEX_URL"}
_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
# The section of a command wins over the global one, and the environment over both.
_SECTIONS = ("global", "install", ":env:")


class Job(msgspec.Struct, frozen=True):
    """An installation that uv can do: the program, options and lines of a requirements file.

    Indexes are in the environment: an address may hold a password, and anyone sees options.
    """

    uv: str
    options: tuple[str, ...]
    lines: tuple[str, ...]
    environment: dict[str, str]


class _NotForUvError(Exception):
    """Something that pip understands in its own way."""


def plan_job(required: Required, settings: str, machine: Machine) -> Job | None:
    """Turn requirements and pip's settings into a job for uv; None if it is one for pip."""
    uv = shutil.which("uv")
    if not uv or required.build or machine.minor < _MIN_MINOR:
        return None
    try:
        options, environment = _options(settings, required.folder)
        lines = tuple(_lines(required.text(), required.folder, required.folder, frozenset()))
    except (_NotForUvError, ArchiveError, OSError):
        return None
    if required.is_complete:
        options.append("--no-deps")
    if any("--hash" in line for line in lines):
        options.append("--require-hashes")
    if "UV_INDEX_URL" in environment and any(line.startswith("--index-url") for line in lines):
        # For pip the file's own index counts, for uv that of the settings.
        return None
    return Job(uv, tuple(options), lines, environment)


def run(job: Job, machine: Machine, into: Path, cache: Path) -> None:
    """Install the packages into a folder.

    uv's usual cache may hold what was built on this machine, so kappa has one of its own.
    Raises: ArchiveError, with uv's reasons.
    """
    file = into.parent / "uv.requirements"
    file.write_text("".join(f"{line}\n" for line in job.lines), "utf-8")
    command = [
        *(job.uv, "pip", "install", "--no-config", "--color=never", "--no-progress"),
        *("--python", sys.executable, "--no-python-downloads", "--only-binary=:all:"),
        *("--python-platform", machine.uv_platform, "--python-version", machine.release),
        *("--target", str(into), "--link-mode=copy", "--cache-dir", str(cache), "--refresh"),
        # pip takes the best version of all indexes.
        *("--index-strategy=unsafe-best-match", *job.options, "--requirements", str(file)),
    ]
    environment = {name: value for name, value in os.environ.items() if name[:3] != "UV_"}
    environment |= job.environment | {"TMPDIR": str(into.parent)}
    code, _, errors = install_process.run(command, into.parent, environment)
    if code:
        reasons = masked(errors).partition("error: ")[2] or errors
        raise ArchiveError(f"uv failed: {' '.join(reasons.split())}")


def _options(settings: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Translate pip's settings to options and environment variables of uv."""
    values: dict[str, tuple[int, str]] = {}
    for section, name, value in read_settings(settings):
        if section in _SECTIONS:
            rank = _SECTIONS.index(section)
            values[name] = max(values.get(name, (-1, "")), (rank, value), key=lambda pair: pair[0])
    options: list[str] = []
    environment = {}
    for name, (_, value) in sorted(values.items()):
        if name == "find-links":
            options += [word for text in value.split() for word in _option(name, text, folder)]
        elif name in _VARIABLES:
            # Each address is checked.
            addresses = [_option(name, text, folder)[1] for text in value.split()]
            environment[_VARIABLES[name]] = " ".join(addresses)
        elif name == "no-index":
            options += ["--no-index"] * (value.lower() in _TRUE)
        elif name == "cert":
            environment["SSL_CERT_FILE"] = value
        elif name not in _HARMLESS:
            raise _NotForUvError(name)
    return options, environment


def _option(name: str, value: str, folder: Path) -> tuple[str, str]:
    if name == "find-links" and "://" not in value:
        # pip reads a file as a page of links.
        if not (folder / value).is_dir():
            raise _NotForUvError(value)
        return "--find-links", str((folder / value).absolute())
    if not re.match("https?://", value):
        raise _NotForUvError(value)
    return f"--{name}", value


def _lines(text: str, folder: Path, base: Path, within: frozenset[Path]) -> Iterator[str]:
    """Write lines as uv takes them, included files in their place.

    `base` is the folder of an included file. As with pip, it counts for options, not for wheels.
    `within` are the files that include this one.
    """
    for line in requirement_lines.expanded_lines(text):
        requirement, options = requirement_lines.halves(line)
        if requirement:
            if any(name != "--hash" for name, _ in options):
                raise _NotForUvError(line)
            yield " ".join([_named(requirement, folder), *(f"--hash={v}" for _, v in options)])
            continue
        for name, value in options:
            if name in ("-r", "--requirement") and "://" not in value:
                path = base / value
                if path in within:
                    raise _NotForUvError(line)
                text = read_requirements(path)
                yield from _lines(text, folder, path.parent, within | {path})
            elif name == "--no-index":
                yield name
            elif name in requirement_lines.LINKS:
                yield " ".join(_option("find-links", value, base))
            elif name in requirement_lines.INDEXES:
                option = "extra-index-url" if name == "--extra-index-url" else "index-url"
                yield " ".join(_option(option, value, base))
            else:
                raise _NotForUvError(line)


def _named(requirement: str, folder: Path) -> str:
    """Write a requirement of a package or a wheel; paths become absolute."""
    if requirement_lines.is_package(requirement):
        return requirement
    parts = _PLACE.fullmatch(requirement)
    if not parts:
        raise _NotForUvError(requirement)
    place = parts["place"].strip()
    if _WHEEL_ADDRESS.fullmatch(place):
        return requirement
    path = folder / requirement_lines.local_path(place)
    is_address = "://" in place.removeprefix("file://")
    if is_address or "[" in place or path.suffix != ".whl" or not path.is_file():
        raise _NotForUvError(requirement)
    return f"{parts['name'] or ''}{path.absolute().as_uri()} {parts['marker'] or ''}".strip()
