"""Build the site in a folder: sources, the filled page, bundles; decide which keys are public.

Owns the build folder. It must not call AWS or print.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from kappa.errors import KappaError
from lambda_chat.site.bundle import Bundle, bundle, is_bundled
from lambda_chat.site.headers import File, file_of
from lambda_chat.site.sources import read_sources

PAGE = "index.html"
# The configuration that the page was built with. It is not public: update.sh reads it to find out
# whose page a bucket holds.
CONFIG_KEY = "config.json"
# Keys of earlier versions' pages, which update.sh removes, along with vendor/
FORMER_FILES = ("config.js", "error.html")
PAGE_FOLDERS = ("css", "js", "vendor")
LEFT_OVER_S = 24 * 3600
# the page's references to its own files: css/main.css, css/icons.svg#bell, but no other site's URL
NAMED = re.compile(r'\b(href|src)="((?:css|js)/[^"?#]+)(?=["?#])')
MODULE = '<script type="module"'
# Indents, blank lines and comments, but not where spaces count, nor in an inline script, whose
# digest the page's CSP names.
FOR_READERS = re.compile(
    r"(<(pre|script|textarea)\b.*?</\2>)|(?<=\n)\s+|\s+(?=/>)|<!--.*?-->", re.DOTALL
)


def fill(text: str, values: Mapping[str, str], name: str) -> str:
    """Replace each `{{name}}` in a page.

    Raises: KappaError, naming file and line, for an unknown or malformed placeholder.
    """

    def value(match: re.Match[str]) -> str:
        key = match[1].strip() if match[1] else ""
        if key not in values:
            line = text.count("\n", 0, match.start()) + 1
            raise KappaError(
                f"{name}: line {line}: unknown placeholder {match[0]}.",
                f"Known: {', '.join(sorted(values))}.",
            )
        return html.escape(values[key])

    return re.sub(r"\{\{(?:([^{}\n]*)\}\})?", value, text)


@contextmanager
def run_folder(base: Path) -> Iterator[Path]:
    """Make a folder in `base` for one run, and remove it afterwards.

    So concurrent runs never see each other's unfinished site. The folder of a killed run is removed
    a day later.
    Raises: KappaError, if no folder can be made.
    """
    try:
        folder = _new_folder(base)
        _remove_left_over(base)
    except OSError as error:
        raise KappaError(
            f"{base} cannot be written: {error.strerror}.",
            "update.sh builds the page there. Is build a folder in the checkout, and can you write "
            "to it?",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # another run still uses it
            base.rmdir()


def _remove_left_over(base: Path) -> None:
    for folder in base.iterdir():
        with suppress(FileNotFoundError):  # another run has just ended
            if folder.lstat().st_mtime < time.time() - LEFT_OVER_S:
                shutil.rmtree(folder, ignore_errors=True)


def _new_folder(base: Path) -> Path:
    while True:
        base.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another run has just removed the empty folder
            return Path(tempfile.mkdtemp(dir=base, prefix="run-"))


def build_site(
    source: Path,
    folder: Path,
    settings: Mapping[str, object],
    values: Mapping[str, str],
    modules: Path,
) -> list[File]:
    """Build the site in the empty folder `folder`; return its files.

    `settings` is the result of page_config(), `values` maps the page's placeholders, `modules` is
    node_modules. Files that the page references, and all that they load, get hashed names; other
    files keep theirs.
    Raises: KappaError, if there is no page, or for an invalid source or placeholder.
    """
    if not (source / PAGE).is_file():
        raise KappaError(f"{source / PAGE} does not exist.")
    for key, path in read_sources(source).items():
        _check_key(key)
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / key)
    text = _read_page(source / PAGE)
    made = bundle(folder, _named(text, folder), modules)
    config = json.dumps(settings, sort_keys=True)
    text = fill(text, {**values, "config": config}, str(source / PAGE))
    text = FOR_READERS.sub(lambda match: match[1] or "", _with_hashed_names(text, made))
    (folder / PAGE).write_text(text, "utf-8")
    (folder / CONFIG_KEY).write_text(f"{config}\n", "utf-8")
    return read_site(folder, made.hashed)


def _read_page(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise KappaError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from error


def _named(text: str, folder: Path) -> set[str]:
    """Return the keys of the files that the page references and that can be bundled.

    Raises: KappaError, for a missing file.
    """
    keys = {match[2] for match in NAMED.finditer(text)}
    for key in sorted(keys):
        if not (folder / key).is_file():
            raise KappaError(f"{PAGE} names {key}, which does not exist.")
    return {key for key in keys if is_bundled(key)}


def _with_hashed_names(text: str, made: Bundle) -> str:
    """Make the page load the bundles, in as few round trips as possible."""
    links = "".join(f'<link rel="modulepreload" href="{key}" />\n' for key in made.preloads)
    page = NAMED.sub(lambda match: f'{match[1]}="{made.names.get(match[2], match[2])}', text)
    return page.replace(MODULE, links + MODULE, 1)


def read_site(folder: Path, hashed: frozenset[str] = frozenset()) -> list[File]:
    """Return the built site's files; the keys in `hashed` contain a digest.

    Raises: KappaError, for a file that the bucket's policy keeps private or of an unknown type.
    """
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    for key, path in files.items():
        if path.is_file() and key != CONFIG_KEY:
            _check_key(key)
    return [
        file_of(key, path, hashed=key in hashed) for key, path in files.items() if path.is_file()
    ]


def _check_key(key: str) -> None:
    if not is_of_page(key) or key in FORMER_FILES:
        places = ", ".join([PAGE, *(f"{name}/" for name in PAGE_FOLDERS)])
        raise KappaError(f"{key} would not be readable in the bucket.", f"Public: {places}.")


def is_of_page(key: str) -> bool:
    """Whether the key belongs to the page, or to an earlier version's page."""
    return key in (PAGE, *FORMER_FILES) or ("/" in key and key.split("/")[0] in PAGE_FOLDERS)
