"""A child process, and what it started in turn, end with kappa."""

import os
import select
import signal
import subprocess
import sys

import pytest

from kappa.packing.child import run_child

# The pipe closes when the last process that holds it has ended.
SCRIPT = """
import subprocess
subprocess.call(["sh", "-c", "exec 3>pipe; echo up >&3; sleep 600"])
"""


def test_a_child_gives_its_exit_code_and_output(tmp_path):
    script = "print(sys.argv[1:], os.getcwd()); print('bad', file=sys.stderr); sys.exit(3)"
    code, output, errors = run_child(script, ["a", "b"], tmp_path, os.environ)
    assert (code, output, errors) == (3, f"['a', 'b'] {tmp_path}\n", "bad\n")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_what_a_child_started_ends_when_kappa_does(tmp_path, end):
    code = (
        "import os, pathlib\nfrom kappa.packing.child import run_child\n"
        f"run_child({SCRIPT!r}, [], pathlib.Path({str(tmp_path)!r}), os.environ)\n"
    )
    os.mkfifo(tmp_path / "pipe")
    run = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    with (tmp_path / "pipe").open("rb", buffering=0) as pipe:
        assert pipe.read(3) == b"up\n"
        run.send_signal(end)
        run.wait()
        assert select.select([pipe], [], [], 30)[0] == [pipe]
        assert pipe.read() == b""
