"""What pyproject.toml asks for becomes requirements; what it does not tell is an error."""

import pytest

from kappa.errors import ArchiveError
from kappa.packing import project_table
from tests.support.kappa.wheels import X86

PROJECT = """
[project]
name = "My.App"
dependencies = ["tea>=1,<2", "cup[milk]; python_version < '3.12'", "jug @ https://host/jug.whl"]
[project.optional-dependencies]
all = ["my-app[Extra_fast]", "my_app[old]; python_version < '3.12'", "mug"]
extra-fast = ["pot==2.0"]
old = ["kettle"]
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text, *extras):
        file = tmp_path / "pyproject.toml"
        file.write_text(text)
        return project_table.read(file, extras, X86).splitlines()

    return read_text


def test_the_dependencies_become_requirements(read):
    assert read(PROJECT) == [
        "tea<2,>=1",
        'cup[milk]; python_version < "3.12"',
        "jug @ https://host/jug.whl",
    ]


def test_extras_bring_their_own_and_those_that_they_name(read):
    assert read(PROJECT, "ALL")[3:] == ["mug", "pot==2.0"]
    assert read(PROJECT, "extra.fast", "all")[3:] == ["pot==2.0", "mug"]


@pytest.mark.parametrize(
    ("text", "extras", "message", "hint"),
    [
        ("[tool.poetry]", (), r"has no table \[project\]", "poetry export"),
        ("[project]\ndynamic = ['dependencies']", (), "are dynamic", "requirements file"),
        ("[project]\ndynamic = ['optional-dependencies']", ("x",), "are dynamic", "requirements"),
        (PROJECT, ("fast",), "has no extra fast", "all, extra-fast, old"),
        ("[project]\ndependencies = ['-e .']", (), r"'-e \.' is not a requirement", ""),
        ("[project]\ndependencies = ['tea\\n-f /x']", (), "is not a requirement", ""),
        ("[project]\ndependencies = 'tea'", (), r"Expected `array`.*dependencies", ""),
        ("[project", (), r"pyproject\.toml: ", ""),
        (
            PROJECT + "[tool.uv.sources]\nTea = {path = 'x'}",
            (),
            r"\[tool\.uv\.sources\] sets where tea",
            "uv.lock",
        ),
        (
            PROJECT + "[tool.poetry.dependencies]\ncup = {git = 'x'}",
            (),
            r"\[tool\.poetry\.dependencies\] sets where cup",
            "poetry export",
        ),
    ],
)
def test_what_the_table_does_not_tell_is_an_error(read, text, extras, message, hint):
    with pytest.raises(ArchiveError, match=message) as caught:
        read(text, *extras)
    assert hint in caught.value.hint
    assert "pyproject.toml" in caught.value.message


def test_a_version_that_poetry_adds_is_no_other_place(read):
    assert read(PROJECT + "[tool.poetry.dependencies]\ncup = '^1'\ntea = {version = '1'}")


def test_a_project_without_dependencies_asks_for_none(read):
    assert read("[project]\nname = 'app'") == []
