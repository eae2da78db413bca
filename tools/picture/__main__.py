"""Draw docs/architecture.svg from the imports: `python -m tools.picture`."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.picture.draw import picture
from tools.picture.graph import read_imports

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs/architecture.svg"


def main() -> int:
    """Write the picture; return 1 if there is an import cycle."""
    try:
        PICTURE.write_text(picture(read_imports(ROOT)), "utf-8")
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
