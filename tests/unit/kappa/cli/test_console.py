"""What is printed: lines of progress, and how an error ends."""

from pathlib import Path

import pytest

import kappa
from kappa.cli import console
from kappa.errors import ConfigError, Denied
from kappa.plan.step import Report
from tests.support.kappa.shell import shell


def fails(error):
    def run():
        raise error

    return run


def test_an_error_ends_with_message_hint_and_its_exit_code(capsys):
    assert console.exit_code(fails(ConfigError("wrong", "do this")), debug=False) == 2
    assert capsys.readouterr().err == "Error: wrong\n  do this\n"
    assert console.exit_code(fails(Denied("no")), debug=False) == 1


def test_ctrl_c_exits_130_and_says_how_to_go_on(capsys):
    import click

    assert console.exit_code(fails(click.exceptions.Abort()), debug=False) == 130
    assert "run the same command again to finish" in capsys.readouterr().err


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        console.exit_code(fails(ZeroDivisionError()), debug=False)


def test_a_line_of_progress_has_mark_message_and_time():
    import click

    line = click.unstyle(console.report_line(Report("created", "role r", 1.23)))
    assert line == "created    role r  1.2 s"


def test_every_mark_fits_its_column():
    files = set(Path(kappa.__file__).parent.rglob("*.py")) - {Path(console.__file__)}
    text = "".join(path.read_text() for path in files)
    assert all(mark in text and len(mark) <= 10 for mark in console._COLOURS)


def test_every_error_begins_alike():
    wrong = (shell("c.yml", "nope"), shell("nowhere.yml", "status"), shell("--nope"))
    assert [
        sum(line.startswith("Error: ") for line in one.stderr.splitlines()) for one in wrong
    ] == [
        1,
        1,
        1,
    ]
