"""A subscriber of MQTT 3.1.1 over WebSocket, in the few packets and frames that tests need.

It connects to this machine whatever the broker's name, which not every resolver knows.
"""

import base64
import os
import socket
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK = 1, 2, 3, 8, 9
BINARY, CLOSE = 2, 8
KEEP_ALIVE_S = 60


class Refused(Exception):
    """The broker refused or closed the connection, or refused the subscription."""


def signed_url(host, region, aws_access_key_id, aws_secret_access_key, aws_session_token=""):
    """The broker's URL, signed with a client's keywords; IoT wants the token behind the signature.

    Source: AWS IoT Core guide, "MQTT over the WebSocket Secure protocol".
    """
    request = AWSRequest("GET", f"ws://{host}/mqtt")
    keys = Credentials(aws_access_key_id, aws_secret_access_key)
    SigV4QueryAuth(keys, "iotdevicegateway", region, expires=300).add_auth(request)
    token = f"&X-Amz-Security-Token={quote(aws_session_token, safe='')}"
    return request.url + (token if aws_session_token else "")


class Subscriber:
    """A connection that is subscribed to one filter of topics; close it by `with`."""

    def __init__(self, url, client_id, topics, deadline_s=10.0):
        """Connect and subscribe. Raises: Refused."""
        self._received, self._packets = b"", b""
        parts = urlsplit(url)
        self._socket = socket.create_connection(("127.0.0.1", parts.port), deadline_s)
        try:
            self._upgrade(parts)
            level, clean = b"\x04", b"\x02"
            about = text("MQTT") + level + clean + KEEP_ALIVE_S.to_bytes(2, "big")
            self._ask(CONNECT << 4, about + text(client_id), CONNACK)
            self._ask(SUBSCRIBE << 4 | 2, b"\0\1" + text(topics) + b"\0", SUBACK)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def receive(self, timeout_s=10.0):
        """Wait for a message; return its topic and bytes. Raises: Refused, TimeoutError."""
        self._socket.settimeout(timeout_s)
        kind, body = self._packet()
        assert kind == PUBLISH, kind
        size = int.from_bytes(body[:2], "big")
        return body[2 : 2 + size].decode(), body[2 + size :]

    def _upgrade(self, parts):
        lines = [
            f"GET {parts.path}?{parts.query} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: mqtt",
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._received:
            self._read()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise Refused(head.decode())

    def _ask(self, first, body, answer):
        """Send a packet and take its answer, whose last byte is 0 if the broker agrees."""
        packet = bytes([first]) + length(len(body)) + body
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(packet))
        assert len(packet) < 126
        self._socket.sendall(bytes([0x80 | BINARY, 0x80 | len(packet)]) + mask + masked)
        kind, answered = self._packet()
        if kind != answer or answered[-1] != 0:
            raise Refused(f"packet {kind}: {answered!r}")

    def _packet(self):
        """Take the next packet: its kind and its body."""
        while not (parsed := packet_in(self._packets)):
            self._packets += self._frame()
        first, body, self._packets = parsed
        return first >> 4, body

    def _frame(self):
        """Take the next frame's content; frames of a server are not masked."""
        first, size = self._bytes(2)
        if size > 125:
            size = int.from_bytes(self._bytes(2 if size == 126 else 8), "big")
        content = self._bytes(size)
        if first & 0x0F == CLOSE:
            raise Refused(f"closed: {content!r}")
        return content if first & 0x0F == BINARY else b""

    def _bytes(self, size):
        while len(self._received) < size:
            self._read()
        taken, self._received = self._received[:size], self._received[size:]
        return taken

    def _read(self):
        if not (more := self._socket.recv(65536)):
            raise Refused("closed without a frame")
        self._received += more


def text(value):
    """A string as packets hold it."""
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def length(size):
    """A packet's length: seven bits a byte, the lowest first."""
    more, rest = size >> 7, size & 0x7F
    return bytes([rest | 0x80]) + length(more) if more else bytes([rest])


def packet_in(received):
    """The first packet in the bytes: its first byte, its body, the rest; None if it is cut."""
    size, shift = 0, 0
    for place, byte in enumerate(received[1:5], 2):
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            end = place + size
            return (
                (received[0], received[place:end], received[end:]) if end <= len(received) else None
            )
    return None
