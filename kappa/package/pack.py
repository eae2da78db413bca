"""Build a config's deployment package from its source, dependencies and required packages.

It turns the config's keys into an Archive. archive.py makes the zip, requirements.py installs
packages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath

from msgspec.structs import replace

from kappa.config.files import real_path
from kappa.config.model import Config
from kappa.config.tree import read_tree
from kappa.package.files import Extras
from kappa.package.requirements import (
    FILE,
    installed,
    is_empty,
    read_required,
    read_requirements,
)
from kappa.package.zip import READY_SUFFIXES, Archive, Limits, pack, read_zip, zip_file
from kappa.plan.step import Report


def read_archive(
    config: Config,
    limits: Limits | None = None,
    report: Callable[[Report], None] = lambda _: None,
) -> Archive:
    """Build the function's code if the config has a build, and pack it with its packages.

    `report` is called before lambda.build runs.
    Raises: ArchiveError, if something is missing, too large, has no wheel or cannot be built.
    """
    with _built(config, report):
        return _read_archive(config, limits or Limits())


def _built(config: Config, report: Callable[[Report], None]) -> AbstractContextManager[None]:
    if not config.function.build:
        return nullcontext()
    from kappa.package.build import built

    return built(config, report)


def _read_archive(config: Config, limits: Limits) -> Archive:
    function = config.function
    source = config.beside(function.path)
    # Uploaded through S3, only the unzipped size is limited.
    max_zipped_bytes = limits.unzipped_bytes if function.s3_bucket else limits.direct_bytes
    if is_ready_zip(config):
        _refuse_packing_keys(config)
        return read_zip(source, max_zipped_bytes, limits.unzipped_bytes)
    renamed = (("config.json", f"{config.environment}_config.json"),) if config.environment else ()
    with _packages(config, source) as packages:
        extras = Extras(
            dependencies=tuple(_dependency(config, path) for path in function.dependencies),
            packages=packages,
            renamed=renamed,
            excluded_dirs=frozenset(function.excluded_dirs),
            excluded_files=frozenset(function.excluded_files),
            source_name=_handlers_file(config),
            own_zip=real_path(zip_file(config)),
        )
        zip_name = _own_zip(config, source)
        archive = pack(source, zip_name, max_zipped_bytes, extras, limits.unzipped_bytes)
        return replace(archive, notes=(*_not_installed(config), *archive.notes))


def is_ready_zip(config: Config) -> bool:
    """Whether lambda.path is a zip already, which is uploaded unchanged."""
    source = config.beside(config.function.path)
    return source.suffix.lower() in READY_SUFFIXES and source.is_file()


def _refuse_packing_keys(config: Config) -> None:
    function = config.function
    packages = ("requirements", "build_packages")
    for key in (*packages, "dependencies", "excluded_dirs", "excluded_files"):
        if getattr(function, key):
            raise config.error(
                ("lambda", key),
                f"lambda.path is {function.path}, which is uploaded as it is: lambda.{key} would "
                "have no effect.",
                f"Take {key} out, or name the folder that the zip was made of.",
            )


def _handlers_file(config: Config) -> str:
    """The name of a single file in the zip, if its path ends with the handler's module; else "".

    kappa 0.3 packed `path: sub/foo.py` as sub/foo.py, for the handler sub/foo.handler.
    """
    path, handler = PurePosixPath(config.function.path), config.function.handler
    folder, slash, name = handler.rpartition("/")
    modules = {
        handler.rpartition(".")[0].replace(".", "/"),
        f"{folder}{slash}{name.partition('.')[0]}",
    }
    for module in modules:
        parts = PurePosixPath(module).parts
        if len(parts) > 1 and path.with_suffix("").parts[-len(parts) :] == parts:
            return f"{PurePosixPath(module)}{path.suffix}"
    return ""


def _own_zip(config: Config, source: Path) -> str:
    """The name, within the source, of the zip that must not be packed."""
    file, folder = real_path(zip_file(config)), real_path(source)
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix()
    return config.function.zipfile_name


def _dependency(config: Config, path: str) -> tuple[str, Path]:
    pure = PurePosixPath(path)
    outside = pure.is_absolute() or ".." in pure.parts or path.startswith("~")
    return (pure.name if outside else pure.as_posix()), config.beside(path)


def _packages(config: Config, source: Path) -> AbstractContextManager[Path | None]:
    required = read_required(config, source)
    return nullcontext() if required is None else installed(config, required)


def check_architecture(config: Config, deployed: Sequence[str]) -> None:
    """Check that packages are installed and code is built for the function's architecture in AWS.

    Raises: ConfigError, if the config does not name it and it is not the default.
    """
    if config.function.architectures or config.function.image or not deployed:
        return
    source, architecture = config.beside(config.function.path), config.function.architecture
    if deployed[0] == architecture:
        return
    is_built, is_packed = bool(config.function.build), not is_ready_zip(config)
    if is_built or (is_packed and read_required(config, source)):
        made = "it would be built" if is_built else "its packages would be installed"
        raise config.error(
            ("lambda", "architectures"),
            f"lambda.architectures is missing: {config.function.name} is {deployed[0]} on AWS, and "
            f"{made} for {architecture}.",
            f"Add `architectures: [{deployed[0]}]`, or [{architecture}] to change it.",
        )


def _not_installed(config: Config) -> list[str]:
    """A note on requirements that the layout of 0.7 packs as a file like any other."""
    file = config.beside(config.function.path) / FILE
    if config.function.requirements != () or not config.is_layout_07 or not file.is_file():
        return []
    section = read_tree(config.file).data.get("lambda")
    has_key = isinstance(section, dict) and section.get("requirements") is not None
    if has_key or is_empty(read_requirements(file)):
        return []
    return [
        f"{file} is packed but not installed, as in kappa 0.7. To install it, set "
        f"`requirements: {config.function.path}/{FILE}` in the section lambda."
    ]
