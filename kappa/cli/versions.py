"""The commands about published versions: versions and rollback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kappa.cli.console import as_json, bold, result, style
from kappa.cli.group import carry_out, command
from kappa.cli.options import Options
from kappa.commands.humanize import size
from kappa.texts import one_line

if TYPE_CHECKING:
    from kappa.commands.deploy import Session
    from kappa.plan.step import Plan

_HEADINGS = ("version", "date", "size", "sha256", "aliases", "description")
_ALIASES = 4


@command
def versions(options: Options) -> None:
    """List published versions and their aliases.

    Starts with $LATEST, the function as it is now, then the newest version. Changes nothing.

    Example:
      kappa config.yml versions --json
    """
    from kappa.commands.deploy import read_versions

    found = read_versions(options.open())
    if options.json:
        result(as_json(found))
        return
    for number, line in enumerate(_table(found)):
        result(style(line, dim=True) if number == 0 else line)


def _table(found: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [_HEADINGS, *(_row(one) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if row is not _HEADINGS:
            cells[_ALIASES] = bold(cells[_ALIASES])
        lines.append("  ".join(cells).rstrip())
    return lines


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        one["version"],
        f"{one['date'][:19]}Z",
        size(one["size"] or 0),
        one["sha256"][:8],
        ", ".join(one["aliases"]),
        one_line(one["description"]),
    )


def _version(_ctx: click.Context, _param: click.Parameter, number: str) -> str:
    if number and not number.isdecimal():
        raise click.BadParameter(f"{number!r} is not the number of a version, such as 3.")
    return number


@command
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
    from kappa.commands.deploy import plan_rollback

    def plan(session: Session) -> Plan:
        return plan_rollback(session, alias, to)

    carry_out(options, plan)
