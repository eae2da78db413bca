"""The command rollback: move the alias back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kappa.commands.carry_out import carry_out
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import FUNCTION

if TYPE_CHECKING:
    from kappa.commands.session import Session
    from kappa.plan.step import Plan


def _version(_ctx: click.Context, _param: click.Parameter, number: str) -> str:
    if number and not number.isdecimal():
        raise click.BadParameter(f"{number!r} is not the number of a version, such as 3.")
    return number


@command(uses=FUNCTION)
@click.option(
    "--to",
    default="",
    metavar="VERSION",
    callback=_version,
    help="Move to this version instead.",
)
@click.option("--alias", default="", metavar="NAME", help="Alias to move; default: lambda.alias.")
def rollback(options: Options, to: str, alias: str) -> None:
    """Move the alias back to its previous version.

    Moves the alias and nothing else: $LATEST keeps its code and settings, so the next deploy
    --publish moves the alias to the newest version again.

    Example:
      kappa config.yml rollback --to 3
    """

    def plan(session: Session) -> Plan:
        return plan_rollback(session, alias, to)

    carry_out(options, plan)


def plan_rollback(session: Session, alias: str, to: str) -> Plan:
    """Plan moving the alias back; both may be empty.

    Raises: ConfigError, if this region does not own the function; NotFound.
    """
    from kappa.function import rollback, version_state
    from kappa.function.state import check_owned

    config, aws, name = session.config, session.aws, session.config.function.name
    check_owned(aws, config, session.owner)
    state = version_state.read(aws, name)
    number = rollback.target(config, state, alias, to)
    state = version_state.read_health(aws, name, state, number)
    return rollback.plan(config, state, alias, to)
