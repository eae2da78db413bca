"""A function that runs on this machine: what the commands use of this package.

    with LocalFunction(config, archive, caller, log=print_line, warn=print_warning) as function:
        result = function.invoke(b'{"key": 1}')

The process starts with the first invocation and stays for the next ones, as on Lambda. It is not
safe for several threads: invocations at the same time need a LocalFunction each. These share the
unpacked code.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

import msgspec

from kappa.config.model import Config
from kappa.local_run import runtime_api as api
from kappa.local_run.code_cache import CODE, COMPILED, in_source, source_folder, unpacked
from kappa.local_run.environment import memory_mb
from kappa.local_run.interpreter import CannotRun, Sdk, other_version, plan_launch
from kappa.local_run.process import LogLine
from kappa.local_run.report import Report
from kappa.local_run.sandbox import Caller, Ending, Gone, Sandbox, Stopped
from kappa.package.zip import Archive

__all__ = ["Caller", "LocalFunction", "LogLine", "Response", "Result", "Sdk"]


class Result(msgspec.Struct, frozen=True):
    """The result of an invocation. `error` is Lambda's word for a failed function, else empty.

    `payload` is the response, or the error as JSON; of a stream it is empty unless that failed.
    """

    payload: bytes
    report: Report
    error: str = ""
    content_type: str = ""


class LocalFunction:
    """One process of a function, started when it is needed.

    `log` gets each line that it writes, in a thread of its own; `warn` what differs from Lambda.
    With a `debug_port` it waits for a debugger, and nothing is limited. `check` is called while an
    invocation is waited for; what it raises ends the process.
    """

    def __init__(
        self,
        config: Config,
        archive: Archive,
        caller: Caller,
        *,
        log: Callable[[LogLine], None],
        warn: Callable[[str], None],
        sdk: Sdk | None = None,
        debug_port: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.caller = caller
        self._check = check
        self._config, self._archive = config, archive
        self._log, self._warn = log, warn
        self._sdk, self._debug_port = sdk or Sdk(), debug_port
        self._sandbox: Sandbox | None = None
        self._resources = ExitStack()
        self._warned: set[str] = set()

    def __enter__(self) -> Self:
        """Unpack the code and choose the interpreter; nothing is started.

        Raises: ArchiveError, CannotRun.
        """
        try:
            entry = self._resources.enter_context(unpacked(self._archive))
            self.code = entry / CODE
            self._source = source_folder(self._config, self._archive)
            self._launch = plan_launch(
                self._config,
                self._archive,
                self.code,
                entry / COMPILED,
                self._sdk,
                self._debug_port,
            )
        except BaseException:
            self._resources.close()
            raise
        for warning in self._launch.warnings:
            self._warn_once(warning)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process; nothing of it is left."""
        self.close()

    def close(self) -> None:
        """End the process and all that it has started, and let go of the code."""
        sandbox, self._sandbox = self._sandbox, None
        try:
            if sandbox is not None:
                sandbox.close()
        finally:
            self._resources.close()

    def restart(self, caller: Caller | None = None) -> None:
        """Let the next invocation have a new process, maybe with new credentials."""
        self.caller = caller or self.caller
        self._stop()

    def start(self) -> None:
        """Start the process now and load the handler; the first invocation reports a failure."""
        if self._sandbox is None:
            self._sandbox = self._new_sandbox()

    def invoke(self, payload: bytes) -> Result:
        """Invoke the function with an event, which is JSON, and wait for its result.

        Raises: CannotRun, if the process does not start. A failing function is a Result.
        """
        with self.stream(payload) as response:
            body = b"".join(response.chunks())
        result = response.result
        assert result is not None
        if result.error:
            return result
        if body and not response.is_streamed and not _is_json(body):
            self._warn_once("The response is not JSON, which most callers expect.")
        return msgspec.structs.replace(result, payload=body)

    @contextmanager
    def stream(self, payload: bytes, request_id: str = "") -> Iterator[Response]:
        """Invoke the function, and pass on its response while it is written.

        The response begins when the function writes its first byte, or fails. If it is left
        before its end, the process ends. `request_id`: a UUID where the caller needs to know it.
        Raises: CannotRun, if the process does not start.
        """
        response = self._new_response(request_id)
        try:
            try:
                response.begin(payload)
            except Gone:
                self._stop()
                response = self._new_response(request_id)
                response.begin(payload, is_last=True)
            self._warn_once(other_version(self._config.function, response.client))
            yield response
        finally:
            if response.result is None or response.is_broken:
                self._stop()
            self._check_memory(response.result)

    def _new_response(self, request_id: str) -> Response:
        self.start()
        assert self._sandbox is not None
        return Response(self._sandbox, memory_mb(self._config.function), request_id)

    @property
    def import_hint(self) -> str:
        """The likely cause if an import fails here; "" if the code does not show it."""
        return self._launch.foreign

    def shown(self, text: str) -> str:
        """Name the files of lambda.path in place of their unpacked copies."""
        return in_source(text, self.code, self._source)

    def _stop(self) -> None:
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.close()

    def _new_sandbox(self) -> Sandbox:
        try:
            return Sandbox(
                self._launch.command,
                self.code,
                self._config.function,
                self.caller,
                self._log,
                patient=bool(self._debug_port),
                check=self._check,
            )
        except CannotRun as error:
            error.hint = error.hint or self._launch.foreign
            raise

    def _check_memory(self, result: Result | None) -> None:
        if result is None or result.error or result.report.used_mb <= result.report.memory_mb:
            return
        self._warn_once(
            f"It used {result.report.used_mb} MB, more than its memory_size of "
            f"{result.report.memory_mb} MB: Lambda would have ended it."
        )

    def _warn_once(self, warning: str) -> None:
        if warning and warning not in self._warned:
            self._warned.add(warning)
            self._warn(warning)


