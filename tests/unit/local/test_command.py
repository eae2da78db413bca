"""`run` is interrupted twice: the second time must not interrupt the clean-up after the first."""

import signal
import subprocess
import sys

import pytest

from local import bootstrap

# Local mode with an end in place of a whole chat's. `{start}` runs before the command starts.
SCRIPT = """
import contextlib, os, signal, subprocess, sys, time
from types import SimpleNamespace
from local import __main__ as local_mode, command

@contextlib.contextmanager
def chat(**_):
    try:
        yield SimpleNamespace(env=dict(os.environ))
    finally:
        print("cleaning up", flush=True)
        time.sleep(1)
        print("clean", flush=True)

class Popen(subprocess.Popen):
    def __init__(self, *arguments, **keywords):
        {start}
        super().__init__(*arguments, **keywords)

local_mode.bootstrap.chat = chat
command.subprocess.Popen = Popen
sys.exit(local_mode.main(["run", "--quiet", "--", "sh", "-c", "echo started; exec sleep 60"]))
"""
AT_START = "os.kill(os.getpid(), signal.SIGINT)"


@pytest.mark.parametrize(("start", "waits"), [("pass", True), (AT_START, False)])
def test_a_second_interrupt_does_not_end_the_clean_up(start, waits):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(start=start)],
        cwd=bootstrap.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if waits:
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
    assert "cleaning up\n" in process.stdout  # reads up to it
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "clean\n")
    assert err == "stopped; nothing is left running\n"
