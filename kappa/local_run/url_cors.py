"""What `url: cors:` answers to pages of other hosts, as AWS does. Pure.

Source: AWS Lambda guide, "Creating and managing Lambda function URLs", "Cross-origin resource
sharing (CORS)": a preflight request never reaches the function; to other answers the headers are
added, also where the function sends them itself.
"""

from __future__ import annotations

from kappa.config.model import Cors
from kappa.local_run.url_event import Request
from kappa.local_run.url_response import Response


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
