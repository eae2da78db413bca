"""Where the files of the zip come from, so that an error names the file that the user edits."""

from __future__ import annotations

import re
from pathlib import Path

from kappa.config.model import Config
from kappa.packing.archive import Archive


def source_folder(config: Config, archive: Archive) -> Path:
    """The folder in which the files of lambda.path have the same names as in the zip."""
    path = config.beside(config.function.path).absolute()
    if path.is_dir():
        return path
    names = (name for name in archive.names if str(path).endswith(f"/{name}"))
    return Path(str(path).removesuffix(next(names, path.name)))


def in_source(text: str, code: Path, source: Path) -> str:
    """Put the user's own file in place of its copy below `code`, wherever it exists."""

    def own(match: re.Match[str]) -> str:
        file = source / match[1]
        return str(file) if file.is_file() else match[0]

    return re.sub(rf"{re.escape(str(code))}/([^\s:\\\"'()]+)", own, text)
