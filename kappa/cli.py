"""The command line: argv to command. Importing the cli_* modules makes their commands."""

from __future__ import annotations

import gc
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

# Objects made and not gone; the SDK's models are some hundred thousand.
_MUCH = 500_000


def main() -> None:
    """Run the `kappa` command.

    The garbage collector would go through the SDK's models again and again, at the end too, to
    find nothing: that is a third of a short command's time. So it comes when there is much.
    """
    gc.set_threshold(_MUCH)
    args = sys.argv[1:]
    run = partial(cli.main, args, prog_name="kappa", standalone_mode=False)
    code = exit_code(run, "--debug" in args)
    gc.freeze()
    sys.exit(code)
