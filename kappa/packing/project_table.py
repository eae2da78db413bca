"""Read the packages that a pyproject.toml asks for, as the lines of a requirements file.

Source: Python packaging guide, "pyproject.toml specification": dependencies,
optional-dependencies, dynamic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from kappa.errors import ArchiveError
from kappa.packing.machine import Machine
from kappa.packing.required import read_requirements

# Keys by which Poetry takes a package from another place than the index.
_PLACES = frozenset({"git", "path", "source", "url"})


class _Project(msgspec.Struct, rename="kebab"):
    name: str = ""
    dependencies: tuple[str, ...] = ()
    optional_dependencies: dict[str, tuple[str, ...]] = {}
    dynamic: tuple[str, ...] = ()


class _Uv(msgspec.Struct):
    sources: dict[str, Any] = {}


class _Poetry(msgspec.Struct):
    dependencies: dict[str, Any] = {}


class _Tool(msgspec.Struct):
    uv: _Uv = msgspec.field(default_factory=_Uv)
    poetry: _Poetry = msgspec.field(default_factory=_Poetry)


class _File(msgspec.Struct):
    project: _Project | None = None
    tool: _Tool = msgspec.field(default_factory=_Tool)


def read(file: Path, extras: Sequence[str], machine: Machine) -> str:
    """Read a project's dependencies and those of its extras.

    Raises: ArchiveError, if they cannot be known from the file.
    """
    content = _read(file)
    project = content.project
    if project is None:
        raise ArchiveError(
            f"{file} has no table [project].",
            "In a Poetry project, run `poetry export -o requirements.txt`, and name that file.",
        )
    dynamic = {"dependencies", *(("optional-dependencies",) if extras else ())}
    if dynamic & set(project.dynamic):
        raise ArchiveError(
            f"{file}: its dependencies are dynamic, so only a build can list them.",
            "Name the requirements file that they come from.",
        )
    requirements = list(_expanded(file, project, extras, machine))
    _check_places(file, content.tool, requirements)
    return "".join(f"{requirement}\n" for requirement in requirements)


def declared(file: Path) -> list[Requirement] | None:
    """Read what a project asks for, with or without extras; None if only a build could list it.

    Raises: ArchiveError.
    """
    project = _read(file).project
    if project is None or {"dependencies", "optional-dependencies"} & set(project.dynamic):
        return None
    optional = [line for lines in project.optional_dependencies.values() for line in lines]
    return [_requirement(file, line) for line in (*project.dependencies, *optional)]


def _read(file: Path) -> _File:
    try:
        return msgspec.toml.decode(read_requirements(file), type=_File)
    except (msgspec.DecodeError, ValueError) as error:
        raise ArchiveError(f"{file}: {error}.") from error


def _expanded(
    file: Path, project: _Project, extras: Sequence[str], machine: Machine
) -> Iterator[Requirement]:
    """List the requirements; one of the project itself, such as `app[all]`, gives its extras'."""
    optional = {str(canonicalize_name(k)): v for k, v in project.optional_dependencies.items()}
    left, seen = ["", *map(canonicalize_name, extras)], set[str]()
    while left:
        extra = left.pop(0)
        if extra in seen:
            continue
        seen.add(extra)
        if extra and extra not in optional:
            raise ArchiveError(
                f"{file} has no extra {extra}.", f"It has: {', '.join(optional) or 'none'}."
            )
        for line in optional[extra] if extra else project.dependencies:
            requirement = _requirement(file, line)
            if canonicalize_name(requirement.name) != canonicalize_name(project.name):
                yield requirement
            elif not requirement.marker or requirement.marker.evaluate(machine.markers):
                left += map(canonicalize_name, sorted(requirement.extras))


def _requirement(file: Path, line: str) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise ArchiveError(f"{file}: {line!r} is not a requirement.") from error


def _check_places(file: Path, tool: _Tool, requirements: list[Requirement]) -> None:
    """Refuse what another tool takes from elsewhere: the index may have a stranger's package."""
    uv = {canonicalize_name(name) for name in tool.uv.sources}
    poetry = {
        canonicalize_name(name)
        for name, value in tool.poetry.dependencies.items()
        if isinstance(value, list) or (isinstance(value, dict) and _PLACES & set(value))
    }
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        if name in uv:
            raise ArchiveError(
                f"{file}: [tool.uv.sources] sets where {name} comes from.",
                "Run `uv lock`, and set `requirements: uv.lock`.",
            )
        if name in poetry:
            raise ArchiveError(
                f"{file}: [tool.poetry.dependencies] sets where {name} comes from.",
                "Run `poetry export -o requirements.txt`, and name that file.",
            )
