"""The beginning of a streamed HTTP response: status, headers and cookies before the body.

Source: AWS Lambda guide, "Building a custom runtime", response streaming: a JSON prelude and eight
null bytes, under a content type of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kappa.texts import read_json

CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
_END = bytes(8)
_MAX_BYTES = 1 << 20


def read_prelude(
    content_type: str, chunks: Iterator[bytes]
) -> tuple[dict[str, Any] | None, Iterator[bytes]]:
    """Split a response into its prelude, if it has one, and its body.

    Shape: {statusCode, headers: {name: value}, cookies: [text]}, each of which may be missing.
    """
    if not content_type.startswith(CONTENT_TYPE):
        return None, chunks
    start = b""
    for chunk in chunks:
        start += chunk
        if _END in start or len(start) > _MAX_BYTES:
            break
    head, end, rest = start.partition(_END)
    try:
        prelude = read_json(head) if end else None
    except ValueError:
        prelude = None
    if not isinstance(prelude, dict):
        return None, _joined(start, chunks)
    return prelude, _joined(rest, chunks)


def _joined(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from chunks
