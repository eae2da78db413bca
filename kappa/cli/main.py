"""The command line: argv to command. Importing the modules beside it makes their commands."""

from __future__ import annotations

from functools import partial

from kappa.cli import (  # noqa: F401, I001
    invoke,
    deploy,
    completion,
    init,
    logs,
    status,
    event_sources,
    versions,
)
from kappa.cli.console import exit_code
from kappa.cli.group import cli


def run(args: list[str]) -> int:
    """Run the `kappa` command; return its exit code."""
    command = partial(cli.main, args, prog_name="kappa", standalone_mode=False)
    return exit_code(command, "--debug" in args)
