"""The `kappa` program, also as `python -m kappa`.

It raises the garbage collector's threshold before any other import. Otherwise the collector scans
the imported modules and the SDK's models again and again, which takes a third of a short
command's time.
"""

from __future__ import annotations

import gc
import sys

# Live objects before a collection; the SDK's models are some hundred thousand.
_GC_THRESHOLD = 500_000


def main() -> None:
    """Run the `kappa` command."""
    gc.set_threshold(_GC_THRESHOLD)
    from kappa.cli.main import run

    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
