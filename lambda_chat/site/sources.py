"""The page's sources: which files of a folder are published, and which must not be.

Everything that is published is public. So a link is followed only where it stays inside the folder,
and only regular files are read: a pipe would wait for a writer for ever. It must not write.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kappa.errors import KappaError
from kappa.packing.files import check_link
from kappa.texts import shown

# S3 API reference, PutObject: a key has at most 1,024 bytes in UTF-8.
MAX_KEY_BYTES = 1024
BUNDLED = (".css", ".js")
# On its command line esbuild reads `a=b.js` as two names, and `*` and `?` as patterns.
SIGNS = "=*?"
PUBLIC = "Everything there becomes public: copy the file into the folder if it may be."


def read_sources(source: Path) -> dict[str, Path]:
    """Map the key of each file to publish to the regular file that holds it, sorted.

    Names that begin with a dot or end in `~` are left out, and what is in folders of such names.
    Raises: KappaError, naming the first that is a link which leads out of the folder or nowhere,
    no regular file, or has a name that no page can load.
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
        found = check_link(path, inside, PUBLIC) if path.is_symlink() else path
        if found.is_dir():
            yield from _walk(path, f"{key}/", inside, [*above, real])
            continue
        if not found.is_file():
            raise KappaError(f"{shown(str(path))} is neither a file nor a folder.", "Remove it.")
        _check_name(key)
        yield key, found


def _check_name(key: str) -> None:
    if not key.isprintable():
        raise KappaError(f"{shown(ascii(key))}: a name that no page can load.", "Rename it.")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise KappaError(f"{key}: longer than the {MAX_KEY_BYTES} bytes that S3 takes.")
    sign = next((sign for sign in SIGNS if sign in key), "")
    if sign and key.endswith(BUNDLED):
        raise KappaError(
            f"{key}: a script or style sheet may not have {sign} in its name.", "Rename it."
        )
