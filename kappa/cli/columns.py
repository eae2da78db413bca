"""Rows of a table in columns of one width, as wide as the terminal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kappa.sources.report import Row


def padded(rows: list[Row], width: int | None = None) -> list[Row]:
    """Give each column but the last one width, and break details that are wider than the rest."""
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    indent = widths[0] + 2
    left = None if width is None else width - sum(widths) - 6
    return [
        (
            row[0].ljust(widths[0]),
            row[1].ljust(widths[1]),
            row[2].ljust(widths[2]),
            _broken(row[3], left, indent, width),
        )
        for row in rows
    ]


def _broken(detail: str, left: int | None, indent: int, width: int | None) -> str:
    """Break a detail between two facts, so that no line is too long."""
    if left is None or width is None or len(detail) <= left:
        return detail
    lines = [""]
    for fact in detail.split("  "):
        room = left if len(lines) == 1 else width - indent
        longer = f"{lines[-1]}  {fact}" if lines[-1] else fact
        if len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(fact)
    return f"\n{' ' * indent}".join(lines)
