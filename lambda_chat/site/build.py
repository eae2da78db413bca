"""The site as files: what config.js says, the filled pages, each file's type and ETag.

Owns the build folder and the rules of what is public. It must not talk to AWS or print.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from kappa.errors import ConfigError, KappaError
from lambda_chat.config import ChatConfig
from lambda_chat.site.sources import read_sources

SERVICES = ("sts", "sns", "dynamodb", "s3")

# vendor/ and error.html are of earlier versions: update.sh removes them
FORMER_FILE = "error.html"
PAGE_FILES = ("index.html", "config.js")
PAGE_FOLDERS = ("css", "js", "vendor")
CACHE_CONTROL = "no-cache"
LEFT_OVER_S = 24 * 3600
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
# S3 sends what it holds: text is held compressed, which every browser undoes.
GZIPPED = (".css", ".html", ".js", ".json", ".map", ".svg", ".webmanifest")
# A listing shows an object's bytes (the ETag) but not its headers. This object holds the rules
# that made the headers: when it differs, every file is uploaded anew. It is not public.
HEADERS_KEY = "headers.json"
HEADERS_BODY = json.dumps(
    {"cache_control": CACHE_CONTROL, "content_types": CONTENT_TYPES, "gzip": GZIPPED},
    indent=2,
    sort_keys=True,
).encode()


class File(msgspec.Struct, frozen=True):
    """One file of the built site."""

    key: str
    path: Path
    etag: str
    content_type: str

    @property
    def gzipped(self) -> bool:
        """Is it held compressed, and says so in its Content-Encoding?"""
        return self.path.suffix in GZIPPED


def endpoints(region: str, endpoint_url: str) -> dict[str, str]:
    """Return the address of each service that the page calls; `endpoint_url` is "" on AWS."""
    return {
        service: endpoint_url or f"https://{service}.{region}.{_suffix(region)}"
        for service in SERVICES
    }


@cache
def _suffix(region: str) -> str:
    """Return how the names of AWS's servers end in a region, as the SDK's data has it."""
    from botocore.loaders import create_loader

    partitions = create_loader().load_data("partitions")["partitions"]
    for one in partitions:
        if region in one["regions"] or re.fullmatch(one["regionRegex"], region):
            return str(one["outputs"]["dnsSuffix"])
    return "amazonaws.com"


def page_config(config: ChatConfig, region: str, addresses: Mapping[str, str]) -> dict[str, object]:
    """Return what config.js tells the page."""
    return {
        "bucket": config.s3_bucket,
        "dataPrefix": config.data_prefix,
        "endpoints": dict(addresses),
        "googleClientId": config.google_oauth_client_id,
        "history": config.history,
        "rateLimit": _rate_limit(config.rate_limit),
        "region": region,
        "roleArn": config.website_iam_role_arn,
        "table": config.dynamodb_table,
        "topicArn": config.sns_topic_arn,
    }


def _rate_limit(text: str) -> dict[str, int]:
    """Return how many messages one person may send in how many seconds; "0" is no limit."""
    messages, _, seconds = text.removesuffix("s").partition("/")
    return {"messages": max(1, int(messages)), "seconds": int(seconds or 0)}


def page_url(bucket: str, region: str, endpoint_url: str) -> str:
    """Return where the page is; Google wants HTTPS, which only the REST endpoint has."""
    if endpoint_url:
        return f"{endpoint_url}/{bucket}/index.html"
    return f"https://{bucket}.s3.{region}.{_suffix(region)}/index.html"


def placeholders(addresses: Iterable[str], identity_url: str) -> dict[str, str]:
    """Return what stands for `{{name}}` in the pages.

    Raises: ConfigError, for an address that could break out of the page's policy.
    """
    connect = dict.fromkeys(_origin(address) for address in addresses)
    return {"connect_src": " ".join(connect), "identity_origin": _origin(identity_url)}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", origin):
        raise ConfigError(f"{url!r} is not an http or https address.")
    return origin


def fill(text: str, values: Mapping[str, str], name: str) -> str:
    """Replace each `{{name}}` of a page.

    Raises: KappaError, naming file and line, for one that has no value or is malformed.
    """

    def value(found: re.Match[str]) -> str:
        key = found[1].strip() if found[1] else ""
        if key not in values:
            line = text.count("\n", 0, found.start()) + 1
            raise KappaError(
                f"{name}: line {line}: unknown placeholder {found[0]}.",
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
    source: Path, target: Path, settings: Mapping[str, object], values: Mapping[str, str]
) -> None:
    """Make the site in the empty folder `target`: sources, filled pages, config.js.

    Raises: KappaError, without a page, or for a source or a placeholder that is wrong.
    """
    if not (source / "index.html").is_file():
        raise KappaError(f"{source / 'index.html'} does not exist.")
    for key, path in read_sources(source).items():
        _check_key(key)
        (target / key).parent.mkdir(parents=True, exist_ok=True)
        if "/" not in key and key.endswith(".html"):
            _write_page(path, target / key, values)
        else:
            shutil.copyfile(path, target / key)
    text = json.dumps(settings, indent=2, sort_keys=True)
    (target / "config.js").write_text(f"export default {text};\n", "utf-8")


def _write_page(path: Path, target: Path, values: Mapping[str, str]) -> None:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise KappaError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from error
    target.write_text(fill(text, values, str(path)), "utf-8")


def read_site(folder: Path) -> list[File]:
    """Return the built site's files.

    Raises: KappaError, for a file that the bucket's policy hides or whose type is unknown.
    """
    return [
        _file(path, path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def _check_key(key: str) -> None:
    if not is_of_page(key) or key == FORMER_FILE:
        places = ", ".join([*PAGE_FILES, *(f"{folder}/" for folder in PAGE_FOLDERS)])
        raise KappaError(f"{key} would not be readable in the bucket.", f"Public: {places}.")


def _file(path: Path, key: str) -> File:
    _check_key(key)
    if path.suffix not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        raise KappaError(
            f"{key}: no content type is known for {path.suffix!r}.", f"Known: {known}."
        )
    return File(key, path, etag_of(stored_bytes(path)), CONTENT_TYPES[path.suffix])


def stored_bytes(path: Path) -> bytes:
    """Return what the bucket holds of a file: the same file gives the same bytes."""
    body = path.read_bytes()
    return gzip.compress(body, mtime=0) if path.suffix in GZIPPED else body


def is_of_page(key: str) -> bool:
    """Is it a key of the page, or of an earlier version's page?"""
    return key in (*PAGE_FILES, FORMER_FILE) or ("/" in key and key.split("/")[0] in PAGE_FOLDERS)


def etag_of(body: bytes) -> str:
    """S3's ETag of an object that one PUT made, under SSE-S3.

    Source: S3 API reference, Object, "ETag".
    """
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
