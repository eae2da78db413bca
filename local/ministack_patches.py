"""Patches to MiniStack, where its functions and their logs would differ from AWS's.

They apply to this process. Import it after the environment is set, which MiniStack reads.
"""

from __future__ import annotations

import fcntl
import subprocess
import termios
import threading
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc

LOG_S = 5.0
POLL_S = 1.0  # as MiniStack: for what failed, and for what was enabled


def apply() -> None:
    """Patch what this process has imported."""
    spare_busy_workers()
    log_one_by_one()
    log_whole()
    serve_streams_side_by_side()


def spare_busy_workers() -> None:
    """Let a call that runs while its function is changed come to its end, as AWS does.

    MiniStack ends the function's workers at once, and those of the same name in other accounts:
    what they were doing would be lost.
    """
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


def log_one_by_one() -> None:
    """Let one call at a time write its log.

    MiniStack makes the log group of a new function with its first log: of two first calls at once,
    the second would replace the group that has the first one's lines.
    """
    lock, write = threading.Lock(), lambda_svc._emit_lambda_logs

    def write_alone(*args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on
        with lock:
            write(*args, **more)

    lambda_svc._emit_lambda_logs = write_alone


def log_whole() -> None:
    """Let a call's log have all that the function has written, however busy the machine is.

    MiniStack waits 50 ms for the thread that reads a worker's output, and then leaves it out.
    """
    drain = lambda_runtime.Worker._drain_stderr_bounded

    def drain_whole(worker: Any, **waits: float) -> Any:  # noqa: ANN401 - MiniStack's
        process, deadline_s = worker._proc, time.monotonic() + LOG_S
        while process and _unread(process) and time.monotonic() < deadline_s:
            time.sleep(0.001)
        return drain(worker, **waits)

    lambda_runtime.Worker._drain_stderr_bounded = drain_whole


def _unread(process: subprocess.Popen[str]) -> bool:
    """Whether a part of a worker's log waits in its pipe."""
    pipe = process.stderr or process.stdout  # a custom runtime has one for both
    assert pipe
    try:
        return any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    except (OSError, ValueError):  # it is closed
        return False


def serve_streams_side_by_side() -> None:
    """Serve each table's stream in a thread of its own, which ends with its last mapping.

    MiniStack's one thread calls the functions of all streams in turn: one that hangs would delay
    all others until its timeout. A stream's own mappings still take turns, so that the order holds
    even for a mapping that is deleted and made again during a call.
    """
    all_mappings, poll_in_turn = lambda_svc._iter_all_esms, lambda_svc._poll_dynamodb_streams
    emit = dynamodb._emit_stream_event
    served = ContextVar("served", default="")  # the stream of this thread
    news: dict[str, threading.Event] = {}  # of each stream that has a thread

    def stream_of(mapping: dict[str, Any]) -> str:
        return str(mapping.get("EventSourceArn"))

    def mappings() -> list[Any]:
        stream = served.get()
        return [each for each in all_mappings() if stream in ("", stream_of(each[-1]))]

    def serve(stream: str) -> None:
        served.set(stream)
        event = news[stream]
        try:
            while mappings():
                event.clear()
                while poll_in_turn():
                    pass  # there may be more
                event.wait(POLL_S)
        finally:
            del news[stream]

    def start_threads() -> bool:
        for *_place, mapping in all_mappings():
            stream = stream_of(mapping)
            if ":dynamodb:" in stream and stream not in news:
                news[stream] = threading.Event()
                threading.Thread(target=serve, args=(stream,), daemon=True).start()
        return False  # the threads go on by themselves

    def emit_to_thread(table: str, *args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on
        emit(table, *args, **more)
        stream = str(dynamodb._tables.get(table, {}).get("LatestStreamArn"))
        news.get(stream, threading.Event()).set()

    lambda_svc._iter_all_esms = mappings
    lambda_svc._poll_dynamodb_streams = start_threads
    dynamodb._emit_stream_event = emit_to_thread
