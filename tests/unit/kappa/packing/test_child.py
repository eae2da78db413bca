"""A child process, and what it started in turn, end with kappa."""

import os
import subprocess
import sys

import pytest

from kappa.packing.child import run_child
from tests.support.waiting import wait_for

SCRIPT = """
import subprocess
child = subprocess.Popen(["sleep", "60"])
open("pid.new", "w").write(str(child.pid))
__import__("os").rename("pid.new", "pid")
child.wait()
"""


def test_a_child_gives_its_exit_code_and_output(tmp_path):
    script = "print(sys.argv[1:], os.getcwd()); print('bad', file=sys.stderr); sys.exit(3)"
    code, output, errors = run_child(script, ["a", "b"], tmp_path, os.environ)
    assert (code, output, errors) == (3, f"['a', 'b'] {tmp_path}\n", "bad\n")


@pytest.mark.parametrize("end", ["kill", "interrupt"])
def test_what_a_child_started_ends_when_kappa_does(tmp_path, end):
    code = (
        "import os, pathlib\nfrom kappa.packing.child import run_child\n"
        f"run_child({SCRIPT!r}, [], pathlib.Path({str(tmp_path)!r}), os.environ)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    wait_for((tmp_path / "pid").exists)
    pid = int((tmp_path / "pid").read_text())
    run.send_signal(9 if end == "kill" else 2)
    run.wait()
    wait_for(lambda: has_ended(pid))


def has_ended(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Nobody may be there to collect an orphan's exit code.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return state.stdout.startswith(b"Z")
