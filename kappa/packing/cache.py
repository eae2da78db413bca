"""Where kappa's cache is: installed packages, records of builds, unpacked code."""

from __future__ import annotations

import os
from pathlib import Path

from kappa.errors import ArchiveError


def cache_folder() -> Path:
    """The folder of the cache, in $XDG_CACHE_HOME or ~/.cache.

    Raises: ArchiveError, if this user has no home folder.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (base if base.is_absolute() else Path.home() / ".cache") / "kappa"
    except RuntimeError as error:
        raise ArchiveError(
            "There is no place for kappa's cache: this user has no home folder.",
            "Set XDG_CACHE_HOME or HOME to a folder that can be written.",
        ) from error


def cache_error(problem: str, folder: Path, error: OSError) -> ArchiveError:
    """The error for a folder of the cache that cannot be read or written."""
    return ArchiveError(
        f"{problem} in {folder}: {error.strerror or error}.",
        "Set XDG_CACHE_HOME to a folder that can be written.",
    )
