"""A stand-in for Google Identity Services: its script, tokens and keys.

The page loads this script in place of Google's, and gets a token for any name that a person types.
It serves loopback only, behind the gate, and is never published.
Source: Google Identity for Web, "Sign In With Google JavaScript API reference" and
"Verify the Google ID token on your server side".
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local import gate

ISSUER = "https://accounts.google.com"
KEY_ID = "local-mode"
LIFETIME_S = 3600
LONGEST_S = 10**9
BODY_LIMIT_BYTES = 16_384
FILES = Path(__file__).parent / "gsi"
BUTTON = "/gsi/button"
PAGES = {
    "/gsi/client": ("client.js", "text/javascript; charset=utf-8"),
    BUTTON: ("button.html", "text/html; charset=utf-8"),
    "/gsi/button.js": ("button.js", "text/javascript; charset=utf-8"),
    "/gsi/button.css": ("button.css", "text/css; charset=utf-8"),
}


class BadTokenRequest(ValueError):
    """The body of POST /token is invalid; the text explains why."""


@dataclass(frozen=True)
class Identity:
    """A running stand-in: its origin, the client id, and the key that signs its tokens."""

    url: str
    client_id: str
    key: rsa.RSAPrivateKey

    def token(self, body: dict[str, Any]) -> str:
        """Create an ID token for the body of a POST /token.

        Shape: {"name": str, "sub"?: str, "aud"?: str, "picture"?: str, "expires_in_s"?: number,
        "nonce"?: str}.
        Raises: BadTokenRequest, if a value is missing or of the wrong type.
        """
        payload = claims(body, self.client_id, int(time.time()))
        return jwt.encode(payload, self.key, algorithm="RS256", headers={"kid": KEY_ID})

    def keys(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set."""
        public = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]}


def claims(body: dict[str, Any], client_id: str, now_s: int) -> dict[str, Any]:
    """Turn a token request into the claims of a Google ID token.

    Units: now_s is seconds since the epoch; a negative expires_in_s makes an expired token.
    Raises: BadTokenRequest, if a value is missing or of the wrong type.
    """
    name = body.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > 200:
        raise BadTokenRequest('"name" must be a text of 1 to 200 characters')
    for key in ("sub", "aud", "picture", "nonce"):
        if not isinstance(body.get(key, ""), str):
            raise BadTokenRequest(f'"{key}" must be a text')
    for key in ("name", "sub", "aud", "picture", "nonce"):
        if any("\ud800" <= char <= "\udfff" for char in body.get(key, "")):
            raise BadTokenRequest(f'"{key}" contains an unpaired surrogate')
    lifetime_s = body.get("expires_in_s", LIFETIME_S)
    if isinstance(lifetime_s, bool) or not isinstance(lifetime_s, int | float):
        raise BadTokenRequest('"expires_in_s" must be a number')
    if not abs(lifetime_s) <= LONGEST_S:  # refuses NaN too
        raise BadTokenRequest(f'"expires_in_s" must be from -{LONGEST_S} to {LONGEST_S}')
    audience = body.get("aud") or client_id
    subject = body.get("sub") or _subject(name)
    optional = {key: body[key] for key in ("nonce", "picture") if body.get(key)}
    return optional | {
        "iss": ISSUER,
        "azp": audience,
        "aud": audience,
        "sub": subject,
        "email": f"{subject}@example.com",
        "email_verified": True,
        "name": name.strip(),
        "iat": now_s,
        "exp": now_s + int(lifetime_s),
    }


def _subject(name: str) -> str:
    """The same 21 digits for the same name, as Google has one `sub` per account."""
    digest = hashlib.sha256(name.strip().encode()).digest()
    return f"1{int.from_bytes(digest[:8], 'big') % 10**20:020d}"


@contextlib.contextmanager
def running(client_id: str, chat: Collection[str]) -> Iterator[Identity]:
    """Serve the stand-in on a free local port until the block ends.

    `chat` holds the page's origins: no other page gets the button or a token.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server = _Server((gate.HOST, 0), _Handler)
    server.daemon_threads = True
    port = server.server_port
    identity = Identity(f"http://{gate.HOST}:{port}", client_id, key)
    server.identity = identity
    server.chat = frozenset(chat)
    server.gate = gate.Gate(
        port, server.chat | gate.origins_at(port), parts=frozenset((*PAGES, "/certs"))
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield identity
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    identity: Identity
    chat: frozenset[str]
    gate: gate.Gate

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Report errors, but not that a browser closed its connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    server: _Server

    def do_GET(self) -> None:
        if self._refused():
            return
        path = self.path.partition("?")[0]
        if path == "/certs":
            self._answer_json(HTTPStatus.OK, self.server.identity.keys())
        elif path in PAGES:
            name, content_type = PAGES[path]
            self._answer(HTTPStatus.OK, content_type, (FILES / name).read_bytes())
        else:
            self._answer_json(HTTPStatus.NOT_FOUND, {"error": f"nothing at {path}"})

    def _refused(self) -> bool:
        """Refuse a request that the gate refuses, or for a button in another page's frame."""
        reason = self.server.gate.refusal(self.command, self.path, self.headers.items())
        path, _, query = self.path.partition("?")
        if reason is None and path == BUTTON:
            parents = parse_qs(query).get("parent", [])
            if len(parents) != 1 or parents[0] not in self.server.chat:
                reason = "the button is for the chat's page only"
        if reason is None:
            return False
        self.close_connection = True
        self._answer(HTTPStatus.FORBIDDEN, gate.CONTENT_TYPE, gate.sentence(reason).encode())
        return True

    def do_POST(self) -> None:
        if self._refused():
            return
        try:
            if self.path.partition("?")[0] != "/token":
                raise BadTokenRequest("POST is for /token only")
            self._answer_json(HTTPStatus.OK, {"id_token": self.server.identity.token(self._body())})
        except BadTokenRequest as error:
            self.close_connection = True
            self._answer_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_LIMIT_BYTES:
            raise BadTokenRequest(f"send a JSON body of at most {BODY_LIMIT_BYTES} bytes")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise BadTokenRequest("the body is not JSON") from error
        if not isinstance(body, dict):
            raise BadTokenRequest("the body must be a JSON object")
        return body

    def _answer_json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        self._answer(status, "application/json", json.dumps(value).encode())

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        ancestors = " ".join(sorted(self.server.chat))
        self.send_header("Content-Security-Policy", f"frame-ancestors {ancestors}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""
