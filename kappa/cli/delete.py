"""The command delete, and the question that it asks on a terminal."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from kappa.cli.carry_out import carry_out
from kappa.cli.group import command
from kappa.cli.options import Options
from kappa.config.uses import NAMES
from kappa.errors import ConfigError, KappaError
from kappa.texts import shown


def _confirm(options: Options, given: dict[str, Any]) -> None:
    """Ask on a terminal before anything is deleted. Elsewhere several configs need --yes.

    Raises: KappaError, unless the answer is yes; ConfigError, if nobody can be asked.
    """
    if given.pop("yes"):
        return
    if not sys.stdin.isatty():
        if len(options.configs) > 1:
            problem = f"Without a terminal, deleting {len(options.configs)} functions needs --yes."
            raise ConfigError(problem, "Nothing was deleted.")
        return
    sessions = [replace(options, config=file).open() for file in options.configs]
    names = ", ".join(f"{each.config.function.name} in {each.aws.region}" for each in sessions)
    question = f"Delete {shown(names)}, with all that kappa made for it?"
    try:
        agreed = click.confirm(question, err=True)
    except click.exceptions.Abort:
        agreed = False
    if not agreed:
        raise KappaError("Nothing was deleted.")


@command(several=True, confirm=_confirm, uses=NAMES)
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
def delete(options: Options) -> None:
    """Delete event sources, function, role and policy.

    Keeps the logs, any role or policy that kappa did not create, and any that something else
    uses. Names what it keeps, and why. Asks first on a terminal; elsewhere, several configs need
    --yes.

    Example:
      kappa config.yml delete --yes
    """
    from kappa.commands.delete import plan_delete

    carry_out(options, plan_delete, shows_place=True)
