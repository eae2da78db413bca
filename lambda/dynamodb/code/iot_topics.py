"""The topics of AWS IoT Core that open pages subscribe to, one for each channel.

Owns every call to IoT Core. It must not know what a push holds.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError

# The first try may meet a connection that ended while Lambda had frozen the container.
TRIES = 2


class Topics:
    """The topics `NAME/channel/*`."""

    def __init__(self, iot: Any, topics: str) -> None:  # noqa: ANN401 - made at run time
        self._iot = iot
        self._before = topics.removesuffix("*")

    def topic(self, channel: str) -> str:
        """Return the name of a channel's topic."""
        return f"{self._before}{channel}"

    def publish(self, channel: str, content: bytes) -> None:
        """Send bytes to a channel's topic. Subscribers may get them twice.

        Only a failed connection is tried again, at once: a late push is worth no more than a poll.
        Raises: botocore's exceptions for errors of AWS.
        """
        for left in reversed(range(TRIES)):
            try:
                self._iot.publish(topic=self.topic(channel), qos=0, payload=content)
                return
            except BotoCoreError:
                if not left:
                    raise
