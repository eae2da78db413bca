"""The command line: argv to command. Importing the cli_* modules makes their commands."""

from __future__ import annotations

import sys
from functools import partial

from kappa import (  # noqa: F401
    cli_call,
    cli_change,
    cli_completion,
    cli_config,
    cli_logs,
    cli_show,
    cli_source,
    cli_version,
)
from kappa.command import cli
from kappa.console import exit_code


def main() -> None:
    """Run the `kappa` command."""
    args = sys.argv[1:]
    run = partial(cli.main, args, prog_name="kappa", standalone_mode=False)
    sys.exit(exit_code(run, "--debug" in args))
