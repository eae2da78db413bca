"""Several configs: what runs side by side, how it is heard, and where configs end."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from kappa.commands import console
from kappa.commands.main import cli
from kappa.commands.options import Options
from kappa.commands.several_configs import apart, run_each
from tests.support.builders import kappa_config

OWN = {"name": "p", "document": "policy.json"}


def config(name, policy=None, **function):
    return kappa_config({"name": name, **function}, policy=policy, role={"name": f"{name}-role"})


def test_functions_of_their_own_run_side_by_side():
    assert apart([config("a"), config("b")]) == [[0], [1]]


def test_what_shares_a_policy_goes_one_after_another():
    assert apart([config("a", OWN), config("b"), config("c", OWN)]) == [[0, 2], [1]]


def test_what_shares_a_bucket_goes_one_after_another():
    bucket = {"arn": "arn:aws:s3:::b", "events": ("s3:ObjectCreated:*",)}
    shared = [config("a", sources=[bucket]), config("b", sources=[bucket])]
    assert apart(shared) == [[0, 1]]


def test_groups_that_meet_become_one():
    other = {"name": "q", "document": "policy.json"}
    bucket = {"arn": "arn:aws:s3:::b", "events": ("s3:ObjectCreated:*",)}
    found = apart([config("a", OWN), config("b", other), config("a", other, sources=[bucket])])
    assert found == [[0, 1, 2]]


def test_a_role_that_kappa_only_uses_may_be_shared():
    arn = "arn:aws:iam::123456789012:role/ours"
    one, two = (kappa_config({"name": name}, role={"arn": arn}) for name in "ab")
    assert apart([one, two]) == [[0], [1]]


def test_each_line_begins_with_the_name(capsys):
    with console.prefixed(console.Output("a | ")):
        console.progress("one\ntwo")
    console.progress("three")
    assert capsys.readouterr().err == "a | one\na | two\nthree\n"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["a.yml", "b.yml", "tail"], "tail takes one config file"),
        (["--profile", "status", "a.yml", "b.yml", "invoke"], "invoke takes one config file"),
        (["a.yml", "xyzzy"], "No such command 'xyzzy'.\n"),
        (["a.yml", "deply"], "No such command 'deply'. Did you mean 'deploy'?"),
        (["a.yml", "update-cod"], "No such command 'update-cod'. Did you mean 'update_code'?"),
    ],
)
def test_the_configs_end_where_the_command_begins(args, text):
    assert text in CliRunner().invoke(cli, args).output


def test_configs_without_a_command_say_that_it_is_missing(tmp_path):
    files = [str(tmp_path / name) for name in ("a.yml", "b.yml")]
    for file in files:
        (tmp_path / file).write_text("")
    assert "Which command?" in CliRunner().invoke(cli, files).output


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Two configs of functions with the same code."""
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return event\n")
    for name in ("one", "two"):
        (tmp_path / f"{name}.yml").write_text(
            f"region: us-east-1\niam:\n  role:\n    arn: arn:aws:iam::123456789012:role/r\n"
            f"lambda:\n  name: {name}\n  path: app.py\n  handler: app.handler\n"
            "  runtime: python3.13\n"
        )
    monkeypatch.chdir(tmp_path)
    return Options(Path("one.yml"), configs=(Path("one.yml"), Path("two.yml")))


def test_a_bug_in_one_config_keeps_the_last_line_of_each(pair, capsys):
    def status(options):
        if options.session.config.function.name == "one":
            raise RuntimeError("a bug \x1b[2J")
        console.result("well")

    assert run_each(pair, status, {}) == 1
    out, err = capsys.readouterr()
    assert out == "two | well\n"
    assert "RuntimeError: a bug \\x1b[2J" in err
    assert re.findall(r"^(one|two) +(failed|done)", err, re.M) == [
        ("one", "failed"),
        ("two", "done"),
    ]


@pytest.mark.parametrize(("more", "code"), [("  build: exit 3\n", 1), ("  timeout: never\n", 2)])
def test_what_is_wrong_before_the_first_call_has_its_own_exit_code(
    pair, tmp_path, monkeypatch, more, code
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = tmp_path / "one.yml"
    config.write_text(config.read_text() + more)

    def package(options):
        raise AssertionError("a command ran")

    assert run_each(pair, package, {}, packs=True) == code


CTRL_C = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
from pathlib import Path
from kappa.commands.console import exit_code
from kappa.errors import Interrupted
from kappa.commands.options import Options
from kappa.commands.several_configs import run_each

def status(options):
    if options.session.config.function.name == "two":
        return
    os.kill(os.getpid(), signal.SIGINT)
    assert options.session.aws._stopped.wait(10)
    raise Interrupted("Interrupted before reading it.")

files = (Path("one.yml"), Path("two.yml"))
raise SystemExit(exit_code(lambda: run_each(Options(files[0], configs=files), status, {}), False))
"""


def test_ctrl_c_keeps_the_last_line_of_each_that_has_begun(pair):
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130, done.stderr
    lines = dict(re.findall(r"^(one|two) +(failed|done|not begun)", done.stderr, re.M))
    assert lines["one"] == "failed"
    assert lines["two"] in ("done", "not begun")


def test_a_status_of_several_configs_leaves_room_for_their_names(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("sys.stdout", terminal)
    with console.prefixed(console.Output(f"{console.bold('greeter')} | ")):
        assert console.width() == 50
    assert console.width() == 60
