"""The command line: what is accepted where, and how an error ends."""

import pytest

import kappa
from tests.support.kappa.shell import shell


@pytest.mark.parametrize(
    "args",
    [
        ["create"],
        ["c.yml"],
        ["c.yml", "nope"],
        ["--nope"],
        ["c.yml", "tail", "--since", "x"],
        ["c.yml", "rollback", "--to", "abc"],
        ["c.yml", "rollback", "--to", "-1"],
    ],
)
def test_a_usage_error_exits_2(args):
    assert shell(*args).returncode == 2


def test_a_missing_config_exits_2_with_one_clear_error(tmp_path):
    done = shell(str(tmp_path / "nowhere.yml"), "create")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback_of_an_error(tmp_path):
    done = shell(str(tmp_path / "nowhere.yml"), "create", "--debug")
    assert "Traceback" in done.stderr


def test_the_version_is_the_packages():
    assert shell("--version").stdout == f"kappa {kappa.__version__}\n"
