"""Local mode as a user runs it: in a process of its own, ended with a terminal's signals."""

import os
import signal
import subprocess
import sys
import time

import pytest

from local import bootstrap
from tests.support.aws.processes import free_port, listening
from tests.support.samples import sample


def start(tmp_path, *arguments):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAMBDA_CHAT_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "local", *arguments],
        cwd=bootstrap.ROOT,
        env={**env, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def processes_of(group):
    """The running processes, without zombies, which process 1 may not reap."""
    listed = subprocess.run(
        ["ps", "-o", "stat=,pid=,args=", "-s", str(group)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in listed.stdout.splitlines() if not line.startswith("Z")]


def ready(tmp_path, port):
    """A running `up` that is ready."""
    process = start(tmp_path, "up", "--no-browser", f"--port={port}")
    for line in process.stderr:
        if line.startswith("  Ctrl-C stops"):
            return process
    raise AssertionError("local mode did not become ready")


def test_ctrl_c_ends_up_and_leaves_nothing(tmp_path):
    port = free_port()
    process = ready(tmp_path, port)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nothing is left running" in err
    assert "Traceback" not in err
    assert not listening(port)
    assert list(tmp_path.iterdir()) == []
    assert processes_of(process.pid) == []


@pytest.mark.parametrize("number", sample(signal.SIGKILL, more=[signal.SIGHUP]))
def test_a_closed_terminal_or_a_kill_leaves_nothing_running(tmp_path, number):
    port = free_port()
    process = ready(tmp_path, port)
    os.kill(process.pid, number)
    process.wait(60)
    ends = time.monotonic() + 60
    while listening(port) or processes_of(process.pid) or any(tmp_path.iterdir()):
        assert time.monotonic() < ends, (processes_of(process.pid), list(tmp_path.iterdir()))
        time.sleep(0.1)
    process.communicate()


def test_run_gives_a_command_the_chat_and_two_signals_end_all_of_it_once(tmp_path):
    fetch = (
        "import os, urllib.request as u; "
        "print(u.urlopen(os.environ['LAMBDA_CHAT_URL']).status, os.environ['AWS_ENDPOINT_URL'])"
    )
    script = f"trap '' INT; python -c \"{fetch}\"; sleep 311 & echo ready; wait"
    process = start(tmp_path, "run", "--quiet", "--", "sh", "-c", script)
    fetched, endpoint = process.stdout.readline().split() or pytest.fail(process.stderr.read())
    assert fetched == "200"
    assert process.stdout.readline() == "ready\n"
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert not listening(int(endpoint.rsplit(":", 1)[1]))
    assert list(tmp_path.iterdir()) == []
    assert processes_of(process.pid) == []
