"""What a config packs: the source, its dependencies, the packages that it requires.

Owns how a config's keys become an Archive. How a zip is made is archive.py's, how packages are
installed is packages.py's.
"""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kappa import packages
from kappa.archive import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES, Archive, Extras, pack
from kappa.errors import ArchiveError
from kappa.settings import Config

REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class Limits:
    """How large a zip may be, as Lambda's quotas have it."""

    direct_bytes: int = MAX_ZIPPED_BYTES
    unzipped_bytes: int = MAX_UNZIPPED_BYTES


def read_archive(config: Config, limits: Limits | None = None) -> Archive:
    """Pack the function's code, with its packages installed.

    Raises: ArchiveError, if something is missing, too large, or has no wheel.
    """
    limits = limits or Limits()
    function = config.function
    source = config.beside(function.path)
    names = ((f"{config.environment}_config.json", "config.json"),) if config.environment else ()
    # Through S3 a zip has no limit of its own: only what is in it counts.
    most = limits.unzipped_bytes if function.s3_bucket else limits.direct_bytes
    with _packages(config, source) as installed:
        extras = Extras(
            dependencies=tuple(_dependency(config, path) for path in function.dependencies),
            packages=installed,
            renamed=tuple((new, old) for old, new in names),
            excluded_dirs=frozenset(function.excluded_dirs),
        )
        return pack(source, _own_zip(config, source), most, extras, limits.unzipped_bytes)


def zip_file(config: Config) -> Path:
    """Where `package` writes the zip unless told."""
    return config.beside(config.function.zipfile_name or f"{config.function.name}.zip")


def _own_zip(config: Config, source: Path) -> str:
    """Name the zip in the source that is not to be packed, as the zip would name it."""
    file, folder = zip_file(config).resolve(), source.resolve()
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix()
    return config.function.zipfile_name


def write_zip(config: Config, archive: Archive, output: Path | None = None) -> Path:
    """Write the zip, whole or not at all, and return where it is.

    Raises: ArchiveError, if it cannot be written, or would be packed itself next time.
    """
    file = output or zip_file(config)
    source = config.beside(config.function.path)
    inside = source.is_dir() and file.resolve().is_relative_to(source.resolve())
    if inside and file.resolve() != zip_file(config).resolve():
        raise ArchiveError(
            f"{file} is in the folder that is packed: it would be packed itself next time.",
            "Give --output a place outside of lambda.path.",
        )
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as whole:
            whole.write(archive.data)
        Path(whole.name).chmod(0o644)
        Path(whole.name).replace(file)
    except OSError as error:
        raise ArchiveError(f"{file} cannot be written: {error.strerror or error}.") from error
    return file


def _dependency(config: Config, path: str) -> tuple[str, Path]:
    pure = PurePosixPath(path)
    outside = pure.is_absolute() or ".." in pure.parts or path.startswith("~")
    return (pure.name if outside else pure.as_posix()), config.beside(path)


def _packages(config: Config, source: Path) -> AbstractContextManager[Path | None]:
    wanted = config.function.requirements
    found = wanted is None and (source / REQUIREMENTS).is_file()
    architectures = config.function.architectures or ("x86_64",)
    machine = packages.target(config.function.runtime, architectures[0])
    if machine is None:
        if wanted:
            raise ArchiveError(
                f"lambda.requirements are packages of Python; the runtime of "
                f"{config.function.name} is {config.function.runtime}.",
                "Take lambda.requirements out, or set a runtime such as python3.13.",
            )
        return nullcontext()
    if isinstance(wanted, str) or found:
        file = config.beside(wanted) if isinstance(wanted, str) else source / REQUIREMENTS
        if packages.is_empty(packages.read_requirements(file)):
            return nullcontext()
        return packages.installed(file.resolve(), file.parent.resolve(), machine)
    text = "\n".join(wanted or ())
    if packages.is_empty(text):
        return nullcontext()
    return packages.installed(text, config.file.parent.resolve(), machine)
