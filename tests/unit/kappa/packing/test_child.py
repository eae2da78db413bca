"""A program, and what it started in turn, end with kappa, and may first end by themselves."""

import os
import select
import signal
import subprocess
import sys

import pytest

from kappa.packing.child import run_child

# The pipe closes when the last process that holds it has ended.
HOLDS_PIPE = ["sh", "-c", "sh -c 'exec 3>pipe; echo up >&3; sleep 600'; true"]
CLEANS_UP = [
    "sh",
    "-c",
    # kappa waits for it by the time that it is up
    "trap 'sleep 0.1; echo done >&3; exit' TERM; exec 3>pipe; sleep 0.5; echo up >&3; sleep 600",
]


@pytest.fixture
def interrupt(tmp_path):
    """Run a program in another kappa, end that by a signal, and return what comes of the pipe."""
    os.mkfifo(tmp_path / "pipe")

    def interrupt_kappa(command, end):
        code = (
            "import os, pathlib\nfrom kappa.packing.child import run_child\n"
            f"with open(os.devnull, 'wb') as output:\n"
            f"    run_child({command!r}, pathlib.Path({str(tmp_path)!r}), os.environ, output)\n"
        )
        kappa = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        with (tmp_path / "pipe").open("rb", buffering=0) as pipe:
            assert pipe.read(3) == b"up\n"
            kappa.send_signal(end)
            kappa.wait()
            assert select.select([pipe], [], [], 30)[0] == [pipe]
            return pipe.read()

    return interrupt_kappa


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_what_a_program_started_ends_when_kappa_does(interrupt, end):
    assert interrupt(HOLDS_PIPE, end) == b""


def test_a_program_may_clean_up_after_ctrl_c(interrupt):
    assert interrupt(CLEANS_UP, signal.SIGINT) == b"done\n"


def test_a_program_that_does_not_end_in_time_is_ended(tmp_path):
    with (tmp_path / "output").open("wb") as output, pytest.raises(subprocess.TimeoutExpired):
        run_child(["sleep", "600"], tmp_path, os.environ, output, deadline_s=0.1)
