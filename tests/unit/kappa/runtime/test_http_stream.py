"""The prelude of a streamed HTTP response."""

import pytest

from kappa.runtime.http_stream import CONTENT_TYPE, read_prelude


def read(*chunks, content_type=CONTENT_TYPE):
    prelude, body = read_prelude(content_type, iter(chunks))
    return prelude, list(body)


def test_the_prelude_is_split_from_the_body():
    assert read(b'{"statusCode": 201}\0\0\0\0\0\0\0\0tea', b"milk") == (
        {"statusCode": 201},
        [b"tea", b"milk"],
    )


def test_a_prelude_may_come_in_pieces():
    assert read(b'{"a"', b": 1}\0\0\0", b"\0\0\0\0\0", b"x") == ({"a": 1}, [b"x"])


def test_other_content_has_none():
    assert read(b"{}\0\0\0\0\0\0\0\0", content_type="text/plain") == (None, [b"{}\0\0\0\0\0\0\0\0"])


@pytest.mark.parametrize("text", [b"", b"{}", b"tea\0\0\0\0\0\0\0\0x", b"[1]\0\0\0\0\0\0\0\0x"])
def test_what_is_no_prelude_stays_in_the_body(text):
    prelude, body = read(text)
    assert prelude is None
    assert b"".join(body) == text.replace(b"\0" * 8, b"\0" * 8)
