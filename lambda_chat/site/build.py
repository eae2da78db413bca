"""The site as files: sources, the filled page, bundles. What of it is public, and what is not.

Owns the build folder. It must not talk to AWS or print.
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
# What the page was built with. It is not public: update.sh reads it to know whose page a bucket
# holds.
CONFIG_KEY = "config.json"
# Keys of the page of earlier versions: update.sh removes them, and what is in vendor/
FORMER_FILES = ("config.js", "error.html")
PAGE_FOLDERS = ("css", "js", "vendor")
LEFT_OVER_S = 24 * 3600
# what the page names of its own: css/main.css, css/icons.svg#bell, but no address of another site
NAMED = re.compile(r'\b(href|src)="((?:css|js)/[^"?#]+)(?=["?#])')
MODULE = '<script type="module"'


def fill(text: str, values: Mapping[str, str], name: str) -> str:
    """Replace each `{{name}}` of a page.

    Raises: KappaError, naming file and line, for one that has no value or is malformed.
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

    Two runs at once never see each other's half-made site. What a killed run has left is removed a
    day later.
    Raises: KappaError, where no folder can be made.
    """
    try:
        folder = _new_folder(base)
        _remove_left_over(base)
    except OSError as error:
        raise KappaError(
            f"{base} cannot be written: {error.strerror}.",
            "update.sh builds the page there. Is build a folder of the checkout, and may you write "
            "to it?",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # others are at work in it
            base.rmdir()


def _remove_left_over(base: Path) -> None:
    for left in base.iterdir():
        with suppress(FileNotFoundError):  # another run has just ended
            if left.lstat().st_mtime < time.time() - LEFT_OVER_S:
                shutil.rmtree(left, ignore_errors=True)


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
    """Make the site in the empty folder `folder`; return its files.

    `settings` are what page_config() returns, `values` stand for the page's placeholders, `modules`
    is node_modules. What the page names, and all that this loads, gets a hashed name. What it does
    not name stays as it is.
    Raises: KappaError, without a page, or for a source or a placeholder that is wrong.
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
    (folder / PAGE).write_text(_with_hashed_names(text, made), "utf-8")
    (folder / CONFIG_KEY).write_text(f"{config}\n", "utf-8")
    return read_site(folder, made.hashed)


def _read_page(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise KappaError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from error


def _named(text: str, folder: Path) -> set[str]:
    """Return the keys of the files that the page names and that can be bundled.

    Raises: KappaError, for one that does not exist.
    """
    keys = {match[2] for match in NAMED.finditer(text)}
    for key in sorted(keys):
        if not (folder / key).is_file():
            raise KappaError(f"{PAGE} names {key}, which does not exist.")
    return {key for key in keys if is_bundled(key)}


def _with_hashed_names(text: str, made: Bundle) -> str:
    """Let the page load what was made, in as few round trips as there can be."""
    links = "".join(f'<link rel="modulepreload" href="{key}" />\n    ' for key in made.preloads)
    page = NAMED.sub(lambda match: f'{match[1]}="{made.names.get(match[2], match[2])}', text)
    return page.replace(MODULE, links + MODULE, 1)


def read_site(folder: Path, hashed: frozenset[str] = frozenset()) -> list[File]:
    """Return the built site's files; the keys in `hashed` have a digest in their names.

    Raises: KappaError, for a file that the bucket's policy hides or whose type is unknown.
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
    """Is it a key of the page, or of an earlier version's page?"""
    return key in (PAGE, *FORMER_FILES) or ("/" in key and key.split("/")[0] in PAGE_FOLDERS)
