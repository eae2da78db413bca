import contextlib
import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest

from local import __main__ as local_mode
from local import bootstrap


def run(*arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=bootstrap.ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_both_commands():
    done = run("--help")
    assert done.returncode == 0
    assert "python -m local up" in done.stdout
    assert "-- COMMAND [ARG...]" in done.stdout


@pytest.fixture
def main(monkeypatch):
    """Run main() in this process, whose signals it leaves alone."""
    monkeypatch.setattr(local_mode, "ENDINGS", ())
    return local_mode.main


@pytest.mark.parametrize("words", [[], ["down"], ["run"], ["run", "--"], ["up", "--port"]])
def test_a_wrong_command_line_shows_the_usage_and_exits_2(main, capsys, words):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(("Error: Wrong arguments: ", "Error: Missing arguments."))
    assert "Usage:" in said


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused(main, capsys, port):
    assert main(["up", f"--port={port}"]) == 2
    assert capsys.readouterr().err.startswith(f"Error: --port {port} is not a port.")


@pytest.mark.parametrize("words", [["up", "--help"], ["up", "-h"], ["run", "--help"], ["-h", "up"]])
def test_each_command_has_help(main, capsys, words):
    assert main(words) == 0
    assert "Usage:" in capsys.readouterr().out


def test_a_commands_own_help_is_its_own(main, monkeypatch):
    given = []
    monkeypatch.setattr(local_mode, "run", lambda command, *_, **__: given.append(command) or 0)
    assert main(["run", "--", "pytest", "--help"]) == 0
    assert given == [["pytest", "--help"]]


@pytest.mark.parametrize(("options", "push"), [([], False), (["--push"], True)])
def test_push_is_asked_for_with_either_command(main, monkeypatch, options, push):
    given = []
    monkeypatch.setattr(local_mode, "run", lambda *_, **named: given.append(named["push"]) or 0)
    monkeypatch.setattr(local_mode, "up", lambda *_, **named: given.append(named["push"]) or 0)
    assert main(["run", *options, "--", "true", "--push"]) == 0
    assert main(["up", *options]) == 0
    assert given == [push, push]


def test_a_second_one_in_the_same_checkout_says_where_the_first_is(
    main, capsys, monkeypatch, tmp_path
):
    monkeypatch.setattr(local_mode, "STATE", tmp_path / "state")
    page = "http://127.0.0.1:4566/lambda-chat-local/index.html"
    with local_mode._locked_checkout():
        assert main(["up"]) == 1
        assert capsys.readouterr().err.startswith(
            "Error: Local mode is already running in this checkout."
        )
        (tmp_path / "state/env").write_text(f"export LAMBDA_CHAT_URL={page}\n")
        assert main(["up"]) == 1
        assert f"checkout: {page}." in capsys.readouterr().err


def test_a_port_in_use_is_one_clear_error():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("run", f"--port={port}", "--", "true")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: Port {port} is in use on 127.0.0.1.\n")
    assert "Traceback" not in done.stderr


def test_a_missing_npm_is_one_clear_error(tmp_path):
    done = run("run", "--", "true", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: npm is not installed")


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -TERM $$", 143), ("true", 0)])
def test_run_ends_with_its_commands_exit_code_after_the_chat_has_ended(monkeypatch, script, code):
    seen = []

    @contextlib.contextmanager
    def chat(**_):
        seen.append("started")
        yield SimpleNamespace(env=dict(os.environ))
        seen.append("ended")

    monkeypatch.setattr(bootstrap, "chat", chat)
    assert local_mode.run(["sh", "-c", script], None, quiet=True) == code
    assert seen == ["started", "ended"]
