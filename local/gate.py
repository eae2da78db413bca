"""The gate in front of local mode's servers: it decides which requests they serve.

A client that can create a function in the emulator runs code on this machine, and every page in the
user's browser can send requests to 127.0.0.1. So the gate refuses requests from other pages, and
requests for a host name that DNS could point anywhere. It must not know the server behind it.
`kappa serve` has a gate of its own, as its rule about pages is another: any page of this machine
may call a function that a developer serves, and the config's CORS allows more. Here only the chat's
own pages may. Both gates take the same names for this machine's.
Source: Fetch Standard, "Origin header"; W3C, "Fetch Metadata Request Headers".
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

from kappa.local_run.gate import LOCALHOST_NAMES

HOST = "127.0.0.1"  # every server of local mode listens here
HTTP_PORT = 80
SHOWN_CHARACTERS = 80
CONTENT_TYPE = "text/plain; charset=utf-8"
_READ = frozenset(
    ("host", "origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "user-agent")
)
_UNNAMED = "the browser does not state which page sent it"
_READ_IN_BYTES = frozenset(name.encode() for name in _READ)
logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def origins_at(port: int) -> frozenset[str]:
    """The origins that a page loaded from this local port can have."""
    ending = "" if port == HTTP_PORT else f":{port}"
    return frozenset((f"http://{HOST}{ending}", f"http://localhost{ending}"))


@dataclass(frozen=True)
class Gate:
    """Which requests the server on `port` serves.

    origins: pages whose scripts may send requests. links: paths that any page may link to. parts:
    paths that any page may load as a script or a frame. proxied: Host may name another port, that
    of a proxy in front, because clients sign the Host header.
    """

    port: int
    origins: frozenset[str]
    links: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    proxied: bool = False

    def refusal(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> str | None:
        """Return why a request is refused, as a clause; None if it is served.

        `target` is the raw target of the request line.
        """
        values: dict[str, list[str]] = {}
        for name, value in headers:
            if (key := name.lower()) in _READ:
                values.setdefault(key, []).append(value)
        if not target.startswith("/"):
            return f"its target {_shown(target)} is not a path"
        if reason := self._host_refusal(values.get("host", [])):
            return reason
        if origins := values.get("origin"):
            return self._origin_refusal(origins)
        return self._site_refusal(method, target, values)

    @cached_property
    def _own(self) -> re.Pattern[str]:
        port = r"[0-9]{1,5}" if self.proxied else str(self.port)
        optional = "?" if self.port == HTTP_PORT else ""
        return re.compile(rf"(?:{LOCALHOST_NAMES})(?::{port}){optional}", re.IGNORECASE | re.ASCII)

    def _host_refusal(self, hosts: list[str]) -> str | None:
        """DNS rebinding points an attacker's name here; the browser still sends that name."""
        if len(hosts) != 1:
            return f"it has {len(hosts) or 'no'} Host header{'s' if hosts else ''}, not one"
        if self._own.fullmatch(hosts[0]):
            return None
        return (
            f"its Host is {_shown(hosts[0])}; this server is {HOST}:{self.port} "
            f"or localhost:{self.port}"
        )

    def _origin_refusal(self, origins: list[str]) -> str | None:
        """Browsers send Origin with POSTs, cross-origin fetches and WebSockets."""
        if len(origins) == 1 and origins[0] in self.origins:
            return None
        return f"it comes from the page {_shown(', '.join(origins))}, not from the chat"

    def _site_refusal(self, method: str, target: str, values: dict[str, list[str]]) -> str | None:
        """Judge images, scripts, frames and links by Sec-Fetch-*: they send no Origin."""
        path, _, query = target.partition("?")
        sites = values.get("sec-fetch-site", [])
        if method == "GET" and path in self.parts:
            return None
        # a GET without a query only reads: AWS actions are in a body or a query
        reads = method == "GET" and not query
        if not sites:
            browser = any(agent.startswith("Mozilla/") for agent in values.get("user-agent", []))
            return _UNNAMED if browser and not reads else None
        if all(site == "same-origin" for site in sites):
            return None
        if all(site == "none" for site in sites):
            # an address that was typed, or a redirect from one
            return None if reads else _UNNAMED
        kind = [*values.get("sec-fetch-mode", []), *values.get("sec-fetch-dest", [])]
        if reads and kind == ["navigate", "document"] and path in self.links:
            return None
        return "it comes from another page, not from the chat"

    def before(self, application: Application) -> Application:
        """Return an ASGI application that refuses requests before `application` sees them."""

        async def gated(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await application(scope, receive, send)
                return
            query = scope["query_string"]
            target = scope["raw_path"] + (b"?" + query if query else b"")
            reason = self.refusal(
                scope.get("method", "GET"),
                target.decode("latin-1"),
                [
                    (name.decode(), value.decode("latin-1"))
                    for name, value in scope["headers"]
                    if name.lower() in _READ_IN_BYTES
                ],
            )
            if reason is None:
                await application(scope, receive, send)
            else:
                logger.warning("refused: %s", reason)
                await _refuse(scope["type"], reason, send)

        return gated


def sentence(reason: str) -> str:
    """The body of a refusal."""
    return f"Local mode refuses this request: {reason}.\n"


async def _refuse(kind: str, reason: str, send: Send) -> None:
    prefix = "websocket.http.response" if kind == "websocket" else "http.response"
    body = sentence(reason).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": f"{prefix}.start", "status": HTTPStatus.FORBIDDEN, "headers": headers})
    await send({"type": f"{prefix}.body", "body": body})


def _shown(value: str) -> str:
    """Untrusted text for a message: short, and in ASCII."""
    text = ascii(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
