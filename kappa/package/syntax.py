"""Refuse code that the runtime cannot read, before it is uploaded. No code is run.

It owns who reads the code: Python here, and where it knows less than the runtime, the runtime's own
if it is installed; node, if there is one. Installed packages are not the user's to correct.
"""

from __future__ import annotations

import ast
import io
import json
import re
import shutil
import subprocess
import sys
import warnings
import zipfile

from kappa.config.model import Config
from kappa.errors import ArchiveError
from kappa.package.compare import package_by_file
from kappa.package.find_python import find_python, python_minor
from kappa.package.zip import Archive

_HINT = "Correct it. Name a file that the function does not need in .lambdaignore."
# The file name of the code in warnings.
_NAME = "kappa: code to deploy"
# Any Python from 3.6 on may run it.
_PYTHON = """
import json, sys
try:
    compile(sys.stdin.buffer.read(), "", "exec")
except (SyntaxError, ValueError) as error:
    print(json.dumps([getattr(error, "lineno", 0) or 1, getattr(error, "msg", "") or str(error)]))
"""
# Not `node --check`, which takes one file, a third of a second for each.
_NODE = """
const vm = require("node:vm");
const files = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const given = ["exports", "require", "module", "__filename", "__dirname"];
for (const [name, text] of Object.entries(files)) {
  const code = text.replace(/^#!/, "//");
  try {
    vm.compileFunction(code, given, { filename: name });
  } catch (error) {
    if (name.endsWith(".cjs")) throw error;
    try {
      new vm.SourceTextModule(code, { identifier: name });
    } catch (moduleError) {
      throw name.endsWith(".mjs") || /^\\s*(import|export)\\b/m.test(code) ? moduleError : error;
    }
  }
}
"""


def check_syntax(config: Config, archive: Archive) -> str:
    """Refuse the user's own Python and JavaScript that the runtime cannot read.

    Returns a note on code that only an older runtime than the function's was here to read; or "".
    Raises: ArchiveError, naming file and line.
    """
    runtime = config.function.runtime
    if python_minor(runtime) is not None:
        own = _own_files(archive, (".py",))
        return next(filter(None, (_check_python(config, *item) for item in own.items())), "")
    if runtime.startswith("nodejs"):
        return _check_scripts(config, _own_files(archive, (".js", ".mjs", ".cjs")))
    return ""


def _own_files(archive: Archive, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    names = [name for name in archive.names if name.endswith(suffixes)]
    foreign = package_by_file(archive.data, archive.installed) if names else {}
    with zipfile.ZipFile(io.BytesIO(archive.data)) as packed:
        return {
            name: packed.read(name)
            for name in names
            if name not in foreign and "node_modules" not in name.split("/")
        }


def _check_python(config: Config, name: str, code: bytes) -> str:
    minor, ours = python_minor(config.function.runtime) or 0, sys.version_info.minor
    warnings.filterwarnings("ignore", module=re.escape(_NAME))
    try:
        tree = ast.parse(code, _NAME, feature_version=(3, min(minor, ours)))
        compile(tree, _NAME, "exec", dont_inherit=True)
        return ""
    except SyntaxError as error:
        line, problem = error.lineno or 1, error.msg
    except ValueError as error:
        line, problem = 1, str(error)
    except (RecursionError, MemoryError):
        return ""  # nested too deeply for this Python
    if minor <= ours:
        raise _refusal(config, name, line, problem, f"Python 3.{minor}")
    python = find_python(minor)
    if python is None:
        return _note(config, name, line, problem, f"Python 3.{ours}")
    command = [python, "-I", "-S", "-c", _PYTHON]
    done = subprocess.run(command, input=code, capture_output=True, check=True)
    if done.stdout:
        line, problem = json.loads(done.stdout)
        raise _refusal(config, name, line, problem, f"Python 3.{minor}")
    return ""


def _check_scripts(config: Config, files: dict[str, bytes]) -> str:
    node = shutil.which("node") if files else None
    if node is None:
        return ""
    texts = {name: code.decode("utf-8", "replace") for name, code in files.items()}
    command = [node, "--no-warnings", "--experimental-vm-modules", "-e", _NODE]
    done = subprocess.run(
        command,
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
    )
    place = re.match(r"(.*):(\d+)\n", done.stderr)
    problem = re.search(r"^SyntaxError: (.*)", done.stderr, re.MULTILINE)
    version = re.search(r"^Node\.js v(\d+)", done.stderr, re.MULTILINE)
    if not (done.returncode and place and problem and version and place[1] in files):
        return ""
    reader, where = f"Node.js {version[1]}", (place[1], int(place[2]), problem[1])
    wanted = re.match(r"nodejs(\d+)", config.function.runtime)
    if wanted and int(wanted[1]) > int(version[1]):
        return _note(config, *where, reader)
    raise _refusal(config, *where, reader)


def _refusal(config: Config, name: str, line: int, problem: str, reader: str) -> ArchiveError:
    place = _place(config, name)
    return ArchiveError(f"{place}:{line}: {reader} cannot read this: {problem}.", _HINT)


def _note(config: Config, name: str, line: int, problem: str, reader: str) -> str:
    return (
        f"{_place(config, name)}:{line}: {reader} cannot read this: {problem}. "
        f"{config.function.runtime} is newer and not installed here, so it may."
    )


def _place(config: Config, name: str) -> str:
    """The user's own file, where it is in the code's folder."""
    own = config.beside(config.function.path)
    return str(own / name) if (own / name).is_file() else str(own) if own.is_file() else name
