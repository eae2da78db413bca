"""Read which packages a config asks for: a list, a requirements file, pyproject.toml or uv.lock.

It turns each of them into the lines of a requirements file, for pip or uv to install. It must not
install anything.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from kappa.config.files import read_file
from kappa.config.model import Config
from kappa.errors import ArchiveError
from kappa.packing.files import check_link
from kappa.packing.machine import Machine

FILE = "requirements.txt"
_EXTRAS = re.compile(r"(.+\.(?:toml|lock))\[([\w., -]*)\]", re.DOTALL)
# What exports the lock files that kappa does not read.
_EXPORTS = {
    "Pipfile": "pipenv requirements --hash > requirements.txt",
    "Pipfile.lock": "pipenv requirements --hash > requirements.txt",
    "pdm.lock": "pdm export --prod -o requirements.txt",
    "poetry.lock": "poetry export -o requirements.txt",
    "pylock.toml": "uv export --no-dev --no-emit-project -o requirements.txt",
}


class Required(msgspec.Struct, frozen=True):
    """The packages to install: a requirements file or its text, and the base of relative paths.

    `is_complete`: they include the dependencies of each, so that none are looked for.
    `build` names the packages that may be built from source here.
    """

    requirements: str | Path
    folder: Path
    is_complete: bool = False
    build: frozenset[str] = frozenset()

    def text(self) -> str:
        """The lines, read from the file if there is one."""
        if isinstance(self.requirements, Path):
            return read_requirements(self.requirements)
        return self.requirements


def read_required(config: Config, source: Path, machine: Machine) -> Required | None:
    """Read the packages that a config asks for; None if there are none.

    Raises: ArchiveError, if a file cannot be read or names no packages that kappa can install.
    """
    required = _required(config, source, machine)
    return None if required is None or is_empty(required.text()) else required


def _required(config: Config, source: Path, machine: Machine) -> Required | None:
    listed, build = config.function.requirements, frozenset(config.function.build_packages)
    if isinstance(listed, tuple):
        return Required("\n".join(listed), config.file.parent.resolve(), build=build)
    if listed is None:
        file = source / FILE
        if not file.is_file():
            return None
        if file.is_symlink():
            # pip quotes the file in its errors, so a link must not reveal another one.
            check_link(file, source.resolve())
        return Required(file.resolve(), file.parent.resolve(), build=build)
    path, names = requirements_path(listed)
    file = config.beside(path).resolve()
    if file.name in _EXPORTS:
        raise ArchiveError(
            f"kappa does not read {file}.",
            f"Export it: `{_EXPORTS[file.name]}`, and set `requirements: requirements.txt`.",
        )
    # Both need a module that is slow to import and that most configs do without.
    if file.name == "uv.lock":
        from kappa.packing import uv_lock

        text = uv_lock.read(file, names, machine)
        return Required(text, file.parent, is_complete=True, build=build)
    if file.suffix == ".toml":
        from kappa.packing import project_table

        return Required(project_table.read(file, names, machine), file.parent, build=build)
    return Required(file, file.parent, build=build)


def requirements_path(name: str) -> tuple[str, tuple[str, ...]]:
    """Split what lambda.requirements names, such as uv.lock[fast], into the path and its extras."""
    match = _EXTRAS.fullmatch(name)
    path, extras = (match[1], match[2]) if match else (name, "")
    return path, tuple(extra.strip() for extra in extras.split(",") if extra.strip())


def read_requirements(file: Path) -> str:
    """Read a requirements file.

    Raises: ArchiveError, if it cannot be read.
    """
    try:
        return read_file(file).decode()
    except OSError as error:
        problem = error.strerror or error
        raise ArchiveError(f"{file}: {problem}.", "Correct lambda.requirements.") from error
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{file}: {error}.", "Save it as UTF-8.") from error


def is_empty(requirements: str) -> bool:
    """Whether requirements have nothing but comments."""
    return all(
        not line.strip() or line.strip().startswith("#") for line in requirements.split("\n")
    )
