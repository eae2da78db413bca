"""Which of the installed Pythons stands behind a launcher."""

import pytest

from kappa.packing.find_python import find_python, newest

NAME = "python3.99"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Add a version of a manager whose launcher is first on the PATH."""

    def add(folder):
        file = tmp_path / folder / NAME
        file.parent.mkdir(parents=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
        return str(file)

    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    add("shims")
    return add


def test_the_newest_release_is_chosen(installed):
    installed("versions/3.99.9/bin")
    newer = installed("versions/3.99.12/bin")
    assert find_python(NAME) == newer


@pytest.mark.parametrize("other", ["tea-env", "miniconda3-9.1", "3.99.1t", "3.99.1rc1", "3.99-dev"])
def test_a_release_wins_over_what_is_named_otherwise(installed, other):
    release = installed("versions/3.99.1/bin")
    installed(f"versions/{other}/bin")
    assert find_python(NAME) == release


def test_another_python_is_better_than_the_launcher(installed):
    other = installed("versions/tea-env/bin")
    assert find_python(NAME) == other


def test_of_no_paths_none_is_newest():
    assert newest([]) is None
