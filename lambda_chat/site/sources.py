"""List the files of the page's folder, and refuse those that must not be published.

Published files are public. So a link is followed only inside the folder, and only regular files are
read: a pipe would wait for a writer for ever. It must not write.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kappa.errors import KappaError
from kappa.package.files import check_link
from kappa.texts import shown

# S3 API reference, PutObject: a key has at most 1,024 bytes in UTF-8.
MAX_KEY_BYTES = 1024
BUNDLED = (".css", ".js")
# On its command line esbuild reads `a=b.js` as two names, and `*` and `?` as patterns.
SIGNS = "=*?"
PUBLIC = "Everything there becomes public: copy the file into the folder if it may be."


def read_sources(source: Path) -> dict[str, Path]:
    """Map the key of each file to publish to the regular file that holds it, sorted.

    Files and folders whose names begin with a dot or end in `~` are skipped.
    Raises: KappaError, naming the first file that is a broken link or a link out of the folder, is
    not a regular file, or has a name that a page cannot load.
    """
    return dict(_walk(source, "", source.resolve(), []))


def _walk(folder: Path, base: str, inside: Path, above: list[Path]) -> Iterator[tuple[str, Path]]:
    real = folder.resolve()
    if real in above:
        raise KappaError(f"{shown(str(folder))} is a link to a folder that it is in.", "Remove it.")
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        key = f"{base}{path.name}"
        target = check_link(path, inside, PUBLIC) if path.is_symlink() else path
        if target.is_dir():
            yield from _walk(path, f"{key}/", inside, [*above, real])
            continue
        if not target.is_file():
            raise KappaError(f"{shown(str(path))} is neither a file nor a folder.", "Remove it.")
        _check_name(key)
        yield key, target


def _check_name(key: str) -> None:
    if not key.isprintable():
        raise KappaError(f"{shown(ascii(key))}: a page cannot load this name.", "Rename it.")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise KappaError(f"{key}: longer than the {MAX_KEY_BYTES} bytes that S3 allows.")
    sign = next((sign for sign in SIGNS if sign in key), "")
    if sign and key.endswith(BUNDLED):
        raise KappaError(
            f"{key}: a script or style sheet may not have {sign} in its name.", "Rename it."
        )
