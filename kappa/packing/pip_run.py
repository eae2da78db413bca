"""Run pip so that it only unpacks wheels and no package's code runs on this machine.

It owns the child process, its environment and its error messages. It must not know what happens to
the installation.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kappa.errors import ArchiveError
from kappa.texts import masked

DEADLINE_S = 600
_NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")
_NOT_A_WHEEL = re.compile(r"kappa: not a wheel: (.*)")
_LISTED = re.compile(r"\(from -r \S*/lambda\.requirements \(line (\d+)\)\)")
_OTHER_MACHINE = re.compile(r"ERROR: (\S+\.whl) is not a supported wheel")
_UNREACHABLE = ("Retrying (", "NewConnectionError", "Temporary failure", "ProxyError")
# Despite --only-binary, pip builds a folder, an archive at a URL, a checkout or an editable. All of
# them pass through the two methods below. pip would also use wheels from its cache that it built
# for this machine. A pip without these names is not run at all.
# Source: pip documentation, "pip install", --only-binary; "Caching", locally built wheels.
#
# pip chooses wheels for the given platform, but evaluates markers such as
# `python_version < "3.12"` with the running Python, so the script replaces their values.
# Source: pip documentation, "pip install", --platform; pip's issue 11664.
#
# The pipe closes when kappa ends for any reason, and then pip ends too.
_RUN_PIP = """
import json, os, runpy, sys, threading
parent, answers = int(sys.argv.pop(1)), json.loads(sys.argv.pop(1))
threading.Thread(target=lambda: (os.read(parent, 1), os._exit(1)), daemon=True).start()
from pip._internal.cache import WheelCache
from pip._internal.exceptions import InstallationError
from pip._internal.operations.prepare import RequirementPreparer
from pip._vendor.packaging import markers

def wheels_only(prepare):
    def checked(self, req, *more, **named):
        link = req.link
        if req.editable or not link or not link.is_wheel or link.is_vcs or link.is_existing_dir():
            raise InstallationError(f"kappa: not a wheel: {req}")
        return prepare(self, req, *more, **named)
    return checked

for name in ("prepare_linked_requirement", "prepare_editable_requirement"):
    setattr(RequirementPreparer, name, wheels_only(getattr(RequirementPreparer, name)))
WheelCache.get_cache_entry
WheelCache.get_cache_entry = lambda *_, **__: None
markers.default_environment = lambda: dict(answers)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
# The user's own pip settings apply, except these: they conflict with --target, install nothing or
# run another Python, which would not be guarded.
_ENVIRONMENT = {
    "PIP_DRY_RUN": "0",
    "PIP_QUIET": "0",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_USER": "0",
    "_PIP_RUNNING_IN_SUBPROCESS": "1",
}


def settings() -> str:
    """Read pip's effective configuration, from files and environment, as `name='value'` lines.

    Source: pip documentation, "pip config": list.
    Raises: ArchiveError, if a file of it cannot be read.
    """
    command = [sys.executable, "-P", "-m", "pip", "config", "list"]
    env = {**os.environ, **_ENVIRONMENT, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=env, check=False
    )
    if done.returncode:
        raise ArchiveError(
            f"pip failed: {_problem(masked(done.stderr))}",
            f"`{sys.executable} -m pip config debug` names the files that it reads.",
        )
    return done.stdout


def run(
    arguments: Sequence[str],
    folder: Path,
    temporary: Path,
    markers: Mapping[str, str],
    machine: object,
) -> str:
    """Run `pip install` in a folder and return its output.

    If it is killed, its leftovers are in `temporary`.
    Raises: ArchiveError, naming the package that has no wheel for the machine.
    """
    reads, writes = os.pipe()
    command = [sys.executable, "-P", "-c", _RUN_PIP, str(reads), json.dumps(dict(markers))]
    try:
        done = subprocess.run(
            [*command, "install", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, **_ENVIRONMENT, "TMPDIR": str(temporary)},
            pass_fds=(reads,),
            check=False,
            timeout=DEADLINE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ArchiveError(f"pip did not finish within {DEADLINE_S} s.") from error
    finally:
        os.close(reads)
        os.close(writes)
    if done.returncode:
        raise _error(done.stderr + done.stdout, machine)
    return done.stdout


def _error(output: str, machine: object) -> ArchiveError:
    output = masked(output)
    output = _LISTED.sub(r"(lambda.requirements, line \1)", output)
    if source := _NOT_A_WHEEL.search(output):
        return ArchiveError(
            f"{source[1]} is not a wheel. kappa builds no package: that would run its code here, "
            f"and what it compiles would not be for {machine}.",
            "Build a wheel for Lambda (`pip wheel --no-deps`) and name the .whl file, or list the "
            "folder in lambda.dependencies.",
        )
    if wheel := _OTHER_MACHINE.search(output):
        return ArchiveError(
            f"The wheel {wheel[1]} is not for {machine}.",
            "Name one that is, or correct lambda.runtime or lambda.architectures.",
        )
    if any(sign in output for sign in _UNREACHABLE):
        return ArchiveError(
            "pip could not reach the package index.",
            "Is the network up? PIP_INDEX_URL and PIP_FIND_LINKS name other sources.",
        )
    if missing := _NO_WHEEL.search(output):
        return ArchiveError(
            f"The package {missing[1]} has no wheel for {machine}.",
            "Are name and version right? Otherwise choose a version that has one, use the other "
            "architecture, or build a wheel and name its folder in PIP_FIND_LINKS.",
        )
    if "RequirementPreparer" in output or "WheelCache" in output or "pip._internal" in output:
        return ArchiveError(
            f"This pip cannot be kept from building packages: {output.strip().splitlines()[-1]}.",
            f"Run `{sys.executable} -m pip install --upgrade pip`, or upgrade kappa.",
        )
    return ArchiveError(f"pip failed: {_problem(output)}")


def _problem(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    problem = (lines or output.strip().splitlines() or ["it gave no reason"])[0]
    if problem == "ERROR: Exception:":
        # A traceback follows; its last line is the error.
        problem = next(line for line in reversed(output.splitlines()) if line.strip()).strip()
    return problem.removeprefix("ERROR: ")
