"""The commands that call the function: invoke, invoke_async, dryrun."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kappa.cli.console import as_json, progress, result, style
from kappa.cli.group import command
from kappa.cli.options import Options
from kappa.errors import FunctionFailed, NotFound
from kappa.texts import printable

if TYPE_CHECKING:
    from kappa.commands.invoke import Answer, Kind

F = TypeVar("F", bound=Callable[..., Any])


def _call_options(function: F) -> F:
    data = click.option(
        "--data",
        default="",
        metavar="FILE|-|JSON",
        help="Event to send; default: lambda.test_data.",
    )
    qualifier = click.option(
        "--qualifier",
        default="",
        metavar="V|ALIAS",
        help="Version or alias; default: lambda.alias.",
    )
    return data(qualifier(function))


@command()
@_call_options
def invoke(options: Options, data: str, qualifier: str) -> None:
    """Invoke the function and print its result.

    Waits for the function to end. The result goes to stdout, the end of the log to stderr. Exit
    code 1 if the function fails. kappa itself changes nothing.

    Example:
      kappa config.yml invoke --data '{"key": 1}'
    """
    invocation = _Invocation(options, data, qualifier)
    answer = invocation.send("RequestResponse")
    if answer.log:
        progress(style(printable(answer.log.rstrip("\n")), dim=True))
    show_answer(
        answer, invocation.name, f"Its log: {invocation.command('logs')}", wants_json=options.json
    )


def show_answer(answer: Answer, name: str, hint: str, *, wants_json: bool) -> None:
    """Print what the function returned.

    Raises: FunctionFailed, after its traceback.
    """
    if wants_json:
        head = {"status": answer.status, "error": answer.error or None, "log": answer.log}
        result(as_json({**head, "version": answer.version, "payload": answer.payload}))
    elif not answer.error:
        result(as_json(answer.payload))
    if answer.error:
        if answer.traceback:
            progress(f"Traceback of {name}:\n{printable(answer.traceback)}")
        raise FunctionFailed(f"The function {name} failed: {answer.problem}", hint)


@command()
@_call_options
def invoke_async(options: Options, data: str, qualifier: str) -> None:
    """Queue an event for the function and return.

    Lambda invokes the function later, and again if it fails. kappa itself changes nothing.

    Example:
      kappa config.yml invoke_async
    """
    invocation = _Invocation(options, data, qualifier)
    answer = invocation.send("Event")
    if options.json:
        result(as_json({"status": answer.status}))
        return
    progress(f"Accepted by {invocation.name} ({answer.status}).")
    progress(f"  Its log: {invocation.command('logs')}")


@command()
@_call_options
def dryrun(options: Options, data: str, qualifier: str) -> None:
    """Check whether you may invoke the function.

    Runs nothing and changes nothing. Exit code 1 if you may not.

    Example:
      kappa config.yml dryrun
    """
    invocation = _Invocation(options, data, qualifier)
    answer = invocation.send("DryRun")
    if options.json:
        result(as_json({"status": answer.status, "allowed": True}))
        return
    progress(f"You may invoke {invocation.name} ({answer.status}).")


class _Invocation:
    """The function to call, and what to send to it."""

    def __init__(self, options: Options, data: str, qualifier: str) -> None:
        from kappa.commands.invoke import await_ready, read_payload
        from kappa.plan.step import Clock

        self._session = options.open()
        self.command = self._session.config.command
        function = self._session.config.function
        self._payload = read_payload(self._session.config, data, sys.stdin.buffer)
        self._qualifier = qualifier or function.alias
        self.name = function.name
        if not self._qualifier:
            await_ready(self._session.aws, self.name, Clock())

    def send(self, kind: Kind) -> Answer:
        """Invoke the function once."""
        from kappa.commands.invoke import send

        try:
            return send(self._session.aws, self.name, self._payload, kind, self._qualifier)
        except NotFound as error:
            error.hint = error.hint or self._hint()
            raise

    def _hint(self) -> str:
        """Word which of the two is missing: Lambda answers the same for function and alias."""
        from kappa.commands.invoke import exists

        if not self._qualifier or not exists(self._session.aws, self.name):
            return f"Make it: {self.command('create')}"
        return f"Is there such a version or alias? {self.command('status')}"
