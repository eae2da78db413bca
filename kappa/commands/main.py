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
from kappa.commands.argument_types import ConfigFiles
from kappa.commands.console import exit_code, print_traceback
from kappa.commands.group import Commands, with_example
from kappa.commands.options import Options, common, merge

# Heading in the help: its commands, each with the module beside this one that has it as a function
# of this name.
GROUPS = {
    "Write": {
        "init": "init",
        "validate": "validate",
        "event": "event",
    },
    "Deploy": {
        "deploy": "deploy",
        "diff": "diff",
        "watch": "watch",
        "package": "package",
        "rollback": "rollback",
        "delete": "delete",
    },
    "Run": {
        "invoke": "invoke",
        "invoke_async": "invoke",
        "dryrun": "invoke",
        "serve": "serve",
    },
    "Look": {
        "status": "status",
        "logs": "logs",
        "metrics": "metrics",
        "versions": "versions",
    },
    "Event sources": {
        "event_source_status": "event_sources",
        "enable_event_sources": "event_sources",
        "disable_event_sources": "event_sources",
        "remove_event_sources": "event_sources",
    },
    "Commands of kappa 0.3: parts of deploy, and the log": {
        "create": "deploy",
        "update_code": "deploy",
        "add_event_sources": "event_sources",
        "update_event_sources": "event_sources",
        "tail": "logs",
    },
}
_HELP = """Deploy and operate an AWS Lambda function from one CONFIG file.

CONFIG is kappa.yml or config.yml of this folder unless it is named.

Example:
  kappa config.yml deploy
  kappa lambda/*/config.yml status
"""


@click.group(
    help=with_example(_HELP),
    cls=Commands,
    groups=GROUPS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="kappa %(version)s")
@click.argument("config", type=ConfigFiles(), metavar="[CONFIG]...")
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
