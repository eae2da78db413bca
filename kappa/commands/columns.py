"""Rows of a table in columns of one width, as wide as the terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def padded(rows: Sequence[tuple[str, ...]], width: int | None = None) -> list[tuple[str, ...]]:
    """Pad each column except the last, and break details that do not fit the width.

    The caller joins columns with two spaces.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    indent = widths[0] + 2 if widths else 0
    left = None if width is None else width - sum(widths) - 2 * len(widths)
    return [
        (
            *(text.ljust(size) for text, size in zip(row[:-1], widths, strict=True)),
            _broken(row[-1], left, indent, width),
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
