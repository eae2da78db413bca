"""Compare the packed code with the code in AWS, file by file. Pure.

It owns how much is shown: the function's own text files line by line, up to a limit, and one line
for each package.
"""

from __future__ import annotations

import difflib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kappa.packing.archive import UNREADABLE
from kappa.packing.package_files import package_by_file
from kappa.texts import file_count, one_line, shown

_MAX_TEXT_BYTES = 64 * 1024
_MAX_LINES_OF_A_FILE = 40
_MAX_LINES = 400
# Names of files whose content is not shown, since a diff ends up in logs.
_SECRET = re.compile(
    r"""(^|/)(
        (secrets?|credentials?|\.ssh|\.aws)/.*
        | \.(env|netrc|npmrc|pypirc|pgpass|htpasswd)[^/]*
        | [^/]*\.env | env\.[^/]* | id_(rsa|dsa|ecdsa|ed25519)[^/]*
        | [^/]*\.(pem|key|p12|pfx|jks|keystore)
        | service[-_]?account[^/]*\.json
        | token[^/]* | [^/]*(secret|credential|password)[^/]*
    )$""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


class File(msgspec.Struct, frozen=True):
    """One file of the code. A size is None if the file is not in that zip.

    Shape: `before_package` and `after_package` are "NAME VERSION", or "" for the function's own
    file; `lines` is a unified diff without its header.
    """

    name: str
    before_bytes: int | None
    after_bytes: int | None
    before_package: str = ""
    after_package: str = ""
    lines: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The package's name without its version; "" for the function's own file."""
        return (self.after_package or self.before_package).partition(" ")[0]


def compare_code(
    deployed: bytes | None,
    code: bytes,
    installed: Iterable[str] = (),
    *,
    show_secrets: bool = False,
    secrets: Sequence[str] = (),
) -> tuple[File, ...]:
    """Compare the files of two zips; equal files are left out.

    `installed` are the names of files in `code` that kappa installed. No lines are shown of a file
    that has one of the `secrets`, since the old file has what was in its place.
    """
    before, after = _files(deployed), _files(code)
    old = package_by_file(deployed, installed) if deployed is not None else {}
    new = package_by_file(code, installed)
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    own = [name for name in changed if name not in old and name not in new]
    in_both = [name for name in own if name in before and name in after]
    texts = _texts(deployed, code, in_both, secrets)
    return tuple(
        File(
            name,
            before[name][0] if name in before else None,
            after[name][0] if name in after else None,
            old.get(name, ""),
            new.get(name, ""),
            texts.get(name, ()) if show_secrets or not _SECRET.search(name) else (),
        )
        for name in changed
    )


def _files(data: bytes | None) -> dict[str, tuple[int, int, int]]:
    if data is None:
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            info.filename: (info.file_size, info.CRC, info.external_attr >> 16 & 0o100)
            for info in archive.infolist()
            if not info.is_dir()
        }


def _texts(
    deployed: bytes | None, code: bytes, names: list[str], secrets: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    if deployed is None:
        return {}
    with (
        zipfile.ZipFile(io.BytesIO(deployed)) as old,
        zipfile.ZipFile(io.BytesIO(code)) as new,
    ):
        texts = {name: (_text(old, name), _text(new, name)) for name in names}
    return {
        name: _lines(before, after)
        for name, (before, after) in texts.items()
        if not any(secret in (after or "") for secret in secrets)
    }


def _text(archive: zipfile.ZipFile, name: str) -> str | None:
    """Read a text file; None if it is not text or too large to show."""
    if archive.getinfo(name).file_size > _MAX_TEXT_BYTES:
        return None
    try:
        text = archive.read(name).decode()
    except UNREADABLE:
        return None
    return None if "\0" in text else text


def _lines(before: str | None, after: str | None) -> tuple[str, ...]:
    if before is None or after is None:
        return ()
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    lines = [_visible(line) for line in diff][2:]
    more = len(lines) - _MAX_LINES_OF_A_FILE
    first = lines[:_MAX_LINES_OF_A_FILE]
    return tuple([*first, f" ... {more} more lines"] if more > 0 else first)


def _visible(line: str) -> str:
    """Escape joiners and special blanks too, since they may be all that differs."""
    return "".join(
        char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode()
        for char in line
    )


def file_lines(files: tuple[File, ...]) -> Iterator[tuple[str, str]]:
    """Yield the lines to print, each as a sign (+, -, ~ or a blank) and a text."""
    lines_left = _MAX_LINES
    for file in files:
        if file.package:
            continue
        yield _line(file.name, file.before_bytes, file.after_bytes)
        for text in file.lines if lines_left >= len(file.lines) else ():
            lines_left -= 1
            yield (text[0] if text[0] in "+-" else " "), f"        {text}"
    for package in sorted({file.package for file in files} - {""}):
        yield _package_line([file for file in files if file.package == package])


def _line(name: str, before: int | None, after: int | None) -> tuple[str, str]:
    name = one_line(shown(name))
    if before is None:
        return "+", f"    + {name}  {after} bytes"
    if after is None:
        return "-", f"    - {name}  {before} bytes"
    return "~", f"    ~ {name}  {before} -> {after} bytes"


def _package_line(files: list[File]) -> tuple[str, str]:
    before = next((file.before_package for file in files if file.before_package), "")
    after = next((file.after_package for file in files if file.after_package), "")
    sign = "+" if not before else "-" if not after else "~"
    name = f"{before} -> {after.rpartition(' ')[2]}" if before and after else before or after
    if before == after:
        name = after
    size = sum((file.before_bytes if sign == "-" else file.after_bytes) or 0 for file in files)
    return sign, f"    {sign} {name}  {file_count(len(files))}, {size} bytes"
