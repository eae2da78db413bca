"""The command line: argv to command. Importing the cli_* modules makes their commands."""

from __future__ import annotations

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


def run(args: list[str]) -> int:
    """Run the `kappa` command; return its exit code."""
    command = partial(cli.main, args, prog_name="kappa", standalone_mode=False)
    return exit_code(command, "--debug" in args)
