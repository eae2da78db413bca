"""The commands that call the function: invoke, invoke_async, dryrun."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kappa.command import command
from kappa.console import as_json, progress, result
from kappa.errors import FunctionFailed, NotFound
from kappa.options import Options

if TYPE_CHECKING:
    from kappa.commands import Session
    from kappa.invoke import Answer, Kind

_data_option = click.option(
    "--data", default="", metavar="FILE|-", help="JSON to send, instead of lambda.test_data."
)


@command
@_data_option
def invoke(options: Options, data: str) -> None:
    """Invoke the function; print result, log and error.

    The result goes to stdout, the log to stderr; a failing function ends in exit code 1.

    Example:
      echo '{"key": 1}' | kappa config.yml invoke --data -
    """
    session, answer = _send(options, data, "RequestResponse")
    name = session.config.function.name
    if answer.log:
        progress(click.style(answer.log.rstrip("\n"), dim=True))
    if options.json:
        said = {"status": answer.status, "error": answer.error or None, "log": answer.log}
        result(as_json({**said, "payload": answer.payload}))
    elif not answer.error:
        result(as_json(answer.payload))
    if answer.error:
        if answer.traceback:
            progress(f"Traceback of {name}:\n{answer.traceback}")
        raise FunctionFailed(
            f"The function {name} failed: {answer.problem}",
            f"Its log: kappa {options.config} tail",
        )


@command
@_data_option
def invoke_async(options: Options, data: str) -> None:
    """Hand an event to the function; do not wait.

    Lambda queues the event and invokes the function with it, again if it fails.

    Example:
      kappa config.yml invoke_async
    """
    session, answer = _send(options, data, "Event")
    if options.json:
        result(as_json({"status": answer.status}))
        return
    progress(f"Accepted by {session.config.function.name} ({answer.status}).")
    progress(f"  Its log: kappa {options.config} tail")


@command
@_data_option
def dryrun(options: Options, data: str) -> None:
    """Ask whether you may invoke the function.

    Runs and changes nothing; exit code 1 means no.

    Example:
      kappa config.yml dryrun
    """
    session, answer = _send(options, data, "DryRun")
    if options.json:
        result(as_json({"status": answer.status, "allowed": True}))
        return
    progress(f"You may invoke {session.config.function.name} ({answer.status}).")


def _send(options: Options, data: str, kind: Kind) -> tuple[Session, Answer]:
    from kappa.invoke import read_payload, send

    session = options.open()
    payload = read_payload(session.config, data, sys.stdin.buffer)
    try:
        return session, send(session.aws, session.config.function.name, payload, kind)
    except NotFound as error:
        error.hint = error.hint or f"Make it: kappa {options.config} create"
        raise
