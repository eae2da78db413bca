"""The `kappa` program, also as `python -m kappa`.

The garbage collector would go through what is imported, and through the SDK's models, again and
again, at the end too, to find nothing: a third of a short command's time. So it is told before
anything is imported to come when there is much.
"""

from __future__ import annotations

import gc
import sys

# Objects made and not gone; the SDK's models are some hundred thousand.
_MUCH = 500_000


def main() -> None:
    """Run the `kappa` command."""
    gc.set_threshold(_MUCH)
    from kappa.cli.main import run

    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
