"""The process of pip or uv: its exit code, and what it prints."""

import os
import sys

from kappa.packing.install_process import run


def test_an_installation_gives_its_exit_code_output_and_errors(tmp_path):
    script = (
        "import os, sys; print(sys.argv[1:], os.getcwd()); print('bad', file=sys.stderr); exit(3)"
    )
    code, output, errors = run([sys.executable, "-c", script, "a", "b"], tmp_path, os.environ)
    assert (code, output, errors) == (3, f"['a', 'b'] {tmp_path}\n", "bad\n")
