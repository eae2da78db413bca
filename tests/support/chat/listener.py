"""A minimal MQTT 3.1.1 client over a WebSocket: what a page does to listen, for tests of who may.

Source: AWS IoT Core Developer Guide, "Device communication protocols" (the presigned URL, to which
the security token is added unsigned); OASIS, "MQTT Version 3.1.1".
"""

import socket
from contextlib import closing
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from wsproto import ConnectionType, WSConnection
from wsproto import events as ws

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x82, 0x90
CLEAN_SESSION, KEEP_ALIVE_S = 0x02, 60
DEADLINE_S = 5.0
EXPIRES_S = 60


class Refused(Exception):
    """The broker, or what stands before it, refused or ended the connection."""


def presigned(host, keys):
    """Return the target of the broker's URL, signed with credentials as boto3's keywords."""
    request = AWSRequest(method="GET", url=f"http://{host}/mqtt")
    credentials = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    SigV4QueryAuth(credentials, "iotdevicegateway", "us-east-1", EXPIRES_S).add_auth(request)
    url = urlsplit(request.url)
    token = keys.get("aws_session_token")
    return f"{url.path}?{url.query}" + (
        f"&X-Amz-Security-Token={quote(token, '')}" if token else ""
    )


class Listener:
    """A connection to the broker `host`, through `endpoint_url`; close() ends it."""

    def __init__(self, endpoint_url, host, target, origin=""):
        address = urlsplit(endpoint_url)
        self._socket = socket.create_connection((address.hostname, address.port), DEADLINE_S)
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._bytes = b""
        headers = [(b"Origin", origin.encode())] if origin else []
        self._send(
            ws.Request(host=host, target=target, subprotocols=["mqtt"], extra_headers=headers)
        )
        try:
            while not isinstance(event := self._event(), ws.AcceptConnection):
                pass
        except BaseException:
            self.close()
            raise
        assert event.subprotocol == "mqtt"

    def close(self):
        self._socket.close()

    def connect(self, client_id):
        flags = bytes([4, CLEAN_SESSION]) + KEEP_ALIVE_S.to_bytes(2, "big")
        self._send_packet(CONNECT, _text("MQTT") + flags + _text(client_id))
        kind, body = self._packet()
        assert kind == CONNACK
        if body[1]:
            raise Refused(f"CONNACK {body[1]}")
        return self

    def subscribe(self, topics):
        self._send_packet(SUBSCRIBE, b"\x00\x01" + _text(topics) + b"\x00")
        kind, body = self._packet()
        assert kind == SUBACK
        if body[2] & 0x80:
            raise Refused(f"SUBACK {body[2]}")

    def publish(self, topic, payload):
        self._send_packet(PUBLISH, _text(topic) + payload)

    def heard(self, timeout_s=DEADLINE_S):
        """Return the next message's topic and payload, or None if none comes in time."""
        self._socket.settimeout(timeout_s)
        try:
            kind, body = self._packet()
        except TimeoutError:
            return None
        finally:
            self._socket.settimeout(DEADLINE_S)
        assert kind & 0xF0 == PUBLISH
        length = int.from_bytes(body[:2], "big")
        return body[2 : 2 + length].decode(), body[2 + length :]

    def _send_packet(self, kind, body):
        assert len(body) < 128  # a length of one byte
        self._send(ws.BytesMessage(data=bytes([kind, len(body)]) + body))

    def _send(self, event):
        self._socket.sendall(self._ws.send(event))

    def _packet(self):
        """Return the next packet's kind and body; a body has less than 128 bytes."""
        while len(self._bytes) < 2 or len(self._bytes) < 2 + self._bytes[1]:
            event = self._event()
            if isinstance(event, ws.BytesMessage):
                self._bytes += event.data
        end = 2 + self._bytes[1]
        packet, self._bytes = self._bytes[:end], self._bytes[end:]
        return packet[0], packet[2:]

    def _event(self):
        while True:
            for event in self._ws.events():
                if isinstance(event, ws.RejectConnection):
                    raise Refused(f"HTTP {event.status_code}")
                if isinstance(event, ws.CloseConnection):
                    raise Refused("closed")
                return event
            data = self._socket.recv(65536)
            if not data:
                raise Refused("the connection was cut")
            self._ws.receive_data(data)


def _text(value):
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def listening(endpoint_url, host, keys, client_id, topics, **options):
    """Connect with these credentials and subscribe; a context manager for the Listener."""
    listener = Listener(endpoint_url, host, presigned(host, keys), **options)
    try:
        listener.connect(client_id).subscribe(topics)
    except BaseException:
        listener.close()
        raise
    return closing(listener)
