"""MiniStack's process: its application behind the gate, on a socket that already listens.

python -m local.ministack SOCKET GATE: the socket's descriptor, and the gate's fields as JSON. It
ends on SIGTERM, or at the end of standard input: its parent is then gone, and it cleans up itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import sys
from pathlib import Path

from local.gate import Gate

KEEP_ALIVE_S = 75  # as MiniStack's own command does


def main(descriptor: str, gate: str) -> None:
    """Serve until stopped."""
    fields = json.loads(gate)
    rules = Gate(
        port=fields["port"],
        origins=frozenset(fields["origins"]),
        links=frozenset(fields["links"]),
        proxied=fields["proxied"],
    )
    folder = Path(os.environ["TMPDIR"])
    os.chdir(folder)
    with contextlib.suppress(ValueError, OSError):  # some systems allow less than they report
        _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    abandoned = asyncio.run(_serve(int(descriptor), rules))
    if abandoned:
        shutil.rmtree(folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)  # the functions' workers, and this process


async def _serve(descriptor: int, rules: Gate) -> bool:
    """Serve; return true if it ended because the parent is gone."""
    # imported here because MiniStack's import reads the environment and sets up logging
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    from local import ministack_patches

    ministack_patches.apply()
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = KEEP_ALIVE_S
    config.loglevel = "INFO"
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    gone = asyncio.Event()

    def parent_gone() -> None:
        loop.remove_reader(sys.stdin)
        gone.set()
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    loop.add_reader(sys.stdin, parent_gone)
    await serve(rules.before(app), config, shutdown_trigger=over.wait)  # type: ignore[arg-type]
    return gone.is_set()


if __name__ == "__main__":
    main(*sys.argv[1:])
