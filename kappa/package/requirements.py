"""Install the Python packages that a function needs, for Lambda's platform, with uv.

It owns which file or list uv gets, and what is dropped of an installation. uv resolves, downloads,
caches and verifies. Only wheels are installed, so that no package's code runs here, except of the
packages that lambda.build_packages names, or `no-binary` in a file that the user wrote for uv.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kappa.config.files import read_file
from kappa.config.inputs import depends_on
from kappa.config.model import Config
from kappa.errors import ArchiveError
from kappa.package.files import check_link
from kappa.package.find_python import python_minor
from kappa.texts import masked

FILE = "requirements.txt"
_DEADLINE_S = 600
_MAX_LINES = 15
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_EXTRAS = re.compile(r"(.+\.(?:toml|lock))\[([\w., -]*)\]", re.DOTALL)
# What exports the lock files that uv does not read.
_EXPORTS = {
    "Pipfile": "pipenv requirements --hash > requirements.txt",
    "Pipfile.lock": "pipenv requirements --hash > requirements.txt",
    "pdm.lock": "pdm export --prod -o requirements.txt",
    "poetry.lock": "poetry export -o requirements.txt",
}
_COMMENT = re.compile(r"(^|\s)#.*", re.MULTILINE)
_EDITABLE = re.compile(r"(?:^|\s)(?:-e|--editable).*", re.MULTILINE)
_INCLUDED = re.compile(r"(?:^|\s)(?:-[rc]|--requirement|--constraint)[ \t=]*(\S+)", re.MULTILINE)
# Files that differ between machines or runs, and that no import needs.
_DROPPED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")


class Required(msgspec.Struct, frozen=True):
    """The packages to install: a file of uv's with its extras, or else lines.

    Relative paths in `text` begin at `folder`. `label` names the place in messages.
    """

    label: str
    text: str
    folder: Path
    file: Path | None = None
    extras: tuple[str, ...] = ()


def read_required(config: Config, source: Path) -> Required | None:
    """Read the packages that a config asks for; None if there are none.

    Raises: ArchiveError, if a file cannot be read, or the runtime is not Python.
    """
    listed, function = config.function.requirements, config.function
    if python_minor(function.runtime) is None:
        if listed:
            raise ArchiveError(
                f"lambda.requirements are packages of Python; the runtime of {function.name} is "
                f"{function.runtime}.",
                "Take lambda.requirements out, or set a runtime such as python3.13.",
            )
        return None
    required = _required(config, source)
    return None if required is None or is_empty(required.text) else required


def _required(config: Config, source: Path) -> Required | None:
    listed = config.function.requirements
    if isinstance(listed, tuple):
        return Required("lambda.requirements", "\n".join(listed), config.file.parent.resolve())
    path, extras = requirements_path(listed or "")
    file = config.beside(path).resolve() if listed else source / FILE
    if not listed and not file.is_file():
        return None
    if file.is_symlink():
        # uv quotes lines of the file in its errors, so a link must not reveal another one.
        check_link(file, source.resolve())
    if file.name in _EXPORTS:
        raise ArchiveError(
            f"kappa does not read {file}.",
            f"Export it: `{_EXPORTS[file.name]}`, and set `requirements: {FILE}`.",
        )
    file = file.resolve()
    return Required(str(file), read_requirements(file), file.parent, file, extras)


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


@contextmanager
def installed(config: Config, required: Required) -> Iterator[Path]:
    """Install packages and yield their folder, which exists until the end of the block.

    Raises: ArchiveError, with uv's reasons.
    """
    if required.file is None or required.file.suffix not in (".lock", ".toml"):
        _check_lines(required.label, required.text, required.folder, set())
    build = config.function.build_packages
    with tempfile.TemporaryDirectory(prefix="kappa-", ignore_cleanup_errors=True) as temporary:
        packages = Path(temporary, "packages")
        packages.mkdir()
        _install(config, required, packages)
        _check_wheels(packages, build, _platform(config))
        _drop_variable_files(packages)
        yield packages


def _check_lines(label: str, text: str, folder: Path, seen: set[Path]) -> None:
    """Refuse editable packages, which uv builds whatever its options; note included files."""
    text = _COMMENT.sub("", text)
    if match := _EDITABLE.search(text):
        raise ArchiveError(
            f"{label}: {match[0].strip()} is editable: that runs the package's code here.",
            "Take -e out and name the package in lambda.build_packages, or list its folder in "
            "lambda.dependencies.",
        )
    for match in _INCLUDED.finditer(text):
        file = folder / match[1]
        depends_on(file)
        if file not in seen and file.is_file():
            seen.add(file)
            _check_lines(str(file), read_requirements(file), file.parent, seen)


def _platform(config: Config) -> str:
    function = config.function
    version = function.runtime.removeprefix("python")
    return f"Python {version} on {function.architecture} Linux"


def _install(config: Config, required: Required, into: Path) -> None:
    function, minor = config.function, python_minor(config.function.runtime) or 0
    # Source: AWS Lambda guide, "Lambda runtimes": Python 3.12 and later run on Amazon Linux 2023.
    libc = "manylinux_2_34" if minor >= 12 else "manylinux2014"
    lines, named = required.text, ["-"]
    if required.file is not None:
        lines, named = "", [str(required.file), *_extras(required.extras)]
        if required.file.name == "uv.lock":
            lines, named = _locked(required), ["-"]
    command = [
        *("pip", "install", "--target", str(into), "--python", sys.executable),
        *("--python-platform", f"{_MACHINES[function.architecture]}-{libc}"),
        # Lambda runs the newest patch level: the highest number stands for it.
        *("--python-version", f"3.{minor}.99", "--only-binary=:all:"),
        # What is built here is built anew: uv notices few changes of a folder.
        *(word for name in function.build_packages for word in _built(name)),
        *("--requirements", *named),
    ]
    problem = f"The packages of {required.label} could not be installed for {_platform(config)}:"
    _run(command, required.folder, lines, problem)


def _extras(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("--extra", name)]


def _built(name: str) -> tuple[str, ...]:
    return ("--no-binary", name, "--refresh-package", name)


def _locked(required: Required) -> str:
    """The locked packages of the project beside uv.lock, which must fit its pyproject.toml."""
    project = required.folder / "pyproject.toml"
    depends_on(project)
    if not project.is_file():
        # uv would look for a project in the folders above.
        raise ArchiveError(f"{required.label}: there is no pyproject.toml beside it.")
    command = [
        *("export", "--locked", "--no-editable", "--no-emit-project", "--no-default-groups"),
        *("--no-header", "--no-annotate", *_extras(required.extras)),
    ]
    return _run(command, required.folder, "", f"{required.label} could not be read:")


def _run(command: list[str], folder: Path, lines: str, problem: str) -> str:
    """Run uv and return its output.

    Raises: ArchiveError, with the first lines of its errors.
    """
    import uv  # most functions have no packages

    words = [uv.find_uv_bin(), *command, "--quiet", "--color=never"]
    try:
        done = subprocess.run(
            words,
            input=lines.encode(),
            capture_output=True,
            cwd=folder,
            env={**_pips_indexes(), **os.environ},
            timeout=_DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ArchiveError(f"{problem} uv did not end within {_DEADLINE_S} s.") from error
    if done.returncode:
        errors = masked(done.stderr.decode("utf-8", "replace"))
        raise ArchiveError(f"{problem}\n{_reasons(errors)}", _hint(errors))
    return done.stdout.decode()


def _pips_indexes() -> dict[str, str]:
    """The two settings of pip that kappa reads, as uv's; uv's own win."""
    names = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX"}
    return {uvs: os.environ[pips] for pips, uvs in names.items() if os.environ.get(pips)}


def _reasons(errors: str) -> str:
    """The first lines of uv's errors, indented, without its hints about options."""
    parts = re.split(r"\n\s*\n(?=hint:)", errors.strip())
    text = "\n".join([parts[0], *(part for part in parts[1:] if "`--" not in part)])
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    shown = [*lines[:_MAX_LINES], *(["..."] if len(lines) > _MAX_LINES else [])]
    return "\n".join(f"    {line}" for line in shown)


