"""Run the benchmarks, print their tables and save them in bench/results.md.

Usage:
  bench [SECTION...]
  bench -h | --help

Without a SECTION all run, in this order: commands, local_runs, saves, handlers, delivery, growth,
page. Each is a module of bench/. `commands` and `local_runs` compare kappa with the tools that
`make bench-peers` installs.

  python -m bench page
"""

from __future__ import annotations

import importlib
import sys
import time

from docopt import docopt

from bench.report import keep
from kappa.errors import KappaError

SECTIONS = ("commands", "local_runs", "saves", "handlers", "delivery", "growth", "page")


def main() -> int:
    """Run every section; exit code 1 if any failed, 2 for an unknown one."""
    sections: list[str] = docopt(__doc__ or "")["SECTION"] or list(SECTIONS)
    if unknown := [name for name in sections if name not in SECTIONS]:
        print(f"Error: unknown section: {', '.join(unknown)}.", file=sys.stderr)
        print(f"  Use any of: {', '.join(SECTIONS)}.", file=sys.stderr)
        return 2
    failed = [name for name in sections if not run(name)]
    if failed:
        print(f"Error: failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def run(name: str) -> bool:
    """Measure one section and save it; on failure print the reason and return False."""
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
