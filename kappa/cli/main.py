"""The command line: argv to command, and which file each command is in.

A command's file is imported when the command runs, or its help is shown.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from kappa import __version__
from kappa.cli.argument_types import ConfigFiles
from kappa.cli.console import exit_code, print_traceback
from kappa.cli.group import Commands, with_example
from kappa.cli.options import Options, common, merge

# Command: the module beside this one that has it, as a function of this name.
COMMANDS = {
    "invoke": "invoke",
    "invoke_async": "invoke",
    "dryrun": "invoke",
    "deploy": "deploy",
    "diff": "diff",
    "event": "event",
    "create": "deploy",
    "update_code": "deploy",
    "add_event_sources": "event_sources",
    "update_event_sources": "event_sources",
    "delete": "delete",
    "package": "package",
    "serve": "serve",
    "validate": "validate",
    "watch": "watch",
    "init": "init",
    "logs": "logs",
    "tail": "logs",
    "status": "status",
    "metrics": "metrics",
    "enable_event_sources": "event_sources",
    "disable_event_sources": "event_sources",
    "remove_event_sources": "event_sources",
    "event_source_status": "event_sources",
    "versions": "versions",
    "rollback": "rollback",
}
_HELP = """Deploy and operate an AWS Lambda function from one CONFIG file.

Example:
  kappa config.yml deploy
  kappa lambda/*/config.yml status
"""


@click.group(
    help=with_example(_HELP),
    cls=Commands,
    modules=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="kappa %(version)s")
@click.argument("config", type=ConfigFiles(), metavar="CONFIG")
@common
@click.pass_context
def cli(ctx: click.Context, /, config: tuple[Path, ...], **given: Any) -> None:  # noqa: ANN401
    """Keep what stands before the command."""
    ctx.obj = merge(Options(config[0], configs=config), given)


def run(args: list[str]) -> int:
    """Run the `kappa` command; return its exit code. A bug's traceback is printed as all else."""
    sys.excepthook = lambda _kind, error, _trace: print_traceback(error)
    command = partial(cli.main, args, prog_name="kappa", standalone_mode=False)
    return exit_code(command, "--debug" in args)
