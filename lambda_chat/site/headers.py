"""How the bucket stores and serves a file of the page: type, compression, caching, ETag.

Owns every header that a browser gets with a file. It must not call AWS.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path

import msgspec

from kappa.errors import KappaError

# A file whose name contains a digest never changes, so browsers never request it again.
IMMUTABLE = "public, max-age=31536000, immutable"
# Any other file can change under its name: browsers revalidate it each time, usually with a 304.
REVALIDATED = "no-cache"
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
# S3 does not compress what it serves, so text is stored compressed.
GZIPPED = (".css", ".html", ".js", ".json", ".map", ".svg", ".webmanifest")
# A listing shows the ETag of an object's content, but not its headers. This object holds the rules
# for the headers: when they change, every file is uploaded again. It is not public.
HEADERS_KEY = "headers.json"
HEADERS_BODY = json.dumps(
    {"cache_control": [IMMUTABLE, REVALIDATED], "content_types": CONTENT_TYPES, "gzip": GZIPPED},
    indent=2,
    sort_keys=True,
).encode()


class File(msgspec.Struct, frozen=True):
    """One file of the built site, as the bucket will store it."""

    key: str
    path: Path
    etag: str
    content_type: str
    cache_control: str = REVALIDATED

    @property
    def headers(self) -> dict[str, str]:
        """PutObject's arguments for the headers of each answer."""
        encoding = {"ContentEncoding": "gzip"} if self.path.suffix in GZIPPED else {}
        return {
            "CacheControl": self.cache_control,
            "ContentType": self.content_type,
            **encoding,
        }


def file_of(key: str, path: Path, *, hashed: bool) -> File:
    """Describe the file `path` under its key; `hashed` if its name contains a digest.

    Raises: KappaError, for an unknown suffix.
    """
    if path.suffix not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        raise KappaError(
            f"{key}: no content type is known for {path.suffix!r}.", f"Known: {known}."
        )
    etag = etag_of(stored_bytes(path))
    caching = IMMUTABLE if hashed else REVALIDATED
    return File(key, path, etag, CONTENT_TYPES[path.suffix], caching)


def stored_bytes(path: Path) -> bytes:
    """Return the bytes that the bucket stores; the same file always gives the same bytes."""
    body = path.read_bytes()
    if path.suffix not in GZIPPED:
        return body
    # 31: a gzip file, without a time; with less memory deflate begins a new code more often, which
    # makes the bundle 70 bytes smaller
    gzip = zlib.compressobj(9, zlib.DEFLATED, 31, 7)
    return gzip.compress(body) + gzip.flush()


def etag_of(body: bytes) -> str:
    """Return S3's ETag for an object uploaded in one PUT, with SSE-S3.

    Source: S3 API reference, Object, "ETag".
    """
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
