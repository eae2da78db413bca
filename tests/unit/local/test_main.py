import os
import socket
import subprocess
import sys

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


def test_a_wrong_command_line_shows_the_usage_and_exits_2():
    for arguments in ([], ["down"], ["run"], ["run", "--"], ["up", "--port"]):
        done = run(*arguments)
        assert done.returncode == 2, arguments
        assert done.stderr.startswith("These arguments do not fit: ")
        assert "Usage:" in done.stderr


def test_a_port_that_is_none_is_refused():
    for port in ("0", "65536", "http", "-1"):
        done = run("up", f"--port={port}")
        assert done.returncode == 2
        assert done.stderr.startswith(f"Error: --port {port} is not a port.")


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
