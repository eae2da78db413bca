"""The event that a request to the function's URL becomes: payload format 2.0. Pure.

Source: AWS Lambda guide, "Invoking Lambda function URLs". Where it is silent, the event is as AWS
was seen to make it: the path stays encoded; only text/*, JSON, XML and JavaScript are text; and a
part that the request lacks (body, cookies, query) is missing in the event too.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from kappa.arn import Place

_TEXT_TYPES = frozenset({"application/javascript", "application/json", "application/xml"})
# Of a connection, not of the request; AWS passes none of them on.
_HOP_BY_HOP = frozenset(
    {"connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"}
    | {"transfer-encoding"}
)
_ACCESS_KEY = re.compile(r"Credential=([A-Z0-9]{16,128})/")


class Request(msgspec.Struct, frozen=True):
    """An HTTP request. `target` is what its first line names: path and query, both encoded."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    protocol: str = "HTTP/1.1"
    source_ip: str = "127.0.0.1"

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query, still percent-encoded; "" without one."""
        return self.target.partition("?")[2]

    def values(self, name: str) -> list[str]:
        """Every value of a header, whose name is given in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    def value(self, name: str) -> str:
        """The first value of a header; "" without one."""
        return next(iter(self.values(name)), "")


class Url(msgspec.Struct, frozen=True):
    """The URL that is asked: its id, its port, and whether AWS checks callers.

    `place`: where those callers are users; by default the account of AWS's examples.
    """

    id: str
    port: int
    checks_callers: bool = False
    scheme: str = "http"
    place: Place = Place("aws", "us-east-1", "123456789012")


def event(request: Request, url: Url, request_id: str, at_ms: int) -> dict[str, Any]:
    """Make the event. `at_ms`: when the request came, epoch milliseconds."""
    body, is_base64 = _body(request)
    cookies = _cookies(request)
    parameters = _parameters(request.query)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": {**_headers(request), **_added_headers(request, url, request_id, at_ms)},
        **({"queryStringParameters": parameters} if parameters else {}),
        "requestContext": _context(request, url, request_id, at_ms),
        **({"body": body} if body else {}),
        "isBase64Encoded": is_base64,
    }


def payload(request: Request, url: Url, request_id: str, at_ms: int) -> bytes:
    """Make the event as the JSON that the function gets."""
    return json.dumps(event(request, url, request_id, at_ms), ensure_ascii=False).encode()


def trace_id(request_id: str, at_ms: int) -> str:
    """The X-Ray trace of a request, named by its time and id."""
    return f"Root=1-{at_ms // 1000:08x}-{request_id.replace('-', '')[:24]}"


def _headers(request: Request) -> dict[str, str]:
    names = dict.fromkeys(name.lower() for name, _ in request.headers)
    return {
        name: ("; " if name == "cookie" else ",").join(request.values(name))
        for name in names
        if name not in _HOP_BY_HOP
    }


def _added_headers(request: Request, url: Url, request_id: str, at_ms: int) -> dict[str, str]:
    """The headers that AWS sets, whatever the caller sends."""
    return {
        "x-amzn-trace-id": trace_id(request_id, at_ms),
        "x-forwarded-for": request.source_ip,
        "x-forwarded-port": str(url.port),
        "x-forwarded-proto": url.scheme,
    }


def _cookies(request: Request) -> list[str]:
    return [
        cookie.strip()
        for value in request.values("cookie")
        for cookie in value.split(";")
        if cookie.strip()
    ]


def _parameters(query: str) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return {name: ",".join(texts) for name, texts in values.items()}


def _body(request: Request) -> tuple[str, bool]:
    """The body as text, and whether that is base64. Text that is not UTF-8 is base64 too."""
    kind = request.value("content-type").partition(";")[0].strip().lower()
    if request.body and (kind.startswith("text/") or kind in _TEXT_TYPES):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), bool(request.body)


def _context(request: Request, url: Url, request_id: str, at_ms: int) -> dict[str, Any]:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return {
        "accountId": url.place.account if url.checks_callers else "anonymous",
        "apiId": url.id,
        **({"authorizer": {"iam": _caller(request, url.place)}} if url.checks_callers else {}),
        "domainName": request.value("host"),
        "domainPrefix": url.id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.value("user-agent"),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": f"{at:%d/}{_MONTHS[at.month - 1]}{at:/%Y:%H:%M:%S +0000}",
        "timeEpoch": at_ms,
    }


# strftime's %b would follow the locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _caller(request: Request, place: Place) -> dict[str, str | None]:
    """The caller, where AWS checks callers. Nobody is checked here, so it is an example."""
    key = _ACCESS_KEY.search(request.value("authorization"))
    return {
        "accessKey": key[1] if key else "AKIAIOSFODNN7EXAMPLE",
        "accountId": place.account,
        "callerId": "AIDACKCEVSQ6C2EXAMPLE",
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:{place.partition}:iam::{place.account}:user/example-user",
        "userId": "AIDACKCEVSQ6C2EXAMPLE",
    }
