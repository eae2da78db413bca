"""A process that passes bytes between pages and the broker; a test can kill it and start it again.

python -m tests.browser.relay PORT TARGET: two ports of this machine. It ends with standard input.
"""

import asyncio
import contextlib
import subprocess
import sys

from lambda_chat.config import ROOT
from local.gate import HOST
from tests.support.aws.processes import free_port, listening
from tests.support.waiting import wait_for

CHUNK = 65536


class Relay:
    """A relay to a port. Killed, it drops its connections and refuses others, as a broker does."""

    def __init__(self, target):
        self.port = free_port()
        self._target = target
        self._process = None

    def start(self):
        ports = [str(self.port), str(self._target)]
        command = [sys.executable, "-m", "tests.browser.relay", *ports]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        wait_for(lambda: listening(self.port))
        return self

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()


async def serve(port, target):
    """Relay until the parent closes standard input, or is gone."""

    async def relay(reader, writer):
        there, back = await asyncio.open_connection(HOST, target)
        await asyncio.gather(forward(reader, back), forward(there, writer))

    await asyncio.start_server(relay, HOST, port)
    await asyncio.to_thread(sys.stdin.read)


async def forward(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
