"""Compare the packed code with the code in AWS, file by file.

It owns how much is shown: the function's own text files line by line, up to a limit, and one line
for each package. Packages are recognized by their `.dist-info` folders, since anyone may have made
the zip.
"""

from __future__ import annotations

import difflib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kappa.aws import Aws
from kappa.errors import AwsError
from kappa.package.zip import MAX_UNZIPPED_BYTES, UNREADABLE
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
_MAX_LIST_BYTES = 10_000
_INFO = re.compile(r"^(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/")


def read_code(aws: Aws, link: str, function: str) -> bytes | None:
    """Download a function's zip; None if AWS gives no link, as for a container image.

    Source: AWS Lambda API, GetFunction: Code.Location is a link that is valid for ten minutes.
    Raises: AwsError, if the download is incomplete or not a zip.
    """
    if not link.startswith(("https://", "http://")):
        return None
    data = aws.download(link, f"downloading the code of {function}", MAX_UNZIPPED_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)):
            return data
    except UNREADABLE as error:
        raise AwsError(
            f"What AWS gives as the code of {function} is not a zip: {error}.",
            "Does a proxy stand between? Run the same command again.",
        ) from error


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


def package_by_file(data: bytes, installed: Iterable[str] = ()) -> dict[str, str]:
    """The package of each file that belongs to one; files in `installed` always do.

    Raises: BadZipFile.
    Source: Python packaging guide, "Binary distribution format": The .dist-info directory.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        owners: dict[str, str] = {}
        for folder, package in _infos(names).items():
            for top in (folder, *_tops(archive, folder, package)):
                owners[top.lower()] = package
    belongs = {name: owners.get(_top(name).lower()) for name in names}
    known = set(installed)
    return {
        name: owner or _top(name)
        for name, owner in belongs.items()
        if owner is not None or name in known
    }


def _infos(names: list[str]) -> dict[str, str]:
    matches = (_INFO.match(name) for name in names)
    return {
        match[0].rstrip("/"): f"{match['name'].replace('_', '-')} {match['version']}"
        for match in matches
        if match
    }


def _tops(archive: zipfile.ZipFile, folder: str, package: str) -> Iterator[str]:
    """A package's top-level names in the zip: those that it lists, else its own name."""
    name = package.rpartition(" ")[0].replace("-", "_")
    try:
        info = archive.getinfo(f"{folder}/top_level.txt")
        text = archive.read(info) if info.file_size < _MAX_LIST_BYTES else b""
        yield from text.decode("utf-8", "replace").split()
    except (KeyError, *UNREADABLE):
        yield name
    yield f"{name}.libs"


def _top(name: str) -> str:
    """A file's top-level folder in the zip, or the module's name if it is in none."""
    first, slash, _ = name.partition("/")
    return first if slash else first.removesuffix(".py")
