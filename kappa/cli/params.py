"""What a shell offers for CONFIG: the YAML files here and not far below. It only looks."""

from __future__ import annotations

import os
from pathlib import Path

_MAX_DEPTH = 3
_MAX_FILES = 100
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv"})


def config_files(begun: str) -> list[str]:
    """Find the YAML files whose path begins so, as the user would write it."""
    head, slash, name = begun.rpartition("/")
    base = head + slash
    top = Path(base or ".").expanduser()
    found: list[str] = []
    for folder, folders, files in os.walk(top):
        inside = Path(folder).relative_to(top)
        depth = len(inside.parts)
        folders[:] = sorted(
            one
            for one in folders
            if not one.startswith(".")
            and one not in _SKIPPED
            and depth < _MAX_DEPTH
            and (depth or one.startswith(name))
        )
        found += [
            f"{base}{(inside / one).as_posix()}"
            for one in sorted(files)
            if one.endswith((".yml", ".yaml"))
            and not one.startswith(".")
            and (depth or one.startswith(name))
        ]
        if len(found) >= _MAX_FILES:
            break
    return found[:_MAX_FILES]
