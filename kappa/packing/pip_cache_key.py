"""Find the inputs of an installation: pip's settings and the content of local files.

It owns which requirements, options and settings name local files. It must not run anything. An
input that may change unseen, such as the content of a URL, makes the whole unknown.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kappa.config.inputs import depends_on
from kappa.errors import ArchiveError
from kappa.packing.requirement_lines import (
    INCLUDES,
    INDEXES,
    LINKS,
    PLAIN,
    expanded_lines,
    halves,
    is_package,
    local_path,
)
from kappa.packing.source_tree import read_files

# pip reads a file in the encoding that its first lines name.
_CODING = re.compile(r"\A(?:[^\n]*\n)?\s*#[^\n]*coding[:=]\s*(?!utf-?8)", re.IGNORECASE)
# Options without a value, which name no local file.
_FLAGS = frozenset({"--no-index", "--pre", "--prefer-binary", "--require-hashes"})
_ADDRESS = re.compile(r"(?<!file)://")
_HASH = re.compile(r"[#&]sha(256|384|512)=")
# The endings of wheels and source archives.
_SOURCES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# Settings that do not affect what is installed.
_WITHOUT_EFFECT = frozenset({"cache-dir", "progress-bar", "no-color", "log", "quiet", "verbose"})
# Settings whose value may contain a slash without naming an input.
_WITH_SLASH = frozenset(
    {"cert", "client-cert", "config-file", "prefix", "proxy", "root", "target", "trusted-host"}
)
_UNKNOWN = frozenset({"editable", "group", "requirements-from-script"})


class Inputs(msgspec.Struct):
    """The inputs found: name and content of each local file; `is_known` if they are complete.

    Content is the SHA-256; for a file in a folder of links, its size, times and inode. `builds`:
    folders and source archives count, since they may be built.
    """

    files: list[tuple[str, str]] = msgspec.field(default_factory=list)
    settings: list[str] = msgspec.field(default_factory=list)
    is_known: bool = True
    builds: bool = False


def read_inputs(requirements: str, folder: Path, settings: str, *, builds: bool = False) -> Inputs:
    """Read the inputs of requirements, and of pip's settings as `pip config list` prints them.

    Names are relative to `folder`, where pip runs, or to the file that contains them.
    Raises: ArchiveError, if a file cannot be read.
    """
    inputs = Inputs(builds=builds)
    seen: set[Path] = set()
    try:
        _read_text(requirements, folder, (folder,), inputs, seen)
        _read_settings(settings, folder, inputs, seen)
    except OSError as error:
        raise ArchiveError(f"{error.filename}: {error.strerror or error}.") from error
    return inputs


def _read_text(
    text: str, base: Path, bases: tuple[Path, ...], inputs: Inputs, seen: set[Path]
) -> None:
    """Read the files that each line names; a line that is not understood makes it unknown."""
    inputs.is_known &= not _CODING.search(text)
    for line in expanded_lines(text):
        requirement, options = halves(line)
        if requirement:
            _read_requirement(requirement, options, bases, inputs)
            continue
        for name, value in options:
            _read_option(name, value, base, bases, inputs, seen)


def _read_option(
    name: str, value: str, base: Path, bases: tuple[Path, ...], inputs: Inputs, seen: set[Path]
) -> None:
    if name in INCLUDES:
        _read_include(value, base, bases, inputs, seen)
    elif name in LINKS:
        _read_links(value, bases, inputs)
    elif name in INDEXES:
        _read_index(value, inputs)
    elif name not in _FLAGS | PLAIN:
        inputs.is_known = False


def _read_requirement(
    text: str, options: list[tuple[str, str]], bases: tuple[Path, ...], inputs: Inputs
) -> None:
    inputs.is_known &= all(name == "--hash" for name, _ in options)
    if is_package(text):
        return
    # NAME @ URL, a URL or a path; a marker may follow.
    place = re.sub(r"^[A-Za-z0-9][\w.-]*\s*(\[[^\]/]*\])?\s*@\s*", "", text)
    if _ADDRESS.search(place):
        # Only a hash tells what a URL returns the next time.
        inputs.is_known &= bool(options or _HASH.search(place))
        return
    _read_place(place.partition(";")[0].strip(), bases, inputs, "wheel")


def _read_include(
    name: str, base: Path, bases: tuple[Path, ...], inputs: Inputs, seen: set[Path]
) -> None:
    path = base / local_path(name)
    if _ADDRESS.search(name):
        inputs.is_known = False
    elif path.is_file():
        if path.resolve() not in seen:
            seen.add(path.resolve())
            text = _text(name, path, inputs)
            _read_text(text, path.parent, (path.parent, bases[-1]), inputs, seen)
    elif path.exists():
        raise ArchiveError(f"{path} is not a file.", "Name a file of requirements.")
    else:
        inputs.is_known = False


def _text(name: str, path: Path, inputs: Inputs) -> str:
    """Read an included file; its content counts together with the values of its variables."""
    depends_on(path)
    data = path.read_bytes()
    text = data.decode("utf-8", "replace")
    inputs.is_known &= "\ufffd" not in text
    expanded_text = "\n".join(expanded_lines(text))
    inputs.files.append((name, hashlib.sha256(data + b"\0" + expanded_text.encode()).hexdigest()))
    return text


def _read_links(name: str, bases: tuple[Path, ...], inputs: Inputs) -> None:
    if not _ADDRESS.search(name):
        _read_place(name, bases, inputs, "links")


def _read_index(name: str, inputs: Inputs) -> None:
    """Note an index; a local one is unknown, since its pages are not read."""
    inputs.is_known &= bool(_ADDRESS.search(name))


def _read_place(name: str, bases: tuple[Path, ...], inputs: Inputs, kind: str) -> None:
    """Read a wheel, or the wheels of a folder of links, from every folder that pip may use."""
    local = local_path(name)
    paths = [] if "\0" in local else list(dict.fromkeys(base / local for base in bases))
    existing = [path for path in paths if path.exists()]
    inputs.is_known &= bool(local and existing)
    for path in existing:
        if path.is_dir() and kind == "links":
            _read_folder(path, inputs)
        elif path.is_dir():
            _read_tree(name, path, inputs)
        else:
            depends_on(path)
            # A page of links may name anything.
            suffixes = _SOURCES if inputs.builds and kind == "wheel" else (".whl",)
            inputs.is_known &= path.name.endswith(suffixes) and path.is_file()
            inputs.files.append((name, digest(path) if path.is_file() else ""))


def _read_tree(name: str, folder: Path, inputs: Inputs) -> None:
    """Read each file of a package's folder that a build would see."""
    inputs.is_known &= inputs.builds
    for inner, path in read_files(folder) if inputs.builds else ():
        depends_on(path)
        depends_on(path.parent, "folders")
        inputs.is_known &= path.is_file()
        if path.is_file():
            is_program = path.stat().st_mode & 0o100
            inputs.files.append((f"{name}/{inner} {is_program}", digest(path)))


