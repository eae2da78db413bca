"""delete on the command line: when it asks, and when it needs --yes."""

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


def in_script(folder, *args):
    """Run kappa without a terminal; the exit code and the output."""
    env = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_EC2_METADATA_DISABLED": "true"}
    done = run_kappa(args, {**os.environ, **env}, "", folder)
    return done.returncode, done.stderr


def test_delete_in_a_script_does_not_ask(small):
    code, err = in_script(small, "config.yml", "delete")
    assert (code, "Delete f" in err, "No AWS credentials" in err) == (1, False, True)


def test_delete_of_several_configs_in_a_script_needs_a_yes(small):
    (small / "other.yml").write_text(
        (small / "config.yml").read_text().replace("name: f", "name: g")
    )
    code, err = in_script(small, "config.yml", "other.yml", "delete")
    assert code == 2
    assert err == (
        "Error: Without a terminal, deleting 2 functions needs --yes.\n  Nothing was deleted.\n"
    )
    code, err = in_script(small, "config.yml", "other.yml", "delete", "--yes")
    assert (code, err.count("No AWS credentials")) == (1, 2)
