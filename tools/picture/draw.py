"""Draw the picture as SVG, for light and dark themes; same imports, same bytes. Pure."""

from __future__ import annotations

import textwrap
from html import escape

from tools.picture.graph import Box, Imports
from tools.picture.layout import BOX_WIDTH, Cell, Layout, laid_out

# The panels of each block, from left to right; the blocks from top to bottom.
BLOCKS = (("kappa", "lambda_chat", "local"), ("lambda", "page"))
HEADINGS = {
    "kappa": "kappa",
    "lambda_chat": "lambda_chat",
    "local": "local",
    "lambda": "lambda: the functions",
    "page": "s3-website/public/js: the page",
}
ROW_HEIGHT, BOX_HEIGHT, HEADING_HEIGHT, MARGIN = 80, 46, 40, 12
LINE_LETTERS, LINE_HEIGHT = 20, 13
STYLE = """
    .panel { fill: #8881; stroke: #8886 }
    .box { fill: #fff; stroke: #57606a }
    .arrow { fill: none; stroke: #57606a; stroke-width: 1.2 }
    .head { fill: #57606a }
    text { fill: #1f2328; font: 12px system-ui, sans-serif; text-anchor: middle }
    .heading { font-weight: 600; text-anchor: start }
    @media (prefers-color-scheme: dark) {
      .box { fill: #161b22; stroke: #8b949e }
      .arrow { stroke: #8b949e }
      .head { fill: #8b949e }
      text { fill: #e6edf3 }
    }
"""
ABOUT = (
    "Boxes are packages. An arrow leads from a package to one that it imports; arrows that others "
    "imply are left out."
)


def picture(imports: Imports) -> str:
    """The picture as an SVG document.

    Raises: ValueError, if there is an import cycle.
    """
    top, width, parts = float(MARGIN), 0.0, []
    for panels in BLOCKS:
        layout = laid_out(imports, list(panels))
        parts += _block(layout, top)
        width = max(width, *(right for _, right in layout.sides.values()))
        top += HEADING_HEIGHT + len(layout.rows) * ROW_HEIGHT + MARGIN
    size = f"{width + 2 * MARGIN:.0f} {top:.0f}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-MARGIN} 0 {size}" role="img">',
        "  <title>The packages, and which imports which</title>",
        f"  <desc>{ABOUT}</desc>",
        f"  <style>{STYLE}  </style>",
        '  <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker>',
    ]
    return "\n".join([*lines, *parts, "</svg>"]) + "\n"


def _block(layout: Layout, top: float) -> list[str]:
    """A block's elements: panels, then arrows, then boxes, which are drawn on top."""
    height = HEADING_HEIGHT + len(layout.rows) * ROW_HEIGHT
    parts = []
    for panel, (left, right) in layout.sides.items():
        parts.append(
            f'  <rect class="panel" x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" '
            f'height="{height - MARGIN:.0f}" rx="8"/>'
        )
        parts.append(
            f'  <text class="heading" x="{left + 14:.0f}" y="{top + 24:.0f}">'
            f"{escape(HEADINGS[panel])}</text>"
        )
    first = top + HEADING_HEIGHT
    middle = {
        cell: first + place * ROW_HEIGHT + BOX_HEIGHT / 2
        for place, row in enumerate(layout.rows)
        for cell in row
    }
    parts += [_arrow(path, layout, middle) for path in layout.paths]
    for row in layout.rows:
        boxes = [cell for cell in row if isinstance(cell, Box)]
        parts += [_box(box, layout.centre[box], middle[box]) for box in boxes]
    return parts


def _lines(box: Box) -> list[str]:
    return textwrap.wrap(box.name, LINE_LETTERS)


def _height(cell: Cell) -> float:
    """A box with many lines reaches into the space between the rows."""
    lines = len(_lines(cell)) if isinstance(cell, Box) else 0
    return max(BOX_HEIGHT, lines * LINE_HEIGHT + 8)


def _box(box: Box, x: float, y: float) -> str:
    lines, height = _lines(box), _height(box)
    first = y + 4 - (len(lines) - 1) * LINE_HEIGHT / 2
    spans = "".join(
        f'<tspan x="{x:.0f}" y="{first + place * LINE_HEIGHT:.0f}">{escape(line)}</tspan>'
        for place, line in enumerate(lines)
    )
    rect = (
        f'  <rect class="box" x="{x - BOX_WIDTH / 2:.0f}" y="{y - height / 2:.0f}" '
        f'width="{BOX_WIDTH}" height="{height:.0f}" rx="5"/>'
    )
    return f"{rect}\n  <text>{spans}</text>"


def _arrow(path: list[Cell], layout: Layout, middle: dict[Cell, float]) -> str:
    """A curve that is vertical where it leaves a row and where it enters the next."""
    x, y = layout.centre[path[0]], middle[path[0]] + _height(path[0]) / 2
    drawn = f"M{x:.0f} {y:.0f}"
    for cell in path[1:]:
        half = _height(cell) / 2
        to_x, to_y = layout.centre[cell], middle[cell] - half
        bend = (y + to_y) / 2
        drawn += f"C{x:.0f} {bend:.0f} {to_x:.0f} {bend:.0f} {to_x:.0f} {to_y:.0f}"
        x, y = to_x, middle[cell] + half
        if cell is not path[-1]:
            drawn += f"L{x:.0f} {y:.0f}"
    return f'  <path class="arrow" marker-end="url(#head)" d="{drawn}"/>'
