"""What the page of 2015 loaded: the same versions, from their npm packages.

Nothing of it is kept: it is fetched into a temporary folder, measured and removed. Without a
registry the sizes are those that were measured before.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 20


@dataclass(frozen=True)
class Asset:
    """A file of it; `gzip_bytes` is 0 where that is not known."""

    name: str
    size_bytes: int
    gzip_bytes: int


@dataclass(frozen=True)
class Assets:
    """All of them, and where the sizes come from."""

    files: tuple[Asset, ...]
    note: str


# package, file in it; sizes, plain and compressed, as npm once gave them
FILES = (
    ("bootstrap@3.3.4", "dist/css/bootstrap.min.css", 117_305, 19_095),
    ("bootstrap@3.3.4", "dist/js/bootstrap.min.js", 35_951, 9_512),
    ("jquery@1.11.2", "dist/jquery.min.js", 95_966, 33_286),
    ("aws-sdk@2.2.0", "dist/aws-sdk.min.js", 443_011, 83_340),
)
# Its own script is in no package: only its size is on record.
OWN = Asset("lambda-chat.js, its own", 5_964, 0)
OLD_SDK = (
    "The page had aws-sdk 2.1.12, whose package holds no built file and whose build tool can no "
    "longer be installed; 2.2.0 is the oldest release found that ships one. Compression is gzip's "
    "at its best; its own script, and its HTML, are not counted where that is not known."
)


def read() -> Assets:
    """Fetch and measure; what was recorded where that is not possible."""
    recorded = tuple(Asset(f"{package}: {name}", *sizes) for package, name, *sizes in FILES)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-2015-") as folder:
            fetched = fetch(Path(folder))
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError) as error:
        why = type(error).__name__
        note = f"{OLD_SDK} No registry was reached ({why}): sizes as recorded."
        return Assets((*recorded, OWN), note)
    return Assets((*fetched, OWN), f"{OLD_SDK} Sizes as npm gave them in this run.")


def fetch(folder: Path) -> tuple[Asset, ...]:
    """Get the packages and measure the files."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm")
    packages = list(dict.fromkeys(package for package, *_ in FILES))
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), *packages]
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=TIMEOUT_S)
    return tuple(measured(folder, package, name) for package, name, *_ in FILES)


def measured(folder: Path, package: str, name: str) -> Asset:
    """A file's size, plain and compressed."""
    with tarfile.open(folder / f"{package.replace('@', '-')}.tgz") as packed:
        file = packed.extractfile(f"package/{name}")
        body = file.read() if file else b""
    return Asset(f"{package}: {name}", len(body), len(gzip.compress(body, mtime=0)))
