"""Find Python files with syntax errors before they are uploaded. No code is run.

It owns which Python compiles them. The one that runs kappa does, if it is not newer than the
runtime: a newer Python reads whatever an older one does. The runtime's own Python is started only
if kappa's is newer, or older and finds errors, since starting it takes longer than a call to AWS.
An error is certain only if the Python that found it is not older than the runtime's.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import warnings
import zipfile

import msgspec

from kappa.errors import ConfigError
from kappa.packing import compile_code
from kappa.packing.archive import Archive
from kappa.packing.find_python import find_python, python_minor
from kappa.packing.package_files import package_by_file

_DEADLINE_S = 60
_HINT = "Correct the code, or leave --strict out to be warned only."


class Problem(msgspec.Struct, frozen=True):
    """A syntax error in a file. `is_certain`: the runtime cannot read the file either."""

    name: str
    line: int
    message: str
    minor: int
    is_certain: bool

    def __str__(self) -> str:
        """The message with its file and line."""
        text = f"{self.name}:{self.line}: {self.message} (Python 3.{self.minor}"
        return f"{text})" if self.is_certain else f"{text}; the runtime is newer and may read it)"


def problems(runtime: str, archive: Archive) -> list[Problem]:
    """Find the syntax errors in the function's own Python files, without those of packages."""
    runtime_minor = python_minor(runtime)
    if runtime_minor is None:
        return []
    own = _own_code(archive)
    if not own:
        return []
    names, files = list(own), list(own.values())
    minor, rows = _compiled(files, runtime_minor)
    return [
        Problem(names[number], line, message, minor, minor >= runtime_minor)
        for number, line, message in rows
    ]


def refuse(listed: list[Problem], hint: str = _HINT) -> None:
    """Refuse code that the runtime cannot read.

    Raises: ConfigError, naming the first file and line.
    """
    certain = [problem for problem in listed if problem.is_certain]
    if certain:
        more = f" and {len(certain) - 1} more" if len(certain) > 1 else ""
        raise ConfigError(
            f"Python cannot read {certain[0]}{more}.",
            hint,
        )


def _own_code(archive: Archive) -> dict[str, bytes]:
    foreign = package_by_file(archive.data, archive.installed)
    names = [name for name in archive.names if name.endswith(".py") and name not in foreign]
    with zipfile.ZipFile(io.BytesIO(archive.data)) as packed:
        return {name: packed.read(name) for name in names}


# The minor version of Python that compiled the files; number, line and message of each error.
_Compiled = tuple[int, list[tuple[int, int, str]]]


def _compiled(files: list[bytes], runtime_minor: int) -> _Compiled:
    """Compile here if that settles it, otherwise with the runtime's Python if it is installed."""
    if sys.version_info.minor > runtime_minor:
        return _compiled_by_another(runtime_minor, files) or _compiled_here(files)
    here = _compiled_here(files)
    if here[1] and sys.version_info.minor < runtime_minor:
        return _compiled_by_another(runtime_minor, files) or here
    return here


def _compiled_here(files: list[bytes]) -> _Compiled:
    """Compile in this process, with Python's warnings suppressed."""
    warnings.filterwarnings("ignore", module=re.escape(compile_code.NAME))
    return sys.version_info.minor, compile_code.unreadable(files)


def _compiled_by_another(minor: int, files: list[bytes]) -> _Compiled | None:
    """Compile with the runtime's Python; None if it does not run.

    A launcher may exist for a version that is not installed.
    """
    python = find_python(minor)
    if python is None:
        return None
    command = [python, "-I", "-S", compile_code.__file__]
    stdin = b"".join(b"%d\n%b" % (len(text), text) for text in files)
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, check=True, timeout=_DEADLINE_S
        )
        answer = json.loads(done.stdout)
        rows = [(int(file), int(line), str(message)) for file, line, message in answer["problems"]]
        return int(answer["minor"]), [row for row in rows if row[0] < len(files)]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
