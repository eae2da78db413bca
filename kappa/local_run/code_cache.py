"""Unpack a deployment package once, into a cache by its hash. The copy is used unchanged.

Parallel runs do not disturb each other: a folder appears whole, and is locked while it is in use.
It knows where the copies come from, so that an error names the file that the user edits.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import io
import os
import re
import shutil
import stat
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kappa.config.model import Config
from kappa.errors import ArchiveError
from kappa.package.zip import UNREADABLE, Archive

# The folders of an entry: the code, and what Python compiles of it.
CODE, COMPILED = "code", "compiled"
_TEMPORARY = (".unpacking-", ".removing-")
_ABANDONED_S = 3600
_MAX_ENTRIES = 10
# A file of an entry: a digest that shows a change of its code.
_STATE = "state"


@contextmanager
def unpacked(archive: Archive, cache: Path | None = None) -> Iterator[Path]:
    """Yield the folder of an archive's entry, which stays while it is in use.

    Raises: ArchiveError, if the zip cannot be unpacked, or the cache not be written.
    """
    base = (cache or _cache_folder()) / "code"
    try:
        handle = _opened(archive, base)
    except OSError as error:
        raise ArchiveError(
            f"The code could not be unpacked in {base}: {error.strerror or error}.",
            "Set XDG_CACHE_HOME to a folder that can be written.",
        ) from error
    try:
        yield base / _key(archive)
    finally:
        os.close(handle)


def _cache_folder() -> Path:
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


def _key(archive: Archive) -> str:
    return base64.b64decode(archive.sha256).hex()


def _opened(archive: Archive, base: Path) -> int:
    """Lock the archive's entry, which is unpacked if it does not exist."""
    entry = base / _key(archive)
    is_new = False
    while True:
        handle = _locked(entry, fcntl.LOCK_SH)
        if handle is not None:
            if is_new or _is_unchanged(entry):
                os.utime(entry)
                return handle
            os.close(handle)
            _discard(entry)
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(base)
        _unpack(archive, base, entry)
        is_new = True


def _locked(entry: Path, lock: int) -> int | None:
    """Lock an entry; None if it does not exist, was removed meanwhile, or is in use."""
    try:
        handle = os.open(entry, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, lock)
        if os.path.samestat(os.fstat(handle), entry.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


def _unpack(archive: Archive, base: Path, entry: Path) -> None:
    temporary = base / f"{_TEMPORARY[0]}{os.urandom(8).hex()}"
    try:
        (temporary / COMPILED).mkdir(parents=True)
        code = temporary / CODE
        code.mkdir()
        _extract(archive, code)
        _set_writable(code, writable=False)
        (temporary / _STATE).write_text(_state(code))
        temporary.rename(entry)
    except OSError:
        # rename() does not replace a folder: another run was faster.
        if not entry.is_dir():
            raise
    finally:
        _remove(temporary)


def _extract(archive: Archive, code: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(archive.data)) as packed:
            for info in packed.infolist():
                _write(packed, info, code)
    except UNREADABLE as error:
        if isinstance(error, OSError):
            raise
        raise ArchiveError(f"The zip cannot be unpacked: {error}.") from error


def _write(packed: zipfile.ZipFile, info: zipfile.ZipInfo, code: Path) -> None:
    """Write one file, with the mode that it has in the zip, as Lambda does."""
    target = code / info.filename
    if info.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        _link(target, os.fsdecode(packed.read(info)), code, info.filename)
        return
    target.unlink(missing_ok=True)  # a name that the zip has twice
    with packed.open(info) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file)
    target.chmod(0o555 if mode & 0o111 else 0o444)


def _link(target: Path, to: str, code: Path, name: str) -> None:
    inside = os.path.realpath(code)
    if not os.path.realpath(target.parent / to).startswith(f"{inside}{os.sep}"):
        raise ArchiveError(f"{name} is a link to {to}, which is not inside of the zip.")
    target.symlink_to(to)


def _is_unchanged(entry: Path) -> bool:
    """Whether the code is as it was unpacked: root can always write, its owner can allow it."""
    with suppress(OSError):
        return (entry / _STATE).read_text() == _state(entry / CODE)
    return False


def _state(code: Path) -> str:
    """A digest of the files' names and sizes, and of when each last changed in any way."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(code):
        folders.sort()
        for name in (".", *folders, *sorted(files)):
            facts = os.lstat(f"{folder}/{name}")
            line = f"{name}/{facts.st_ctime_ns}/{facts.st_size}\n"
            digest.update(line.encode("utf-8", "replace"))
    return digest.hexdigest()


def _discard(entry: Path) -> None:
    """Remove an entry, even one in use: its users then find the new one at the same path."""
    removed = entry.with_name(f"{_TEMPORARY[1]}{os.urandom(8).hex()}")
    with suppress(FileNotFoundError):
        entry.rename(removed)
    _remove(removed)


def _sweep(base: Path) -> None:
    """Remove what killed runs left, and all entries but those that were used last."""
    now_s, used = time.time(), []
    for folder in base.iterdir():
        with suppress(FileNotFoundError):
            age_s = now_s - folder.stat().st_mtime
            if not folder.name.startswith(_TEMPORARY):
                used.append((age_s, folder))
            elif age_s > _ABANDONED_S:
                _remove(folder)
    for _, folder in sorted(used)[_MAX_ENTRIES:]:
        _remove_entry(folder)


def _remove_entry(entry: Path) -> None:
    """Remove an entry, unless somebody uses it."""
    handle = _locked(entry, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if handle is None:
        return
    try:
        _discard(entry)
    finally:
        os.close(handle)


def _remove(folder: Path) -> None:
    if folder.is_dir():
        with suppress(OSError):
            _set_writable(folder, writable=True)
        shutil.rmtree(folder, ignore_errors=True)


def _set_writable(folder: Path, *, writable: bool) -> None:
    """Allow adding and removing files in the folders, or forbid it."""
    for path, _, _ in os.walk(folder, topdown=writable):
        Path(path).chmod(0o755 if writable else 0o555)


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
