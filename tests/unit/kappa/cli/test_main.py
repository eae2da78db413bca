"""The command line: what is accepted where, and how an error ends."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import kappa
from kappa.cli import console
from kappa.cli.main import cli
from kappa.errors import ConfigError, Denied
from kappa.plan.step import Report
from tests.support.builders import run_kappa

COMMANDS = [
    "add_event_sources",
    "create",
    "delete",
    "dryrun",
    "invoke",
    "invoke_async",
    "status",
    "tail",
    "update_code",
    "update_event_sources",
]


def run(*args):
    return CliRunner().invoke(cli, args, standalone_mode=False)


def shell(*args):
    command = [sys.executable, "-m", "kappa", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_commands_of_kappa_0_3_are_there():
    assert set(COMMANDS) <= set(cli.list_commands(None))


@pytest.mark.parametrize("name", [*COMMANDS, "update-code", "add-event-sources"])
def test_a_command_is_found_with_either_dash_and_has_help(name):
    done = run("config.yml", name, "--help")
    assert "Example:" in done.output


def test_help_of_a_command_needs_no_config():
    assert "Usage: kappa CONFIG create" in shell("create", "--help").stdout


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


def test_rollback_takes_the_number_of_a_version():
    said = " ".join(shell("c.yml", "rollback", "--to", "abc").stderr.split())
    assert "'abc' is not the number of a version, such as 3." in said


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--keep-versions", "0", "1 to 1000 (versions)"),
        ("--alias", "a b", "1 to 128 letters, digits, - and _, not only digits"),
        ("--alias", "7", "1 to 128 letters, digits, - and _, not only digits"),
    ],
)
def test_an_option_of_deploy_that_cannot_be_says_what_is_allowed(tmp_path, option, value, words):
    config = tmp_path / "config.yml"
    config.write_text(
        "iam: {role: {name: r}}\n"
        "lambda: {name: f, path: code, handler: f.handler, runtime: python3.13}\n"
    )
    done = run_kappa([config, "deploy", option, value], {"PATH": "/bin"})
    assert done.returncode == 2
    assert f"{option} {value if option != '--alias' else repr(value)} cannot be." in done.stderr
    assert f"Allowed: {words}." in done.stderr


def test_a_command_without_its_config_says_what_comes_first():
    assert "The config file comes first: kappa config.yml create" in shell("create").stderr


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
    assert "the same command completes the rest" in capsys.readouterr().err


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        console.exit_code(fails(ZeroDivisionError()), debug=False)


def test_a_line_of_progress_has_mark_message_and_time():
    import click

    line = click.unstyle(console.report_line(Report("created", "role r", 1.23)))
    assert line == "created    role r  1.2 s"


def test_every_mark_fits_its_column():
    text = "".join(path.read_text() for path in Path(kappa.__file__).parent.rglob("*.py"))
    assert all(mark in text and len(mark) <= 10 for mark in console._COLOURS)


def asked(folder, *args, answer):
    """Run kappa on a terminal of its own, with an answer typed; the exit code and the output."""
    main, terminal = pty.openpty()
    env = {**os.environ, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    env |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    os.write(main, answer)
    command = [sys.executable, "-m", "kappa", "config.yml", *args]
    done = subprocess.run(
        command, stdin=terminal, capture_output=True, text=True, cwd=folder, env=env, check=False
    )
    os.close(terminal)
    os.close(main)
    return done.returncode, done.stderr


@pytest.fixture
def small(tmp_path):
    (tmp_path / "config.yml").write_text(
        "region: us-east-1\niam:\n  role:\n    arn: arn:aws:iam::123456789012:role/r\n"
        "lambda:\n  name: f\n  path: .\n  handler: a.b\n  runtime: python3.13\n"
    )
    return tmp_path


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"])
def test_delete_on_a_terminal_deletes_nothing_without_a_yes(small, answer):
    code, err = asked(small, "delete", answer=answer)
    assert code == 1
    assert "Delete f in us-east-1, with all that kappa made for it? [y/N]" in err
    assert "Error: Nothing was deleted." in err


def test_delete_does_not_ask_about_a_config_that_is_wrong(small):
    (small / "config.yml").write_text("lambda: 1\n")
    code, err = asked(small, "delete", answer=b"y\n")
    assert (code, "Delete" in err) == (2, False)


@pytest.mark.parametrize(("args", "answer"), [(["delete"], b"y\n"), (["delete", "--yes"], b"")])
def test_delete_on_a_terminal_goes_on_after_a_yes(small, args, answer):
    assert "could not be reached" in asked(small, *args, answer=answer)[1]


def test_delete_in_a_script_does_not_ask(small):
    env = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    done = run_kappa(["config.yml", "delete"], {**os.environ, **env}, "", small)
    assert "Delete f" not in done.stderr
    assert "No AWS credentials" in done.stderr


def test_every_error_begins_alike():
    wrong = (shell("c.yml", "nope"), shell("nowhere.yml", "status"), shell("--nope"))
    assert [
        sum(line.startswith("Error: ") for line in one.stderr.splitlines()) for one in wrong
    ] == [
        1,
        1,
        1,
    ]
