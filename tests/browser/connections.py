"""A page's connection to the push broker: watched, or led through a test."""

import base64
import contextlib
import re

from local.testkit.listener import PUBLISH

PING, PONG = b"\xc0\0", b"\xd0\0"  # MQTT 3.1.1, 3.12 and 3.13
FRAME_HEAD, SHORT_FRAME_HEAD, SHORT = 4, 2, 126  # RFC 6455, 5.2: from a server, below 64 kB


class Between:
    """Sits between a page and the broker: frames and connections pass unless a test stops them.

    While it is `silent`, the page hears nothing, though its connection stays open.
    """

    def __init__(self, page):
        self.open = []  # the page's ends and the broker's
        self.refused = 0
        self.silent = False
        self._up = True
        self._held = None
        page.route_web_socket(re.compile("/mqtt"), self._meet)

    def _meet(self, socket):
        if not self._up:
            self.refused += 1
            socket.close()
            return
        broker = socket.connect_to_server()
        broker.on_message(lambda frame: self._pass(socket, frame))
        self.open.append((socket, broker))

    def _pass(self, socket, frame):
        if self.silent:
            return
        if self._held is None or frame[0] & 0xF0 != PUBLISH:
            socket.send(frame)
        else:
            self._held.append(frame)

    def drop(self):
        """End the connection, and refuse others until `mend`."""
        self._up = False
        for ends in self.open:
            for end in ends:
                end.close()
        self.open.clear()

    def mend(self):
        """Let connections pass again."""
        self._up = True

    @contextlib.contextmanager
    def holding(self):
        """Hold what is published during the block; gives the frames, in their order."""
        self._held = []
        yield self._held
        self._held = None

    def send(self, frame):
        """Send a frame to the page, as the broker would."""
        [(socket, _)] = self.open
        socket.send(frame)


class Sockets:
    """The WebSockets that a page opens."""

    def __init__(self, page):
        self.all = []
        self.pings = self.pongs = 0
        page.on("websocket", self._opened)

    def _opened(self, socket):
        self.all.append(socket)
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame):
        self.pings += frame == PING

    def _received(self, frame):
        self.pongs += frame == PONG

    @property
    def open(self):
        return [socket for socket in self.all if not socket.is_closed()]


class Received:
    """The bytes that a page has received to read: answers with their headers, and frames."""

    def __init__(self, page):
        self.answers = self.frames = 0
        self._publishes = set()
        session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._requested)
        session.on("Network.loadingFinished", self._answered)
        session.on("Network.webSocketFrameReceived", self._framed)
        session.send("Network.enable")

    def _requested(self, event):
        if "Action=Publish" in event["request"].get("postData", ""):
            self._publishes.add(event["requestId"])

    def _answered(self, event):
        if event["requestId"] not in self._publishes:
            self.answers += int(event["encodedDataLength"])

    def _framed(self, event):
        length = len(base64.b64decode(event["response"]["payloadData"]))
        self.frames += length + (SHORT_FRAME_HEAD if length < SHORT else FRAME_HEAD)

    @property
    def total(self):
        return self.answers + self.frames
