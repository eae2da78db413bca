"""A process of the function that answers requests to its URL, and its log in Lambda's words."""

from __future__ import annotations

import time
from collections.abc import Callable

from kappa.commands.invocation import Answer
from kappa.commands.local_caller import read_caller
from kappa.commands.local_invoke import local_function, read_answer
from kappa.commands.session import Session
from kappa.local_run.function import Caller, LogLine
from kappa.local_run.url_answer import Call, Sink

# Errors of the code itself, before any of it has run for a request.
_BROKEN = ("Runtime.HandlerNotFound", "Runtime.ImportModuleError", "Runtime.UserCodeSyntaxError")


class ServedProcess:
    """A process of the function, started when it is needed.

    `log` gets the lines of its log: their time, epoch milliseconds, and their text.
    Raises: KappaError, if the function cannot run here.
    """

    def __init__(
        self,
        session: Session,
        caller: Caller,
        log: Callable[[int, str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._session, self._log = session, log
        self._function = local_function(session, caller, self._add, warn).__enter__()

    def close(self) -> None:
        """End it, and what it runs."""
        self._function.close()

    def run(self, call: Call, sink: Sink) -> str | None:
        """Have the function answer; return the text of a 502 if it failed.

        Its log has Lambda's own lines too.
        Raises: KappaError, if it does not start, or the caller's credentials have expired.
        """
        self._renew_credentials()
        self._write(f"START RequestId: {call.request_id} Version: $LATEST")
        with self._function.stream(call.payload, call.request_id) as response:
            if response.result is None:
                sink.begin(response.content_type, is_streamed=response.is_streamed)
            for chunk in response.chunks():
                sink.take(chunk)
        result = response.result
        assert result is not None
        failure = read_answer(self._function, result) if result.error else None
        if failure:
            self._write(_log_line(failure))
        self._write(f"END RequestId: {call.request_id}")
        self._write(result.report.line)
        if failure is None:
            return None
        return f"{failure.problem}\n" if result.report.error_type in _BROKEN else ""

    def _renew_credentials(self) -> None:
        """Start anew if the SDK has renewed the caller's credentials, which expire.

        Where there are none, they are not looked for again: that can take seconds.
        """
        if not self._function.caller.credentials:
            return
        caller = read_caller(self._session).caller
        if caller != self._function.caller:
            self._function.restart(caller)

    def _write(self, text: str) -> None:
        self._log(int(time.time() * 1000), text)

    def _add(self, line: LogLine) -> None:
        self._log(line.at_ms, self._function.shown(line.text))


def _log_line(failure: Answer) -> str:
    """Word a failure as Lambda logs it.

    Source: AWS Lambda guide, "Python function errors", "Node.js function errors".
    """
    _, _, message = failure.problem.partition(": ")
    if message.startswith("RequestId: "):
        return message  # the process has ended
    trace = failure.traceback
    if trace.startswith(failure.problem):  # Node.js
        return f"[ERROR] {trace}"
    if trace.startswith("  File "):  # Python
        trace = f"Traceback (most recent call last):\n{trace}"
    return "\n".join(filter(None, [f"[ERROR] {failure.problem}", trace]))
