"""Find Python files that no import can read, before they are uploaded.

Owns which Python reads them: the runtime's where it is installed, else the one that runs kappa,
whose word counts only if it is no older. The code is compiled in a process of its own and never
run.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass

from kappa.errors import ConfigError
from kappa.packing import contents
from kappa.packing.archive import Archive

_DEADLINE_S = 60
# Reads a zip, compiles each file in it, and prints its own version and what it cannot read.
_COMPILE = """
import io, json, sys, warnings, zipfile
warnings.simplefilter("ignore")
problems = []
with zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())) as code:
    for name in code.namelist():
        try:
            compile(code.read(name), name, "exec", dont_inherit=True)
        except SyntaxError as error:
            problems.append((name, error.lineno or 1, error.msg))
        except ValueError as error:
            problems.append((name, 1, str(error)))
        except (RecursionError, MemoryError):
            pass
print(json.dumps({"minor": sys.version_info[1], "problems": problems}))
"""


@dataclass(frozen=True)
class Problem:
    """What a Python cannot read. `is_certain`: neither can the runtime's."""

    name: str
    line: int
    message: str
    minor: int
    is_certain: bool

    def __str__(self) -> str:
        """The problem in words, with its file and line."""
        text = f"{self.name}:{self.line}: {self.message} (Python 3.{self.minor}"
        return f"{text})" if self.is_certain else f"{text}; the runtime is newer and may read it)"


def problems(runtime: str, archive: Archive) -> list[Problem]:
    """Compile the function's own Python files; those of packages are left out."""
    match = re.fullmatch(r"python3\.(\d{1,3})", runtime)
    own = _own_code(archive) if match else None
    if match is None or own is None:
        return []
    wanted = int(match[1])
    for python in (shutil.which(f"python3.{wanted}"), sys.executable):
        found = _compiled(python, own) if python else None
        if found is not None:
            minor, rows = found
            return [
                Problem(name, line, message, minor, minor >= wanted) for name, line, message in rows
            ]
    return []


def refuse(found: list[Problem]) -> None:
    """Refuse code that the runtime cannot read.

    Raises: ConfigError, naming the first file and line.
    """
    certain = [problem for problem in found if problem.is_certain]
    if certain:
        more = f" and {len(certain) - 1} more" if len(certain) > 1 else ""
        raise ConfigError(
            f"Python cannot read {certain[0]}{more}.",
            "Correct the code, or leave --strict out to be warned only.",
        )


def _own_code(archive: Archive) -> bytes | None:
    foreign = contents.packages(archive.data, archive.installed)
    names = [name for name in archive.names if name.endswith(".py") and name not in foreign]
    if not names:
        return None
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive.data)) as packed,
        zipfile.ZipFile(buffer, "w") as own,
    ):
        for name in names:
            own.writestr(name, packed.read(name))
    return buffer.getvalue()


def _compiled(python: str, code: bytes) -> tuple[int, list[tuple[str, int, str]]] | None:
    """Ask a Python; None if it is not one, such as a launcher of a version that is not there."""
    command = [python, "-I", "-S", "-c", _COMPILE]
    try:
        done = subprocess.run(
            command, input=code, capture_output=True, check=True, timeout=_DEADLINE_S
        )
        answer = json.loads(done.stdout)
        return int(answer["minor"]), [tuple(one) for one in answer["problems"]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
