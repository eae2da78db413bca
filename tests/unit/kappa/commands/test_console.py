"""What is printed: lines of progress, and how an error ends."""

import json
import sys
from pathlib import Path

import pytest

import kappa
from kappa.commands import console
from kappa.errors import ConfigError, Denied, KappaError
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


@pytest.fixture
def secrets(monkeypatch):
    """Hide some secrets, in this test alone."""
    monkeypatch.setattr(console, "_SECRETS", {})
    for text in ("password", "password-of-db", "12345678", "7-chars"):
        console.hide_secret(text, f"${{secret:{len(text)}}}")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("pg://u:password@h", "pg://u:${secret:8}@h"),
        ("password-of-db, password", "${secret:14}, ${secret:8}"),
        ("xpasswordy", "x${secret:8}y"),
        ("Password", "Password"),
        ("7-chars", "7-chars"),
    ],
)
def test_whatever_is_printed_has_the_exact_secrets_of_eight_characters_replaced(
    capsys, secrets, text, printed
):
    console.result(text)
    console.progress(text)
    out, err = capsys.readouterr()
    assert (out, err) == (f"{printed}\n", f"{printed}\n")


def test_json_stays_json_where_a_secret_is_replaced(capsys, secrets):
    value = {"n": 12345678, "all": [True, None, 1.5, {"text": "a password"}]}
    console.result(console.as_json(value))
    assert json.loads(capsys.readouterr().out) == {
        "n": "${secret:8}",
        "all": [True, None, 1.5, {"text": "a ${secret:8}"}],
    }


def test_a_secret_is_replaced_in_errors_and_tracebacks(capsys, secrets, monkeypatch):
    from kappa.commands.main import run

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    console.print_error("AWS refused password-of-db", "password-of-db")
    console.print_traceback(KappaError("password-of-db"))
    assert run(["--version"]) == 0
    sys.excepthook(ValueError, ValueError("password-of-db"), None)
    err = capsys.readouterr().err
    assert "password" not in err
    assert err.count("${secret:14}") == 4