class Response:
    """The response to one invocation, while it comes. `result` is None until it is complete.

    A failure before the first byte is a `result` from the beginning, and gives no chunks.
    """

    def __init__(self, sandbox: Sandbox, limit_mb: int, request_id: str) -> None:
        self.request_id = request_id or _new_id()
        self.content_type = ""
        self.is_streamed = False
        self.is_broken = False
        self.result: Result | None = None
        self._sandbox, self._memory_mb = sandbox, limit_mb
        self._began_s = self._deadline_s = time.monotonic()
        self._init_ms: float | None = None

    @property
    def client(self) -> str:
        """How the runtime names itself."""
        return self._sandbox.client

    def begin(self, payload: bytes, *, is_last: bool = False) -> None:
        """Hand the event to the function and wait for the beginning of its response.

        Raises: Gone, if the process ended before it took the event, unless `is_last`.
        """
        sandbox = self._sandbox
        was_cold = sandbox.init_ms is None
        try:
            sandbox.await_ready(self.request_id)
            self._init_ms = sandbox.init_ms if was_cold else None
            self._began_s = time.monotonic()
            self._deadline_s = sandbox.begin(self.request_id, payload)
            event = sandbox.next_event(self.request_id, self._deadline_s)
            while not isinstance(event, api.Begun):
                if isinstance(event, api.Failed):
                    self._fail(Ending(event.error))
                    return
                event = sandbox.next_event(self.request_id, self._deadline_s)
        except Stopped as stopped:
            if isinstance(stopped, Gone) and not is_last:
                raise
            self._fail(stopped.ending, is_broken=True)
        else:
            self.content_type, self.is_streamed = event.content_type, event.is_streamed

    def chunks(self) -> Iterator[bytes]:
        """Yield the response as it comes, and then set `result`.

        A stream that fails, or is cut off, just ends: see `result.error`.
        """
        while self.result is None:
            try:
                event = self._sandbox.next_event(self.request_id, self._deadline_s)
            except Stopped as stopped:
                self._fail(stopped.ending, is_broken=True)
                return
            if isinstance(event, api.Chunk):
                yield event.data
            elif isinstance(event, api.Ended):
                self._end(event.error)

    def _end(self, error: bytes) -> None:
        if error:
            self._fail(Ending(error))
        else:
            self.result = Result(b"", self._report(), content_type=self.content_type)

    def _fail(self, ending: Ending, *, is_broken: bool = False) -> None:
        self.is_broken = is_broken
        report = self._report(ending.status, ending.error_type)
        self.result = Result(ending.error, report, "Unhandled", "application/json")

    def _report(self, status: str = "success", error_type: str = "") -> Report:
        duration_ms = (time.monotonic() - self._began_s) * 1000
        self._sandbox.finish()
        return Report(
            request_id=self.request_id,
            duration_ms=duration_ms,
            memory_mb=self._memory_mb,
            used_mb=self._sandbox.used_mb,
            init_ms=self._init_ms,
            status=status,
            error_type=error_type,
        )


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


def _new_id() -> str:
    """A random UUID of version 4, as Lambda's request ids are; the module uuid loads slowly."""
    number = os.urandom(16).hex()
    variant = "89ab"[int(number[16], 16) % 4]
    parts = (number[:8], number[8:12], f"4{number[13:16]}", f"{variant}{number[17:20]}")
    return "-".join((*parts, number[20:]))
