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
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

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

    _spare_busy_workers()
    _log_one_by_one()
    _serve_streams_side_by_side()
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


def _spare_busy_workers() -> None:
    """Let a call that runs while its function is changed come to its end, as AWS does.

    MiniStack ends the function's workers at once, and those of the same name in other accounts:
    what they were doing would be lost.
    """
    from ministack.core import lambda_runtime

    kill_now = lambda_runtime.kill_workers

    def kill_workers(workers: Iterable[Any]) -> None:
        listed = [worker for worker in workers if worker is not None]
        # held during a call; `in_use` stays true after a failed start
        busy = [worker for worker in listed if worker._lock.locked()]
        kill_now([worker for worker in listed if worker not in busy])
        if busy:
            threading.Thread(target=kill_when_idle, args=(busy,), daemon=True).start()

    def kill_when_idle(workers: Iterable[Any]) -> None:
        for worker in workers:
            with worker._lock:
                pass  # the call has ended
            kill_now([worker])

    lambda_runtime.kill_workers = kill_workers


def _log_one_by_one() -> None:
    """Let one call at a time write its log.

    MiniStack makes the log group of a new function with its first log: of two first calls at once,
    the second would replace the group that has the first one's lines.
    """
    from ministack.services import lambda_svc

    lock, write = threading.Lock(), lambda_svc._emit_lambda_logs

    def write_alone(*args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on
        with lock:
            write(*args, **more)

    lambda_svc._emit_lambda_logs = write_alone


def _serve_streams_side_by_side() -> None:
    """Serve each event source mapping of a table's stream in a thread of its own, as AWS does.

    MiniStack's one thread calls the functions of all streams in turn: one that hangs would delay
    all others until its timeout.
    """
    from ministack.services import lambda_svc

    all_mappings, poll_in_turn = lambda_svc._iter_all_esms, lambda_svc._poll_dynamodb_streams
    only = ContextVar("only", default="")  # the mapping of this thread
    busy: set[str] = set()

    def mappings() -> list[Any]:
        return [mapping for mapping in all_mappings() if only.get() in ("", mapping[-1]["UUID"])]

    def poll(uuid: str) -> None:
        only.set(uuid)
        try:
            while poll_in_turn():
                pass  # there may be more
        finally:
            busy.discard(uuid)

    def poll_side_by_side() -> bool:
        for *_place, mapping in all_mappings():
            uuid = mapping["UUID"]
            if uuid not in busy and ":dynamodb:" in mapping.get("EventSourceArn", ""):
                busy.add(uuid)
                threading.Thread(target=poll, args=(uuid,), daemon=True).start()
        return False  # the threads go on by themselves

    lambda_svc._iter_all_esms = mappings
    lambda_svc._poll_dynamodb_streams = poll_side_by_side


if __name__ == "__main__":
    main(*sys.argv[1:])