def _read_folder(folder: Path, inputs: Inputs) -> None:
    """Read the packages in a folder of links; pip does not look into subfolders."""
    depends_on(folder, "folders")
    for path in sorted(folder.iterdir()):
        if path.name.endswith(_SOURCES) and path.is_file():
            depends_on(path)
            inputs.files.append((path.name, _stamp(path)))
        inputs.is_known &= path.suffix not in (".html", ".htm")


def _stamp(path: Path) -> str:
    """A cheap fingerprint, since a folder may hold too many wheels to read each time.

    Writing or replacing a file changes its ctime or its inode.
    """
    stat = path.stat()
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"


def digest(path: Path) -> str:
    """The SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_settings(settings: str) -> Iterator[tuple[str, str, str]]:
    """Split settings into section, name and value, but for those without effect."""
    for line in settings.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if name not in _WITHOUT_EFFECT:
            yield section, name, _value(value)


def _read_settings(settings: str, folder: Path, inputs: Inputs, seen: set[Path]) -> None:
    for section, name, value in read_settings(settings):
        inputs.settings.append(f"{section}.{name}={value!r}")
        for word in value.split():
            if name in ("constraint", "requirement"):
                _read_include(word, folder, (folder,), inputs, seen)
            elif name == "find-links":
                _read_links(word, (folder,), inputs)
            elif name in ("index-url", "extra-index-url"):
                _read_index(word, inputs)
            elif name in _UNKNOWN or ("/" in word and name not in _WITH_SLASH):
                inputs.is_known = False


def _value(text: str) -> str:
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text
