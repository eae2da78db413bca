"""Place each box below the boxes that import it, and choose the arrows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tools.picture.graph import Box, Imports

BOX_WIDTH, LANE_WIDTH, GAP = 136, 14, 14
PADDING, PANEL_GAP = 16, 30
ROUNDS = 24


@dataclass(frozen=True)
class Stop:
    """The place where an arrow crosses a row."""

    panel: str
    start: Box
    end: Box
    row: int


Cell = Box | Stop


@dataclass(frozen=True)
class Layout:
    """Rows from the top; each cell's centre and each panel's sides as x; the arrows."""

    rows: list[list[Cell]]
    centre: dict[Cell, float]
    sides: dict[str, tuple[float, float]]
    paths: list[list[Cell]]


def needed(imports: Imports) -> set[tuple[Box, Box]]:
    """The arrows that no chain of other arrows implies.

    Raises: ValueError, if there is an import cycle.
    """
    levels(imports)

    def reached(start: Box) -> set[Box]:
        direct = imports.get(start, set())
        return direct | {far for near in direct for far in reached(near)}

    return {
        (box, other)
        for box, others in imports.items()
        for other in others
        if not any(other in reached(third) for third in others - {other})
    }


def levels(imports: Imports) -> dict[Box, int]:
    """The length of the longest chain of imports from each box.

    Raises: ValueError, if there is an import cycle.
    """
    known: dict[Box, int] = {}

    def level(box: Box, above: tuple[Box, ...]) -> int:
        if box in above:
            cycle = [*above[above.index(box) :], box]
            names = " > ".join(f"{member.panel}/{member.name}" for member in cycle)
            raise ValueError(f"import cycle: {names}")
        if box not in known:
            below = imports.get(box, set())
            known[box] = max((level(other, (*above, box)) + 1 for other in below), default=0)
        return known[box]

    for box in imports:
        level(box, ())
    return known


def laid_out(imports: Imports, panels: list[str]) -> Layout:
    """Place the boxes of these panels, from left to right."""
    mine = {box: others for box, others in imports.items() if box.panel in panels}
    level = levels(mine)
    top = max(level.values())
    rows: list[list[Cell]] = [[] for _ in range(top + 1)]
    for box in sorted(level, key=_order):
        rows[top - level[box]].append(box)
    paths: list[list[Cell]] = []
    for start, end in sorted(needed(mine), key=lambda arrow: [_order(box) for box in arrow]):
        between = range(top - level[start] + 1, top - level[end])
        stops = [Stop(end.panel, start, end, row) for row in between]
        for stop in stops:
            rows[stop.row].append(stop)
        paths.append([start, *stops, end])
    sides = _sides(rows, panels)
    return Layout(rows, _centres(rows, paths, sides), sides, paths)


def _order(box: Box) -> tuple[str, str]:
    return box.panel, box.name


def _width(cells: list[Cell]) -> float:
    widths = [BOX_WIDTH if isinstance(cell, Box) else LANE_WIDTH for cell in cells]
    return sum(widths) + GAP * (len(cells) - 1)


def _sides(rows: list[list[Cell]], panels: list[str]) -> dict[str, tuple[float, float]]:
    """Each panel's left and right side; a panel is as wide as its widest row."""
    sides, left = {}, 0.0
    for panel in panels:
        widest = max(_width([cell for cell in row if cell.panel == panel]) for row in rows)
        sides[panel] = (left, left + widest + 2 * PADDING)
        left += widest + 2 * PADDING + PANEL_GAP
    return sides


def _centres(
    rows: list[list[Cell]], paths: list[list[Cell]], sides: dict[str, tuple[float, float]]
) -> dict[Cell, float]:
    """Move cells near those that they are joined to, in passes from the top and the bottom."""
    joined: dict[Cell, list[Cell]] = {cell: [] for row in rows for cell in row}
    for path in paths:
        for upper, lower in pairwise(path):
            joined[upper].append(lower)
            joined[lower].append(upper)
    centre: dict[Cell, float] = {}
    for row in rows:
        centre |= _spread(row, sides, {})
    for turn in range(ROUNDS):
        for row in rows if turn % 2 else reversed(rows):
            pulled = {
                cell: sum(centre[other] for other in joined[cell]) / len(joined[cell])
                for cell in row
                if joined[cell]
            }
            centre |= _spread(row, sides, centre | pulled)
    return centre


def _spread(
    row: list[Cell], sides: dict[str, tuple[float, float]], preferred: dict[Cell, float]
) -> dict[Cell, float]:
    """Place a row's cells side by side in their panels, as near as possible to `preferred`."""
    centre: dict[Cell, float] = {}
    for panel, (left, right) in sides.items():
        cells = [cell for cell in row if cell.panel == panel]
        middle = (left + right) / 2
        cells.sort(key=lambda cell: preferred.get(cell, middle))
        start = left + PADDING
        for place, cell in enumerate(cells):
            half = _width([cell]) / 2
            latest = right - PADDING - _width(cells[place:]) + half
            centre[cell] = min(max(start + half, preferred.get(cell, middle)), latest)
            start = centre[cell] + half + GAP
    return centre
