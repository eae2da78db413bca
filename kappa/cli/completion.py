"""The command that connects kappa with a shell's completion. It needs no config."""

from __future__ import annotations

import click

from kappa.cli.console import result
from kappa.cli.group import cli, command
from kappa.cli.options import Options


@command
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(options: Options, shell: str) -> None:
    """Print a shell's completion script.

    Completes config files, commands and options. Needs no CONFIG. Changes nothing: to keep it,
    put the line below into ~/.bashrc.

    Example:
      eval "$(kappa completion bash)"
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    result(found(cli, {}, "kappa", "_KAPPA_COMPLETE").source())
