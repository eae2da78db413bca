"""make's errors for missing programs, before it installs anything."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# a Python that makes no environment: a test that is wrong must not install anything
PYTHON = f"""case "$*" in *venv*) echo installing; exit 1;; esac; exec {sys.executable} "$@\""""
SHELL = ("awk", "cat", "cd", "env", "grep", "rm", "sh", "touch", "uname")


@pytest.fixture
def checkout(tmp_path):
    """Only what the set-up rules look at, and nothing that is set up yet."""
    for name in ("Makefile", "pyproject.toml", "requirements", "s3-website/package-lock.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def make(checkout):
    """Run make with nothing on the PATH but a shell's commands, Python, and some programs."""

    def run(target, **programs):
        folder = checkout / "bin"
        folder.mkdir()
        for name in SHELL:
            if found := shutil.which(name):
                (folder / name).symlink_to(found)
        for name, lines in ({"python3": PYTHON} | programs).items():
            (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
            (folder / name).chmod(0o755)
        return subprocess.run(
            [shutil.which("make"), target],
            cwd=checkout,
            env={"PATH": str(folder)},
            capture_output=True,
            text=True,
        )

    return run


OLD_NODE = """case "$2" in *"< 18 ? 1 : 0"*) exit 1;; esac"""
NODE = f"""exec {shutil.which("node")} "$@\""""
OLD_PYTHON = "exit 1"
NO_NPM = "Error: npm is missing: install Node.js 18 or newer"


@pytest.mark.parametrize("target", ["local", "test"])
@pytest.mark.parametrize(
    ("programs", "message"),
    [
        ({}, NO_NPM),
        ({"node": NODE}, NO_NPM),
        ({"npm": "exit 0"}, "Error: this Node.js is too old or missing: install Node.js 18"),
        ({"npm": "exit 0", "node": OLD_NODE}, "Error: this Node.js is too old or missing"),
        (
            {"npm": "exit 0", "node": NODE, "python3": OLD_PYTHON},
            "Error: Python 3.11 or newer is needed",
        ),
    ],
)
def test_a_missing_program_is_reported_before_anything_is_installed(
    make, checkout, target, programs, message
):
    done = make(target, **programs)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (checkout / ".venv").exists()
    assert not (checkout / "s3-website/node_modules").exists()


def test_help_needs_nothing(make):
    done = make("help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "make local" in done.stdout
