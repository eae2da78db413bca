"""Read uv.lock as the lines of a requirements file: a project's exact packages for one machine.

It follows the locked dependencies from the project, without its groups such as dev, and decides
their markers. Each line has the locked version and hashes, so an index can give nothing else.
Source: uv documentation, "Structure and files": the lockfile.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import msgspec
from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from kappa.errors import ArchiveError
from kappa.packing import project_table
from kappa.packing.machine import Machine
from kappa.packing.pip_cache_key import digest
from kappa.packing.required import read_requirements

# The keys of a source that is a folder of this project or a neighbour.
_FOLDERS = ("virtual", "editable", "directory")
# Names and versions; another character could make a line of its own.
_WORD = re.compile(r"[A-Za-z0-9._+!-]+")
_EXPORT = "Run `uv export --no-dev --no-emit-project -o requirements.txt`, and name that file."


class _Artifact(msgspec.Struct):
    url: str = ""
    path: str = ""
    filename: str = ""
    hash: str = ""


class _Dependency(msgspec.Struct):
    name: str
    version: str = ""
    source: dict[str, str] | None = None
    marker: str = ""
    extra: tuple[str, ...] = ()


class _Declared(msgspec.Struct):
    """What pyproject.toml asked for when it was locked."""

    name: str
    specifier: str = ""
    url: str = ""
    git: str = ""
    path: str = ""
    directory: str = ""
    editable: str = ""
    virtual: str = ""

    @property
    def has_place(self) -> bool:
        places = (self.url, self.git, self.path, self.directory, self.editable, self.virtual)
        return any(places)


class _Metadata(msgspec.Struct, rename="kebab"):
    requires_dist: tuple[_Declared, ...] = ()


class _Package(msgspec.Struct, rename="kebab"):
    name: str
    source: dict[str, str]
    version: str = ""
    dependencies: tuple[_Dependency, ...] = ()
    optional_dependencies: dict[str, tuple[_Dependency, ...]] = {}
    wheels: tuple[_Artifact, ...] = ()
    sdist: _Artifact | None = None
    metadata: _Metadata | None = None


class _Lock(msgspec.Struct, rename="kebab"):
    version: int
    requires_python: str = ""
    supported_markers: tuple[str, ...] = ()
    conflicts: tuple[object, ...] = ()
    packages: tuple[_Package, ...] = msgspec.field(default=(), name="package")


def read(file: Path, extras: Sequence[str], machine: Machine) -> str:
    """Read the packages of the project beside a lock and of its extras, for a machine.

    Raises: ArchiveError, if the lock is damaged, or not for this machine.
    """
    try:
        lock = msgspec.toml.decode(read_requirements(file), type=_Lock)
        _check(file, lock, machine)
        packages = _reached(file, lock, extras, machine)
        return "".join(dict.fromkeys(line for p in packages for line in _lines(file, p)))
    except OSError as error:
        raise ArchiveError(f"{error.filename}: {error.strerror}.", "Run `uv lock`.") from error
    except (msgspec.DecodeError, InvalidMarker, InvalidSpecifier, ValueError) as error:
        raise ArchiveError(f"{file}: {error}.", "Run `uv lock`.") from error


def _check(file: Path, lock: _Lock, machine: Machine) -> None:
    if lock.version != 1:
        raise ArchiveError(f"{file} has the format {lock.version}; kappa reads 1.", _EXPORT)
    if lock.conflicts:
        raise ArchiveError(f"{file} has extras that conflict, which kappa does not read.", _EXPORT)
    if not SpecifierSet(lock.requires_python).contains(machine.release, prereleases=True):
        raise ArchiveError(
            f"{file} is for Python {lock.requires_python}, not for {machine}.",
            "Correct lambda.runtime, or requires-python in pyproject.toml and run `uv lock`.",
        )
    supported = lock.supported_markers
    if supported and not any(_applies(marker, machine.markers) for marker in supported):
        raise ArchiveError(
            f"{file} is not for {machine}: {'; '.join(supported)}.",
            "Correct tool.uv.environments in pyproject.toml, and run `uv lock`.",
        )


def _applies(marker: str, values: Mapping[str, str]) -> bool:
    return not marker or Marker(marker).evaluate({"extra": "", **values})


def _reached(
    file: Path, lock: _Lock, extras: Sequence[str], machine: Machine
) -> Iterator[_Package]:
    """Follow the dependencies from the project to every package; each is yielded once."""
    root = next((p for p in lock.packages if _is_root(p)), None)
    if root is None:
        raise ArchiveError(
            f"{file} is of a workspace without a project of its own.",
            "Run `uv export --package NAME --no-dev --no-emit-project -o requirements.txt`, and "
            "name that file.",
        )
    _check_is_current(file, root)
    wanted = ["", *map(canonicalize_name, extras)]
    known = {canonicalize_name(name) for name in root.optional_dependencies}
    for extra in wanted[1:]:
        if extra not in known:
            raise ArchiveError(
                f"{file}: {root.name} has no extra {extra}.",
                f"It has: {', '.join(sorted(known)) or 'none'}.",
            )
    left = [(root, extra) for extra in wanted]
    seen: set[tuple[int, str]] = set()
    while left:
        package, extra = left.pop(0)
        if (id(package), extra) in seen:
            continue
        seen.add((id(package), extra))
        if not extra and package is not root:
            yield package
        for dependency in _dependencies(package, extra):
            if _applies(dependency.marker, machine.markers):
                locked = _find(lock, dependency)
                left += [(locked, canonicalize_name(name)) for name in dependency.extra]
                left.append((locked, ""))


def _check_is_current(file: Path, root: _Package) -> None:
    """Refuse a lock that does not match its project's dependencies: some would be missing."""
    project = file.parent / "pyproject.toml"
    declared = project_table.declared(project) if project.is_file() else None
    metadata = root.metadata or _Metadata()
    is_known = root.metadata is not None or not (root.dependencies or root.optional_dependencies)
    if declared is None or not is_known:
        return
    asked, locked = (
        defaultdict[str, set[SpecifierSet]](set),
        defaultdict[str, set[SpecifierSet]](set),
    )
    for requirement in declared:
        asked[canonicalize_name(requirement.name)].add(requirement.specifier)
    for item in metadata.requires_dist:
        # A source may stand in place of versions.
        versions = {SpecifierSet(item.specifier)}
        locked[item.name] |= asked.get(item.name, versions) if item.has_place else versions
    changed = [name for name in sorted({*asked, *locked}) if asked[name] != locked[name]]
    if changed:
        raise ArchiveError(
            f"{file} does not match the dependencies in {project}: {', '.join(changed)}.",
            "Run `uv lock`.",
        )


