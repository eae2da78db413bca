"""The page's files, given to a browser without a server, with another script as main.js."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Route

from lambda_chat.config import ROOT
from lambda_chat.site.build import fill
from lambda_chat.site.page_config import placeholders

SITE = ROOT / "s3-website"
ORIGIN = "https://chat.test"
GOOGLE = "https://accounts.google.com"


def answer(route: Route, main: Path, headers: dict[str, str] | None = None) -> None:
    """Answer with a file of the page, filled in as update.sh does; `main` replaces js/main.js."""
    name = urlsplit(route.request.url).path.strip("/") or "index.html"
    path = main if name == "js/main.js" else SITE / "public" / name
    if not path.is_file():
        route.fulfill(status=404, body="")
    else:
        text = path.read_text("utf-8")
        if path.suffix == ".html":
            text = fill(text, {**placeholders([ORIGIN], GOOGLE), "config": "{}"}, name)
        kind = mimetypes.guess_type(name)[0]
        route.fulfill(body=text, content_type=kind, headers=headers)
