"""Write the lock files from pyproject.toml: `make lock`.

requirements.txt        this package, and the packages of ./resources.py, kappa and ./update.sh
requirements/local.txt  those packages and the emulator, with hashes: `make local`
requirements/dev.txt    all packages, with hashes: `make test`
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make lock` from pyproject.toml.\n"


def pins(*options: str) -> str:
    """Resolve the versions for every Python and system that the project supports.

    Raises: CalledProcessError, if uv finds no compatible versions.
    """
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--upgrade",
         "--no-header", "--no-annotate", "--no-emit-index-url", *options, "pyproject.toml"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return done.stdout


def main() -> None:
    """Write the three files; the smaller ones use the versions of the largest."""
    dev = ROOT / "requirements" / "dev.txt"
    dev.write_text(HEADER + pins("--extra=dev", "--generate-hashes"))
    same = ("--constraint", str(dev))
    local = pins("--extra=local", "--generate-hashes", *same)
    (ROOT / "requirements" / "local.txt").write_text(HEADER + local)
    (ROOT / "requirements.txt").write_text(f"{HEADER}-e .\n{pins(*same)}")


if __name__ == "__main__":
    main()
