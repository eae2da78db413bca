"""`make local` and `make shell` as they are typed, with a stand-in for what they start."""

import os
import shutil
import signal
import subprocess

import pytest

from local import bootstrap

# Like local mode, it exits with 130 some time after Ctrl-C, and with 1 on an error. (One that
# ends before make looks finds make without a child to wait for, which it calls an error.)
STARTED = """#!/bin/sh
trap 'sleep 2; exit 130' INT
echo "started: $*"
[ "$4" = --port=1 ] && exit 1
[ "$3" = run ] && shift 4 && exec "$@"
while :; do sleep 0.05; done
"""
# What a make that runs the tests tells the one in here.
MAKES = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PORT", "PUSH")


@pytest.fixture
def make(tmp_path):
    """Start make with these words, by default for `local`; nothing is set up anew."""
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    (tmp_path / "python").write_text(STARTED)
    (tmp_path / "python").chmod(0o755)
    env = {name: value for name, value in os.environ.items() if name not in MAKES}
    old = [f"--old-file={name}" for name in (".venv/.local", "s3-website/node_modules/.runtime")]
    started = []

    def start(*words, target="local", stdin=None):
        process = subprocess.Popen(
            ["make", *old, target, f"BIN={tmp_path}", *words],
            stdin=stdin,
            cwd=bootstrap.ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # whoever runs the tests in the background has Ctrl-C ignored, and sh keeps that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process, process.stdout.readline()

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "started: -m local up\n"),
        (("PORT=5000",), "started: -m local up --port=5000\n"),
        (("PUSH=1",), "started: -m local up --push\n"),
        (("PUSH=0",), "started: -m local up\n"),
    ],
)
def test_ctrl_c_ends_it_without_a_word_of_make(make, words, line):
    process, said = make(*words)
    assert said == line
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")


def test_a_failure_stays_one(make):
    process, _ = make("PORT=1")
    assert process.wait(30) == 2


def test_the_last_command_of_a_shell_is_no_failure_of_make(make):
    process, said = make(target="shell", stdin=subprocess.PIPE)
    assert said.startswith("started: -m local run -- bash")
    said, greeting = process.communicate("echo in; exit 3\n", timeout=30)
    assert (process.returncode, said.splitlines()[-1]) == (0, "in")
    assert greeting.startswith("A shell with kappa. `exit` ends it, and the emulated AWS account")
    assert "\nFunctions of Python run with Python 3." in greeting
