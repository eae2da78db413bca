"""Write Markdown tables, and each section's text to its place in bench/results.md.

Owns how numbers are formatted.
"""

from __future__ import annotations

import math
import os
import platform
import re
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"
HEADER = """\
# Benchmark results

`make bench` writes this file; `python -m bench SECTION` updates one section. Compare times only
within one table: it comes from one run. Everything, including the emulated AWS, runs on one
machine.
"""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    cells = [[written(cell) for cell in row] for row in rows]
    kinds = ["---" if index == 0 else "---:" for index in range(len(heads))]
    lines = [heads, kinds, *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def written(cell: object) -> str:
    """A float with three significant digits; integers with thousands separators; text as is."""
    if not isinstance(cell, float):
        return f"{cell:,}" if isinstance(cell, int) else str(cell)
    if not math.isfinite(cell):
        return "-"
    digits = max(0, 2 - math.floor(math.log10(abs(cell)))) if cell else 0
    return f"{cell:,.{min(digits, 3)}f}"


def with_ratio(value: float, base: float) -> str:
    """A value and its ratio to another, in brackets, if there is one."""
    ratio = value / base
    return f"{written(value)} ({ratio:.2f})" if math.isfinite(ratio) else written(value)


def percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95 and p99; NaN for fewer than two values."""
    if len(values) < 2:
        return (math.nan, math.nan, math.nan)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


def keep(section: str, text: str, path: Path = RESULTS) -> None:
    """Replace a section's text in the results; append a new section."""
    old = path.read_text() if path.exists() else HEADER
    when = time.strftime("%Y-%m-%d", time.gmtime())
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    whole = f"<!-- {section} -->\n{text.strip()}\n\n*{when}, {machine}*\n<!-- end -->\n"
    place = re.compile(rf"<!-- {re.escape(section)} -->\n.*?<!-- end -->\n", re.DOTALL)
    new = place.sub(lambda _: whole, old) if place.search(old) else f"{old}\n{whole}"
    path.write_text(new)
