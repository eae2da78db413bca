"""The command versions: a table of the published versions and their aliases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kappa.commands.console import as_json, bold, result, style
from kappa.commands.group import command
from kappa.commands.numbers import size
from kappa.commands.options import Options
from kappa.config.uses import FUNCTION
from kappa.texts import one_line

if TYPE_CHECKING:
    from kappa.commands.session import Session

_HEADINGS = ("version", "date", "size", "sha256", "aliases", "description")
_ALIASES = 4


@command(several=True, uses=FUNCTION)
def versions(options: Options) -> None:
    """List published versions and their aliases.

    Starts with $LATEST, the function as it is now, then the newest version. Changes nothing.

    Example:
      kappa config.yml versions --json
    """
    published = read_versions(options.open())
    if options.json:
        result(as_json(published))
        return
    for number, line in enumerate(version_table(published)):
        result(style(line, dim=True) if number == 0 else line)


def read_versions(session: Session) -> list[dict[str, Any]]:
    """Read the published versions and their aliases, the newest version first.

    Raises: NotFound, if there is no such function.
    """
    from kappa.function import version_state, versions

    return versions.rows(
        session.config, version_state.read(session.aws, session.config.function.name)
    )


def version_table(published: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write the versions as lines of columns, under their headings."""
    rows = [_HEADINGS, *(_row(version) for version in published)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if row is not _HEADINGS:
            cells[_ALIASES] = bold(cells[_ALIASES])
        lines.append("  ".join(cells).rstrip())
    return lines


def _row(version: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        version["version"],
        f"{version['date'][:19]}Z",
        size(version["size"] or 0),
        version["sha256"][:8],
        ", ".join(version["aliases"]),
        one_line(version["description"]),
    )