def _hint(errors: str) -> str:
    if "error sending request" in errors or "Failed to fetch" in errors:
        return "Is the network up? PIP_INDEX_URL names another index."
    if re.search(r"source distributions? .*disabled|no (usable )?wheels|platform", errors):
        return (
            "Only wheels are installed. Choose a version that has one, another "
            "lambda.architectures or lambda.runtime, or name a .whl file that you built for "
            "Lambda. A pure Python package that you trust: add its name to lambda.build_packages."
        )
    return ""


def _check_wheels(folder: Path, build: Collection[str], platform: str) -> None:
    """Refuse what was built for this machine, here or before: uv takes it from its cache.

    Source: Python packaging guide, "Binary distribution format": WHEEL, Tag.
    """
    named = {_canonical(name) for name in build}
    for file in sorted(folder.glob("*.dist-info/WHEEL")):
        label = file.parent.name.removesuffix(".dist-info")
        tags = re.findall(r"^Tag: *(\S+)", file.read_text("utf-8", "replace"), re.MULTILINE)
        is_pure = any(tag.endswith("-none-any") for tag in tags)
        is_local = all(tag.rpartition("-")[2].startswith("linux_") for tag in tags)
        if tags and (is_local or (_canonical(label.partition("-")[0]) in named and not is_pure)):
            raise ArchiveError(
                f"The build of {label} gave a wheel for this machine ({tags[0]}), not for "
                f"{platform}.",
                "Only pure Python packages can be built here. Build this one on Amazon Linux, and "
                "name the .whl file.",
            )


def _canonical(name: str) -> str:
    """Write a package's name as indexes compare it.

    Source: Python packaging guide, "Names and normalization".
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _drop_variable_files(folder: Path) -> None:
    """Remove files that differ between machines, so that the same input gives the same bytes."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    (folder / ".lock").unlink(missing_ok=True)
    if not (folder / "include" / "__init__.py").exists():  # the headers of C
        shutil.rmtree(folder / "include", ignore_errors=True)
    for info in folder.glob("*.dist-info"):
        for name in _DROPPED:
            (info / name).unlink(missing_ok=True)
