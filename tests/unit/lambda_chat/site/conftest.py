"""A small page: its sources, and the site built from them."""

from pathlib import Path

import pytest

from lambda_chat.site import build

VALUES = {"connect_src": "https://sns.example", "identity_origin": "https://accounts.google.com"}
PAGE = '<meta content="connect-src {{connect_src}}"><script src="{{ identity_origin }}/gsi">'


@pytest.fixture
def source(tmp_path):
    """The sources of a small page."""
    folder = tmp_path / "public"
    for name, text in {
        "index.html": PAGE,
        "css/style.css": "p {}",
        "js/main.js": "let a = `{{not_ours}}`;",
        ".hidden": "x",
        "js/.DS_Store": "x",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def built(source, tmp_path):
    """The site built from it. The page names no file, so nothing is bundled."""
    target = tmp_path / "build" / "site"
    build.build_site(source, target, {"region": "x"}, VALUES, Path("no packages"))
    return target