def _is_root(package: _Package) -> bool:
    return any(package.source.get(key) == "." for key in _FOLDERS)


def _dependencies(package: _Package, extra: str) -> tuple[_Dependency, ...]:
    if not extra:
        return package.dependencies
    optional = package.optional_dependencies.items()
    return next((listed for name, listed in optional if canonicalize_name(name) == extra), ())


def _find(lock: _Lock, dependency: _Dependency) -> _Package:
    matching = [
        package
        for package in lock.packages
        if package.name == dependency.name
        and dependency.version in ("", package.version)
        and dependency.source in (None, package.source)
    ]
    if len(matching) != 1:
        name = " ".join(filter(None, (dependency.name, dependency.version)))
        raise ValueError(f"{name} has {len(matching)} entries in place of one")
    return matching[0]


def _lines(file: Path, package: _Package) -> Iterator[str]:
    """Write a package as requirements: from an index, an address or a place on this machine."""
    name, source = package.name, package.source
    if not _WORD.fullmatch(name + package.version):
        raise ValueError(f"{name!r} {package.version!r} is not a package's name and version")
    artifacts = [*package.wheels, *((package.sdist,) if package.sdist else ())]
    if "registry" in source:
        registry = source["registry"]
        folder = None if "://" in registry else (file.parent / registry).resolve()
        if folder:
            yield f'--find-links "{folder}"\n'
        hashes = "".join(f" --hash={_hash(artifact, folder)}" for artifact in artifacts)
        yield f"{name}=={package.version}{hashes}\n"
    elif "git" in source:
        yield f"{name} @ {_git(source['git'])}\n"
    elif "url" in source or "path" in source:
        folder, place = file.parent, source.get("url", "")
        place = place or (folder / source["path"]).resolve().as_uri()
        hashes = "".join(f" --hash={artifact.hash}" for artifact in artifacts if artifact.hash)
        yield f"{name} @ {place}{hashes}\n"
    elif folder_name := source.get("editable") or source.get("directory"):
        yield f"{name} @ {(file.parent / folder_name).resolve().as_uri()}\n"
    elif "virtual" not in source:
        raise ValueError(f"the source of {name} is not of a kind that kappa knows")


def _hash(artifact: _Artifact, folder: Path | None) -> str:
    """The locked hash; uv locks none for a local folder of wheels without an index."""
    if not artifact.hash and folder and artifact.path:
        return f"sha256:{digest(folder / artifact.path)}"
    if not artifact.hash:
        raise ValueError(f"{artifact.url or artifact.filename} has no hash")
    return artifact.hash


def _git(address: str) -> str:
    """Write uv's address of a commit, URL?tag=...#COMMIT, as pip's, git+URL@COMMIT."""
    parts = urlsplit(address)
    folder = parse_qs(parts.query).get("subdirectory", [""])[0]
    place = urlunsplit(parts._replace(query="", fragment=""))
    return f"git+{place}@{parts.fragment}" + (f"#subdirectory={folder}" if folder else "")
