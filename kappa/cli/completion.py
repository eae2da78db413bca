"""The command that connects kappa with a shell's completion. It needs no config."""

from __future__ import annotations

import click

from kappa.cli.console import result
from kappa.cli.group import command
from kappa.cli.options import Options


@command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(options: Options, shell: str) -> None:
    """Print the script that completes kappa's words.

    Takes no CONFIG. With it a shell completes config files, commands and options. Changes
    nothing; write the line into ~/.bashrc to have it in each shell.

    Example:
      eval "$(kappa completion bash)"
    """
    from click.shell_completion import get_completion_class

    from kappa.cli.main import cli

    complete = get_completion_class(shell)
    assert complete is not None
    result(complete(cli, {}, "kappa", "_KAPPA_COMPLETE").source())
