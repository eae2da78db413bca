"""A minimal MQTT 3.1.1 client over a WebSocket: what a page does to listen to the push broker.

Source: AWS IoT Core Developer Guide, "Device communication protocols" (the presigned URL, to which
the security token is added unsigned); OASIS, "MQTT Version 3.1.1".
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from wsproto.events import BytesMessage

from local.emulator import REGION
from local.testkit.websocket import DEADLINE_S, Refused, WebSocket

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x82, 0x90
CLEAN_SESSION, KEEP_ALIVE_S = 0x02, 600
REFUSED = 0x80
EXPIRES_S = 60


def presigned(host: str, keys: Mapping[str, str]) -> str:
    """Return the target of the broker's URL, signed with credentials as boto3's keywords."""
    request = AWSRequest(method="GET", url=f"http://{host}/mqtt")
    credentials = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    SigV4QueryAuth(credentials, "iotdevicegateway", REGION, EXPIRES_S).add_auth(request)
    url = urlsplit(str(request.url))
    token = keys.get("aws_session_token")
    return f"{url.path}?{url.query}" + (
        f"&X-Amz-Security-Token={quote(token, '')}" if token else ""
    )


class Listener:
    """A connection to the broker `host`, through `endpoint_url`; close() ends it."""

    def __init__(self, endpoint_url: str, host: str, target: str, origin: str = "") -> None:
        self._socket = WebSocket(endpoint_url, host, target, "mqtt", origin)
        self._bytes = b""

    def close(self) -> None:
        """Cut the connection."""
        self._socket.close()

    def connect(self, client_id: str) -> Listener:
        """Introduce this client. Raises: Refused."""
        flags = bytes([4, CLEAN_SESSION]) + KEEP_ALIVE_S.to_bytes(2, "big")
        self._send_packet(CONNECT, _text("MQTT") + flags + _text(client_id))
        kind, body = self._packet()
        assert kind == CONNACK
        if body[1]:
            raise Refused(f"CONNACK {body[1]}")
        return self

    def subscribe(self, topics: str) -> None:
        """Ask for the messages of these topics. Raises: Refused."""
        self._send_packet(SUBSCRIBE, b"\x00\x01" + _text(topics) + b"\x00")
        kind, body = self._packet()
        assert kind == SUBACK
        if body[2] & REFUSED:
            raise Refused(f"SUBACK {body[2]}")

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message, which has no answer."""
        self._socket.send(BytesMessage(data=publication(topic, payload)))

    def heard(self, timeout_s: float = DEADLINE_S) -> tuple[str, bytes] | None:
        """Return the next message's topic and payload, or None if none comes in time."""
        try:
            kind, body = self._packet(timeout_s)
        except TimeoutError:
            return None
        assert kind & 0xF0 == PUBLISH
        length = int.from_bytes(body[:2], "big")
        return body[2 : 2 + length].decode(), body[2 + length :]

    def _send_packet(self, kind: int, body: bytes) -> None:
        self._socket.send(BytesMessage(data=_packet_of(kind, body)))

    def _packet(self, timeout_s: float = DEADLINE_S) -> tuple[int, bytes]:
        """Return the next packet's kind and body. A cut packet is kept for the next call."""
        while (sizes := _sizes(self._bytes)) is None or len(self._bytes) < sum(sizes):
            data = self._socket.receive(timeout_s)
            assert isinstance(data, bytes)
            self._bytes += data
        head, length = sizes
        packet, self._bytes = self._bytes[: head + length], self._bytes[head + length :]
        return packet[0], packet[head:]


def _sizes(packet: bytes) -> tuple[int, int] | None:
    """The sizes of a packet's head and body; None while its head is incomplete.

    Source: MQTT 3.1.1, 2.2.3 "Remaining Length".
    """
    length = 0
    for place, byte in enumerate(packet[1:5]):
        length += (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return 2 + place, length
    return None


def publication(topic: str, payload: bytes) -> bytes:
    """The packet of a short publication, as a client or the broker sends it."""
    return _packet_of(PUBLISH, _text(topic) + payload)


def _packet_of(kind: int, body: bytes) -> bytes:
    assert len(body) < 128  # a length of one byte
    return bytes([kind, len(body)]) + body


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def listening(
    endpoint_url: str,
    host: str,
    keys: Mapping[str, str],
    client_id: str,
    topics: str,
    origin: str = "",
) -> closing[Listener]:
    """Connect with these credentials and subscribe; a context manager for the Listener."""
    listener = Listener(endpoint_url, host, presigned(host, keys), origin=origin)
    try:
        listener.connect(client_id).subscribe(topics)
    except BaseException:
        listener.close()
        raise
    return closing(listener)
