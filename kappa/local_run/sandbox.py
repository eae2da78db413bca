"""One execution environment: a process with its Runtime API, warm between invocations.

Owns deadlines and limits. Where the runtime does not end an invocation itself, it words the error
as Lambda does.
Source: AWS Lambda guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty

import msgspec

from kappa.config.model import Function
from kappa.local_run import process
from kappa.local_run.environment import Surroundings, memory_mb, timeout_s, variables
from kappa.local_run.interpreter import CLIENTS, CannotRun
from kappa.local_run.process import LogLine, Process
from kappa.local_run.runtime_api import (
    Chunk,
    Event,
    Exited,
    Failed,
    Invocation,
    Ready,
    RuntimeApi,
    Taken,
    error_json,
)

# Beyond this, the start counts as a part of the first invocation.
_INIT_S = 10.0
_POLL_S = 0.05
_MB_KB = 1024


class Caller(msgspec.Struct, frozen=True):
    """As whom and where the function runs. `credentials` are variables of the SDKs."""

    region: str
    function_arn: str
    credentials: Mapping[str, str] = {}


class Ending(msgspec.Struct, frozen=True):
    """What ended an invocation instead of a response: the error as JSON, and Lambda's status."""

    error: bytes
    status: str = "error"

    @property
    def error_type(self) -> str:
        """The type that the error names; "" if it names none."""
        with suppress(ValueError, AttributeError):
            return str(json.loads(self.error).get("errorType", ""))
        return ""


class Stopped(Exception):
    """The invocation has stopped, and the process is of no further use."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.status)
        self.ending = ending


class Gone(Stopped):
    """The process ended before it took the invocation, so another one may take it."""


class Sandbox:
    """A running process of the function. With `patient`, nothing is limited: somebody debugs.

    `check` is called while an invocation is waited for; what it raises ends the waiting.
    """

    def __init__(
        self,
        command: tuple[str, ...],
        code: Path,
        function: Function,
        caller: Caller,
        log: Callable[[LogLine], None],
        *,
        patient: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._function, self._caller, self._patient = function, caller, patient
        self._check = check
        self.client = ""
        self.init_ms: float | None = None
        self._peak_kb, self._measured_s = 0, 0.0
        mark = os.urandom(16).hex()
        temporary = Path(os.environ.get("TMPDIR") or "/tmp", f"kappa-{mark}")
        self.api = RuntimeApi()
        place = Surroundings(
            code=code,
            clients=CLIENTS,
            temporary=temporary,
            address=self.api.address,
            log_stream=f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{mark}",
            region=caller.region,
            credentials=caller.credentials,
        )
        environment = variables(function, place, os.environ)
        self._began_s = time.monotonic()
        try:
            self._process = Process(command, code, environment, temporary, mark, log, self._on_exit)
        except OSError as error:
            self.api.close()
            raise CannotRun(f"{command[0]} does not start: {error.strerror or error}.") from error
        except BaseException:
            self.api.close()
            raise

    def await_ready(self, request_id: str) -> None:
        """Wait until the runtime asks for an invocation.

        Raises: Stopped; Gone, if it did not come back from the last one.
        """
        is_cold = self.init_ms is None
        since_s = self._began_s + _INIT_S if is_cold else time.monotonic()
        deadline_s = since_s + timeout_s(self._function)
        try:
            event = self.next_event(request_id, deadline_s)
            while not isinstance(event, Ready):
                if isinstance(event, Failed):
                    raise Stopped(Ending(event.error))
                event = self.next_event(request_id, deadline_s)
        except Stopped as stopped:
            if is_cold:
                raise
            raise Gone(stopped.ending) from stopped
        self.client = event.client
        self._peak_kb = max(self._peak_kb, process.peak_kb(self._process.pid))
        if is_cold:
            self.init_ms = (time.monotonic() - self._began_s) * 1000

    def begin(self, request_id: str, payload: bytes) -> float:
        """Hand out an invocation; return the monotonic time of its deadline, in seconds.

        Raises: Stopped; Gone, if the process ended before it took it.
        """
        limit_s = 86400 if self._patient else timeout_s(self._function)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + limit_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._caller.function_arn,
            "Lambda-Runtime-Trace-Id": _trace_id(),
        }
        deadline_s = time.monotonic() + limit_s
        self.api.offer(Invocation(request_id, payload, headers))
        try:
            while not isinstance(self.next_event(request_id, deadline_s), Taken):
                pass
        except Stopped as stopped:
            raise Gone(stopped.ending) from stopped
        return deadline_s

    def next_event(self, request_id: str, deadline_s: float) -> Event:
        """Wait for the next event, and watch the limits meanwhile.

        Raises: Stopped, at the deadline, over the memory, or when the process has ended.
        """
        while True:
            event: Event | None = None
            with suppress(Empty):
                event = self.api.events.get(timeout=_POLL_S)
            self._process.check_log()
            self._check()
            if isinstance(event, Exited):
                raise Stopped(_exit(request_id, event.code))
            # A stream without an end does not get beyond the limits either.
            if event is None or isinstance(event, Chunk):
                self._check_limits(request_id, deadline_s)
            if event is not None:
                return event

    def _check_limits(self, request_id: str, deadline_s: float) -> None:
        if self._patient:
            return
        now_s = time.monotonic()
        if now_s >= deadline_s:
            text = f"Task timed out after {timeout_s(self._function):.2f} seconds"
            raise Stopped(_ending("Sandbox.Timedout", request_id, text, "timeout"))
        if now_s >= self._measured_s + _POLL_S:
            self._measured_s = now_s
            self._check_memory(request_id)

    def finish(self) -> None:
        """Pass on what the function has written up to now, and measure its memory."""
        self._process.drain()
        self._peak_kb = max(self._peak_kb, process.peak_kb(self._process.pid))

    @property
    def used_mb(self) -> int:
        """The most memory that has been measured."""
        return -(-self._peak_kb // _MB_KB)

    def close(self) -> None:
        """End the process and all that it has started."""
        # It must not see that its Runtime API is gone, and write that to its log.
        try:
            self._process.close()
        finally:
            self.api.close()

    def _on_exit(self, code: int) -> None:
        self.api.put(Exited(code))

    def _check_memory(self, request_id: str) -> None:
        limit_mb = memory_mb(self._function)
        used_kb = process.used_kb(self._process.pid, limit_mb * _MB_KB)
        self._peak_kb = max(self._peak_kb, used_kb)
        if used_kb > limit_mb * _MB_KB:
            text = "Runtime exited with error: signal: killed"
            raise Stopped(_ending("Runtime.OutOfMemory", request_id, text))


def _exit(request_id: str, code: int) -> Ending:
    """Word the end of a process, as Lambda does."""
    if code == 0:
        reason = "Runtime exited without providing a reason"
    elif code > 0:
        reason = f"Runtime exited with error: exit status {code}"
    else:
        name = signal.strsignal(-code) or str(-code)
        reason = f"Runtime exited with error: signal: {name.lower()}"
    return _ending("Runtime.ExitError", request_id, reason)


def _ending(kind: str, request_id: str, text: str, status: str = "error") -> Ending:
    return Ending(error_json(kind, f"RequestId: {request_id} Error: {text}"), status)


def _trace_id() -> str:
    """A trace that X-Ray does not record. Source: AWS X-Ray guide, "Tracing header"."""
    root = f"1-{int(time.time()):08x}-{os.urandom(12).hex()}"
    return f"Root={root};Parent={os.urandom(8).hex()};Sampled=0"
