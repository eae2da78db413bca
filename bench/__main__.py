"""Run the benchmarks, print their tables and save them in bench/results.md and the README.

Usage:
  bench [SECTION...]
  bench -h | --help

Without a SECTION all run, in this order: commands, round_trips, local_runs, saves, handlers,
delivery, growth, page. Each is a module of bench/. The first four compare kappa with the tools that
`make bench-peers` installs.
"""

from __future__ import annotations

import importlib
import sys

from docopt import docopt

from bench.readme import write_figures
from bench.report import keep
from kappa.errors import KappaError

SECTIONS = (
    "commands",
    "round_trips",
    "local_runs",
    "saves",
    "handlers",
    "delivery",
    "growth",
    "page",
)


def main() -> int:
    """Run every section; exit code 1 if any failed, 2 for an unknown one."""
    sections: list[str] = docopt(__doc__ or "")["SECTION"] or list(SECTIONS)
    if unknown := [name for name in sections if name not in SECTIONS]:
        print(f"Error: unknown section: {unknown[0]}. Use: {', '.join(SECTIONS)}.", file=sys.stderr)
        return 2
    failed = [name for name in sections if not run(name)]
    if failed:
        print(f"Error: failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def run(name: str) -> bool:
    """Measure one section and save it; on failure print the reason and return False."""
    print(f"==> {name}", file=sys.stderr)
    try:
        text: str = importlib.import_module(f"bench.{name}").measure()
    except KappaError as error:
        print(f"Error: {error}", file=sys.stderr)
        return False
    keep(name, text)
    write_figures()
    print(text)
    return True


if __name__ == "__main__":
    sys.exit(main())
