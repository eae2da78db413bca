"""Run kappa as a process, or through click's runner."""

import subprocess
import sys

from click.testing import CliRunner

from kappa.commands.main import cli


def shell(*args):
    command = [sys.executable, "-m", "kappa", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(*args):
    return CliRunner().invoke(cli, args, standalone_mode=False)
