"""Invoke the function once and read its answer: result, log tail, traceback.

Owns what an answer means. It prints nothing.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from kappa.arn import qualified
from kappa.aws import Aws
from kappa.aws.errors import parsed, translated
from kappa.config import aws_model
from kappa.config.files import read_file
from kappa.config.model import Config
from kappa.config.strict_json import parse_json
from kappa.errors import AwsError, ConfigError, Denied, NotFound, Unavailable
from kappa.function.params import function_params
from kappa.plan.step import Clock
from kappa.texts import read_json

Kind = Literal["RequestResponse", "Event", "DryRun"]
# For the way there and back, beside the longest time that a function may run.
_SPARE_S = 60
_READY_DEADLINE_S = 60.0
# Source: AWS Lambda guide, "Lambda quotas": what a synchronous call may send, and get.
_MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
_MAX_SHOWN = 80
THROTTLED = "TooManyRequestsException"
LOST = "AnswerLost"
_HINTS = {
    THROTTLED: "It runs as often at once as it may: wait, or raise its concurrency.",
    "RequestTooLargeException": "Put the data in S3 and send its key.",
    "RequestEntityTooLargeException": "Put the data in S3 and send its key.",
}


class Answer(msgspec.Struct, frozen=True):
    """What an invocation gave. `error` is Lambda's word for a failed function, else empty."""

    status: int
    payload: Any
    log: str = ""
    error: str = ""
    version: str = ""

    @property
    def problem(self) -> str:
        """The error's type and message in one line."""
        if not isinstance(self.payload, dict):
            return str(self.payload)
        kind = self.payload.get("errorType", self.error)
        return f"{kind}: {self.payload.get('errorMessage', 'no message')}"

    @property
    def traceback(self) -> str:
        """The function's own traceback; empty where the runtime sends none.

        Source: AWS Lambda guide, "Python function errors" (stackTrace), "Node.js" (trace).
        """
        if not isinstance(self.payload, dict):
            return ""
        lines = self.payload.get("stackTrace") or self.payload.get("trace") or []
        return "\n".join(str(line).rstrip("\n") for line in lines)


def read_payload(config: Config, data: str, stdin: IO[bytes]) -> bytes:
    """Read what to send: `data` is "-" for standard input, JSON or else a file.

    "" stands for lambda.test_data.

    Raises: ConfigError, if there is nothing to send or it is not JSON.
    """
    if data == "-":
        return _json(stdin.read(), "standard input")
    if data:
        return _given(config, data)
    if not config.function.test_data:
        raise ConfigError(
            f"{config.file} names no lambda.test_data.", "Add it, or give --data FILE or JSON."
        )
    file = config.beside(config.function.test_data)
    try:
        content = read_file(file)
    except OSError as error:
        problem = f"lambda.test_data: {file}: {error.strerror}."
        raise config.error(("lambda", "test_data"), problem, "Correct the path.") from error
    return _json(content, str(file))


def _given(config: Config, data: str) -> bytes:
    try:
        return _json(os.fsencode(data), "--data")
    except ConfigError as error:
        reason = error.message
    try:
        # What a shell makes of <(command) is a pipe that somebody writes to.
        content = Path(data).read_bytes() if data.startswith("/dev/fd/") else read_file(Path(data))
    except OSError as error:
        name = data if len(data) <= _MAX_SHOWN else f"{data[:_MAX_SHOWN]}..."
        problem = f"{name}: {error.strerror}. {reason}"
        raise ConfigError(problem, "--data takes JSON, a file or -.") from error
    return _json(content, data)


def _json(content: bytes, name: str) -> bytes:
    parse_json(content, name, number=str)  # Lambda has no limit of digits
    if len(content) > _MAX_PAYLOAD_BYTES:
        size = f"{len(content) / 1024 / 1024:.1f} MB"
        raise ConfigError(
            f"{name} has {size}, and Lambda takes 6 MB at most.",
            "Put the data in S3 and send its key.",
        )
    return content


def send(aws: Aws, function: str, payload: bytes, kind: Kind, qualifier: str = "") -> Answer:
    """Invoke the function: RequestResponse waits, Event does not, DryRun only asks.

    `qualifier` is a version or an alias; none means $LATEST.
    Raises: NotFound, Denied, AwsError; its code is LOST if the answer did not come whole. A failing
    function is an Answer, not an exception.
    """
    params = {
        **function_params(function, qualifier),
        "InvocationType": kind,
        "Payload": payload,
        **({"LogType": "Tail"} if kind == "RequestResponse" else {}),
    }
    doing = f"invoking {qualified(function, qualifier)}"
    try:
        answer = aws.call_once("lambda", "invoke", doing, params, _patience_s())
    except AwsError as error:
        if isinstance(error, Unavailable) and error.sent:
            raise _lost(error) from error
        error.hint = _HINTS.get(error.code, error.hint)
        raise
    payload, log = _whole(answer, doing)
    return Answer(
        status=answer["StatusCode"],
        payload=decoded(payload),
        log=log.decode("utf-8", "replace"),
        error=answer.get("FunctionError", ""),
        version=answer.get("ExecutedVersion", ""),
    )


def _whole(answer: Mapping[str, Any], doing: str) -> tuple[bytes, bytes]:
    """Read result and log to their end: the connection may break on the way.

    Raises: AwsError.
    """
    try:
        with translated(doing), parsed(doing):
            log = base64.b64decode(answer.get("LogResult", ""), validate=True)
            return answer["Payload"].read(), log
    except AwsError as error:
        raise _lost(error) from error


def _lost(error: AwsError) -> AwsError:
    return AwsError(
        f"The answer did not come whole: {error.message}",
        "The function may have run: look at its log before you call it again.",
        LOST,
    )


def _patience_s() -> int:
    """How long an answer may take: the longest timeout of a function, and its start."""
    return int(aws_model.shape("Timeout")["max"]) + _SPARE_S


def exists(aws: Aws, function: str) -> bool:
    """Whether AWS has the function; true as well if the caller may not see it."""
    doing = f"reading the function {function}"
    try:
        aws.call("lambda", "get_function_configuration", doing, {"FunctionName": function})
    except NotFound:
        return False
    except AwsError:
        return True
    return True


def await_ready(aws: Aws, function: str, clock: Clock) -> None:
    """Wait until the update is live; until then Lambda runs the previous code.

    Source: AWS Lambda guide, "Lambda function states".
    """
    deadline = clock.now() + _READY_DEADLINE_S
    pause_s = 0.1
    while clock.now() < deadline:
        doing = f"asking whether {function} is ready"
        params = {"FunctionName": function}
        try:
            settings = aws.call_once(
                "lambda", "get_function_configuration", doing, params, _patience_s()
            )
        except (Denied, NotFound):
            # Whoever may only invoke goes on; the call itself reports what is missing.
            return
        if settings.get("State") != "Pending" and settings.get("LastUpdateStatus") != "InProgress":
            return
        clock.sleep(pause_s)
        pause_s = min(pause_s * 2, 2.0)


def decoded(content: bytes) -> object:
    """Read a payload: JSON, or else text."""
    try:
        return read_json(content) if content else None
    except ValueError:
        return content.decode("utf-8", "replace")
