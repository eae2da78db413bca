"""Which Python is found for a version."""

import sys

import pytest

from kappa.package import find_python as module
from kappa.package.find_python import find_python


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH with these programs, and a uv of these words."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module.uv, "find_uv_bin", lambda: str(tmp_path / "uv"))

    def add(**texts):
        for name, text in texts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
            (tmp_path / name).rename(tmp_path / name.replace("_", "."))

    return add


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({}, None),
        ({"uv": "exit 2"}, None),
        ({"uv": 'echo "/uv/$6"'}, "/uv/3.99"),
        ({"uv": "exit 2", "python3_99": "echo /own/python3.99"}, "/own/python3.99"),
        ({"uv": "echo /uv/python", "python3_99": "echo /own/python3.99"}, "/own/python3.99"),
        # a version manager's launcher of a version that is not selected
        ({"uv": "exit 2", "python3_99": "echo not selected >&2; exit 127"}, None),
        ({"uv": "echo /uv/python", "python3_99": "exit 127"}, "/uv/python"),
    ],
)
def test_a_version_is_found_on_the_path_or_with_uv(programs, texts, found):
    programs(**texts)
    assert find_python(99) == found


def test_kappas_own_python_needs_no_search(programs):
    programs(uv="exit 2")
    assert find_python(sys.version_info.minor) == sys.executable
