"""Measure everything side by side, print the tables and keep them in bench/results.md.

Usage:
  bench [SECTION...]

Sections, in the order in which all of them run: commands, handlers, delivery, growth, page. Each is
the module of its name. `commands` measures kappa beside what `make bench-peers` has installed.
"""

from __future__ import annotations

import importlib
import sys
import time

from docopt import docopt

from bench.report import keep
from kappa.errors import KappaError

SECTIONS = ("commands", "handlers", "delivery", "growth", "page")


def main() -> int:
    """Run the sections; exit code 1 if one fails, after the others, and 2 for an unknown one."""
    wanted: list[str] = docopt(__doc__ or "")["SECTION"] or list(SECTIONS)
    if unknown := [name for name in wanted if name not in SECTIONS]:
        print(f"Error: no such section: {', '.join(unknown)}.", file=sys.stderr)
        print(f"There are: {', '.join(SECTIONS)}.", file=sys.stderr)
        return 2
    failed = [name for name in wanted if not run(name)]
    if failed:
        print(f"Error: not measured: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def run(name: str) -> bool:
    """Measure one section; False, with the reason printed, if that fails."""
    started_s = time.monotonic()
    print(f"==> {name}", file=sys.stderr)
    try:
        text: str = importlib.import_module(f"bench.{name}").measure()
    except KappaError as error:
        print(f"Error: {error}", file=sys.stderr)
        return False
    keep(name, text)
    print(text)
    print(f"    {name}: {time.monotonic() - started_s:.0f} s", file=sys.stderr)
    return True


if __name__ == "__main__":
    sys.exit(main())
