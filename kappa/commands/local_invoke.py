"""Invoke the function on this machine, once. It prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from kappa.commands.invocation import Answer, decoded
from kappa.commands.session import Session
from kappa.local_run.function import Caller, LocalFunction, LogLine, Result, Sdk
from kappa.local_run.interpreter import CannotRun
from kappa.local_run.report import Report

# The SDK's packages in Lambda's runtime of Python. Source: AWS Lambda guide, "Working with .zip
# file archives for Python Lambda functions", runtime dependencies.
_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")


def local_function(
    session: Session,
    caller: Caller,
    log: Callable[[LogLine], None],
    warn: Callable[[str], None],
    debug_port: int = 0,
    check: Callable[[], None] = lambda: None,
) -> LocalFunction:
    """Make the function of a config, from the zip that would be uploaded; it is not started.

    What `check` raises ends an invocation.
    Raises: CannotRun, for a container image; ArchiveError, ConfigError.
    """
    archive = session.checked_zip
    if archive is None:
        raise CannotRun(
            f"{session.config.function.name} is a container image, which kappa does not run.",
            "Run it with your container tool: AWS's base images have a Runtime API of their own.",
        )
    return LocalFunction(
        session.config,
        archive,
        caller,
        log=log,
        warn=warn,
        sdk=_own_sdk(),
        debug_port=debug_port,
        check=check,
    )


def _own_sdk() -> Sdk:
    """The folder of kappa's own SDK, and the names of its packages; it is not imported."""
    spec = find_spec("botocore")
    return Sdk(str(Path(spec.origin).parents[1]) if spec and spec.origin else "", _SDK)


def invoke_local(function: LocalFunction, payload: bytes) -> tuple[Answer, Report]:
    """Invoke a local function once, and read its result as that of a deployed one.

    Raises: CannotRun. A failing function is an Answer.
    """
    result = function.invoke(payload)
    return read_answer(function, result), result.report


def read_answer(function: LocalFunction, result: Result) -> Answer:
    """Read a result; an error's traceback names the user's own files."""
    content = result.payload
    if result.error:
        content = function.shown(content.decode("utf-8", "replace")).encode()
    return Answer(200, decoded(content), error=result.error, version="$LATEST")
