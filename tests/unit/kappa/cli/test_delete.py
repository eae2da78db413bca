"""delete on the command line: it asks a person, and nobody else."""

import os
import pty
import subprocess
import sys

import pytest

from tests.support.builders import run_kappa


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
