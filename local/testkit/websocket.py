"""A client's end of one WebSocket to the emulator, for threads: it blocks."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto import events as ws

DEADLINE_S = 5.0


class Refused(Exception):
    """The server, or what stands before it, refused or ended the connection."""


class WebSocket:
    """A connection to `host` through `endpoint_url`, opened at once; close() ends it.

    `host` is only the Host header, since a host's name may not resolve here.
    """

    def __init__(
        self, endpoint_url: str, host: str, target: str, protocol: str = "", origin: str = ""
    ) -> None:
        address = urlsplit(endpoint_url)
        self._socket = socket.create_connection((address.hostname, address.port), DEADLINE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._parts: list[Any] = []  # of a message that is not whole yet, str or bytes
        headers = [(b"Origin", origin.encode())] if origin else []
        protocols = [protocol] if protocol else []
        self.send(
            ws.Request(host=host, target=target, subprotocols=protocols, extra_headers=headers)
        )
        try:
            while not isinstance(event := self._event(), ws.AcceptConnection):
                pass
        except BaseException:
            self.close()
            raise
        assert (event.subprotocol or "") == protocol

    def close(self) -> None:
        """Close the socket, without a farewell."""
        self._socket.close()

    def send(self, event: ws.Event) -> None:
        """Send a message or another of wsproto's events."""
        self._socket.sendall(self._ws.send(event))

    def receive(self, timeout_s: float = DEADLINE_S) -> str | bytes:
        """The next whole message.

        Raises: Refused, if the connection ends; TimeoutError, if none comes in time.
        """
        self._socket.settimeout(timeout_s)
        try:
            while True:
                event = self._event()
                if isinstance(event, ws.Message):
                    self._parts.append(event.data)
                    if event.message_finished:
                        parts, self._parts = self._parts, []
                        return "".join(parts) if isinstance(event.data, str) else b"".join(parts)
        finally:
            self._socket.settimeout(DEADLINE_S)

    def _event(self) -> ws.Event:
        while True:
            for event in self._ws.events():
                if isinstance(event, ws.RejectConnection):
                    raise Refused(f"HTTP {event.status_code}")
                if isinstance(event, ws.CloseConnection):
                    raise Refused("closed")
                if isinstance(event, ws.Ping):
                    self.send(event.response())
                return event
            data = self._socket.recv(65536)
            if not data:
                raise Refused("the connection was cut")
            self._ws.receive_data(data)
