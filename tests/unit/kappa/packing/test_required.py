"""The packages that a config asks for, in whichever file they are listed."""

import pytest
from msgspec.structs import replace

from kappa.errors import ArchiveError
from kappa.packing.required import read_required
from tests.support.builders import kappa_config
from tests.support.kappa.wheels import X86


@pytest.fixture
def read(project):
    def read_keys(**function):
        config = replace(kappa_config(function), file=project / "config.yml")
        return read_required(config, project / "code", X86)

    return read_keys


def test_a_list_is_relative_to_the_config(read, project):
    required = read(requirements=("tea", "./cup"), build_packages=("cup",))
    assert (required.text(), required.folder, required.is_complete, required.build) == (
        "tea\n./cup",
        project,
        False,
        {"cup"},
    )


def test_a_file_is_relative_to_itself_and_left_to_pip(read, project):
    (project / "code" / "requirements.txt").write_text("tea\n")
    (project / "needs.in").write_text("cup\n")
    assert read().requirements == project / "code" / "requirements.txt"
    assert read(requirements="needs.in").requirements == project / "needs.in"


def test_a_project_and_its_lock_are_read_with_their_extras(read, project):
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\ndependencies = ["tea"]\n'
        '[project.optional-dependencies]\nmilk = ["cow"]\nsugar = ["cane"]\n'
    )
    (project / "uv.lock").write_text(
        'version = 1\n[[package]]\nname = "app"\nsource = { virtual = "." }\n'
        "dependencies = []\n[package.optional-dependencies]\nmilk = []\n"
    )
    assert read(requirements="pyproject.toml").text() == "tea\n"
    required = read(requirements="./pyproject.toml[milk, sugar]")
    assert (required.text(), required.is_complete) == ("tea\ncow\ncane\n", False)
    assert read(requirements="uv.lock[milk]") is None


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("poetry.lock", "poetry export"),
        ("Pipfile", "pipenv requirements"),
        ("pylock.toml", "uv export"),
    ],
)
def test_a_lock_of_another_tool_is_exported_first(read, project, name, command):
    (project / name).write_text("")
    with pytest.raises(ArchiveError, match=f"does not read .*{name}") as caught:
        read(requirements=name)
    assert command in caught.value.hint


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock[fast]"])
def test_a_missing_file_is_named(read, name):
    with pytest.raises(ArchiveError, match=r"(pyproject\.toml|uv\.lock): No such file"):
        read(requirements=name)
