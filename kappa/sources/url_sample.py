"""A sample request of the function's URL, as the event that AWS makes of it."""

from __future__ import annotations

from typing import Any

from kappa.config.model import Url
from kappa.local_run.url_event import Request, event
from kappa.local_run.url_event import Url as AskedUrl
from kappa.sources.kind import Occasion

# The real one is known only once AWS has made the URL.
_ID = "sample"
_REQUEST_ID = "e1506fd5-9e7b-434f-bd42-4f8fa224b599"
_SENDER = "203.0.113.10"


def sample(url: Url, occasion: Occasion) -> dict[str, Any]:
    """Make a GET of /, or with a body a POST."""
    body = occasion.body.encode()
    headers = (
        ("accept", "*/*"),
        ("host", f"{_ID}.lambda-url.{occasion.place.region}.on.aws"),
        ("user-agent", "curl/8.7.1"),
        *(
            (("content-length", str(len(body))), ("content-type", "application/json"))
            if body
            else ()
        ),
    )
    request = Request("POST" if body else "GET", "/", headers, body, source_ip=_SENDER)
    asked = AskedUrl(_ID, 443, url.auth == "AWS_IAM", "https", occasion.place)
    return event(request, asked, _REQUEST_ID, int(occasion.at.timestamp() * 1000))
