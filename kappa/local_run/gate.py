"""Which requests the URL on this machine serves, and to pages of which hosts it answers. Pure.

Here the function runs with the developer's own credentials, and every page in the developer's
browser can send requests to 127.0.0.1. So a page of another host may call it only where `cors:`
allows that page; a program and a page of this machine may always. An address that was typed cannot
be told from one that another host's page made the browser load (a redirect, a prerender), so the
person is asked.
Of `cors:`, it answers as AWS does: a preflight request never reaches the function; to other answers
the headers are added, also where the function sends them itself.
Source: Fetch Standard, "Origin header"; W3C, "Fetch Metadata Request Headers"; AWS Lambda guide,
"Creating and managing Lambda function URLs", "Cross-origin resource sharing (CORS)".
"""

from __future__ import annotations

import html
import re

from kappa.config.model import Cors
from kappa.local_run.url_event import Request
from kappa.local_run.url_response import Response, plain

# The names under which a server on this machine can trust a request's Host: no DNS server is asked
# for them, so nobody can point them anywhere else. They are matched without regard to case.
LOCALHOST_NAMES = r"127\.0\.0\.1|\[::1\]|(?:[a-z0-9_-]+\.)*localhost"
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


def allows(cors: Cors | None, origin: str) -> bool:
    """Whether the config lets pages of an origin call the URL."""
    return cors is not None and ("*" in cors.allow_origins or origin in cors.allow_origins)


def preflight(cors: Cors | None, request: Request) -> Response | None:
    """Answer a preflight request; None if the request is not one, or CORS is not configured."""
    if cors is None or request.method != "OPTIONS":
        return None
    if not (request.value("origin") and request.value("access-control-request-method")):
        return None
    headers = {
        "Access-Control-Allow-Headers": ",".join(cors.allow_headers),
        "Access-Control-Allow-Methods": ",".join(cors.allow_methods),
        "Access-Control-Max-Age": "" if cors.max_age_s is None else str(cors.max_age_s),
    }
    given = tuple((name, value) for name, value in headers.items() if value)
    allowed = given if allows(cors, request.value("origin")) else ()
    kind = ("Content-Type", "application/json")
    return Response(200, (kind, *headers_for(cors, request), *allowed))


def headers_for(cors: Cors | None, request: Request) -> tuple[tuple[str, str], ...]:
    """List the headers that the URL adds to an answer."""
    origin = request.value("origin")
    if cors is None or not origin:
        return ()
    vary = ("Vary", "Origin")
    if not allows(cors, origin):
        return (vary,)
    expose = ",".join(cors.expose_headers)
    return (
        vary,
        # AWS names the origin, not "*": browsers take no "*" for requests with cookies.
        ("Access-Control-Allow-Origin", origin),
        *((("Access-Control-Expose-Headers", expose),) if expose else ()),
        *((("Access-Control-Allow-Credentials", "true"),) if cors.allow_credentials else ()),
    )
