"""How the bucket holds and serves a file: type, compression, caching, ETag."""

import gzip
import hashlib
import os

from lambda_chat.site import headers
from lambda_chat.site.build import read_site


def test_each_file_has_its_type_and_the_md5_that_s3_will_list(built):
    files = {file.key: file for file in read_site(built)}
    assert {key: file.content_type for key, file in files.items()} == {
        "config.json": "application/json",
        "css/style.css": "text/css; charset=utf-8",
        "index.html": "text/html; charset=utf-8",
        "js/main.js": "text/javascript; charset=utf-8",
    }
    stored = headers.stored_bytes(built / "css/style.css")
    assert files["css/style.css"].etag == hashlib.md5(stored).hexdigest()


def test_text_is_stored_compressed_with_the_same_bytes_each_time(tmp_path):
    page, picture = tmp_path / "page.html", tmp_path / "picture.png"
    page.write_text("<p>" + "chat " * 500)
    picture.write_bytes(b"\x89PNG")
    stored = headers.stored_bytes(page)
    assert gzip.decompress(stored) == page.read_bytes()
    assert len(stored) * 10 < page.stat().st_size
    os.utime(page, (0, 0))
    assert headers.stored_bytes(page) == stored
    assert headers.stored_bytes(picture) == b"\x89PNG"
