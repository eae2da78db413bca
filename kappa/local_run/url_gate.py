"""Which requests the URL on this machine serves. Pure.

Here the function runs with the developer's own credentials, and every page in the developer's
browser can send requests to 127.0.0.1. So a page of another host may call it only where `cors:`
allows that page; a program and a page of this machine may always. An address that was typed cannot
be told from one that another host's page made the browser load (a redirect, a prerender), so the
person is asked.
Source: Fetch Standard, "Origin header"; W3C, "Fetch Metadata Request Headers".
"""

from __future__ import annotations

import html
import re

from kappa.config.model import Cors
from kappa.local_run.localhost_names import LOCALHOST_NAMES
from kappa.local_run.url_cors import allows
from kappa.local_run.url_event import Request
from kappa.local_run.url_response import Response, plain

_OWN = re.compile(rf"(?:{LOCALHOST_NAMES})(?::([0-9]{{1,5}}))?", re.IGNORECASE | re.ASCII)
_HTTP_PORT = "80"
_TRUSTED_SITES = frozenset({"same-origin", "same-site"})
# The User-Agent of a browser begins with this; that of other programs does not.
_BROWSER = "Mozilla/"
_REFUSED = "kappa serve refuses this request: "


def refusal(request: Request, port: int, cors: Cors | None) -> Response | None:
    """Answer a request that is not served; None if it is."""
    hosts = request.values("host")
    if len(hosts) != 1 or not _is_own_host(hosts[0], port):
        return _refused(f"its Host is not 127.0.0.1:{port} or localhost:{port}.")
    if not request.target.startswith("/"):
        return _refused("its target is not a path.")
    if origins := request.values("origin"):
        if len(origins) == 1 and (_is_own_page(origins[0]) or allows(cors, origins[0])):
            return None
        return _refused("it comes from a page that url.cors.allow_origins does not name.")
    return _site_refusal(request)


def _is_own_host(host: str, port: int) -> bool:
    match = _OWN.fullmatch(host)
    return match is not None and (match[1] or _HTTP_PORT) == str(port)


def _is_own_page(origin: str) -> bool:
    """Whether a page is of this machine, such as of a front end's development server."""
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and _OWN.fullmatch(host) is not None


def _site_refusal(request: Request) -> Response | None:
    """Judge links, images and the like, which have no Origin, by Sec-Fetch-*."""
    sites = request.values("sec-fetch-site")
    if not sites:
        if request.value("user-agent").startswith(_BROWSER):
            return _refused("the browser does not state which page sent it.")
        return None
    if all(site in _TRUSTED_SITES for site in sites):
        return None
    is_link = request.method == "GET" and request.value("sec-fetch-dest") == "document"
    return _asking(request) if is_link else _refused("it comes from a page of another host.")


def _refused(reason: str) -> Response:
    return plain(403, f"{_REFUSED}{reason}\n", ("X-Content-Type-Options", "nosniff"))


def refusal_reason(response: Response) -> str:
    """Why a response refuses its request, for the terminal; "" if it does not."""
    text = response.body.decode("utf-8", "replace").strip()
    return text if text.startswith(_REFUSED) else ""


def _asking(request: Request) -> Response:
    """Let a person decide about an address that was typed or that another host leads to.

    The way back from a sign-in is such an address.
    """
    target = html.escape(re.sub(r"^[/\\]+", "/", request.target))
    text = (
        "<!doctype html><title>kappa serve</title>"
        "<p>Going on runs the function on this machine. "
        "If you did not type this address, another page may have led you here.</p>"
        f'<p><a href="{target}">Go on to {target}</a></p>\n'
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Response(403, headers, text.encode("utf-8", "replace"))
