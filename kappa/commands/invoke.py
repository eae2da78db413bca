"""The commands that call the function: invoke, invoke_async, dryrun."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kappa.commands.carry_out import print_notes
from kappa.commands.console import as_json, progress, result, style
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import ALL, FUNCTION, Uses
from kappa.errors import FunctionFailed, Interrupted, NotFound
from kappa.texts import printable

if TYPE_CHECKING:
    from kappa.commands.invocation import Answer, Kind
    from kappa.commands.session import Session

F = TypeVar("F", bound=Callable[..., Any])
# Where debuggers look for Node.js. Source: Node.js documentation, "Debugging Node.js".
_INSPECTOR_PORT = 9229


def _uses(given: dict[str, Any]) -> Uses:
    """A function that runs here needs all of its settings; one in AWS, its name."""
    return ALL if given.get("local") else FUNCTION


def _call_options(function: F) -> F:
    data = click.option(
        "--data",
        default="",
        metavar="JSON|FILE|-",
        help="Event to send; default: lambda.test_data.",
    )
    qualifier = click.option(
        "--qualifier",
        default="",
        metavar="V|ALIAS",
        help="Version or alias; default: lambda.alias.",
    )
    return data(qualifier(function))


def _local_options(function: F) -> F:
    for option in reversed(
        (
            click.option("--local", is_flag=True, help="Build and run the code on this machine."),
            click.option(
                "--as-role", is_flag=True, help="With --local: call AWS as the function's role."
            ),
            click.option(
                "--debug-port",
                type=click.IntRange(1, 65535),
                metavar="N",
                help="With --local: wait for a debugger at this port.",
            ),
            click.option(
                "--inspect", is_flag=True, help="With --local, for Node.js: --debug-port 9229."
            ),
        )
    ):
        function = option(function)
    return function


@command(uses=_uses)
@_call_options
@_local_options
def invoke(
    options: Options,
    data: str,
    qualifier: str,
    local: bool,
    as_role: bool,
    debug_port: int | None,
    inspect: bool,
) -> None:
    """Invoke the function and print its result.

    Waits for the function to end. The result goes to stdout, the end of the log to stderr. Exit
    code 1 if the function fails. kappa itself changes nothing.

    With --local, the zip that deploy would upload runs here, with your own credentials.

    Example:
      kappa config.yml invoke --data '{"key": 1}'
      kappa config.yml invoke --local --data event.json
    """
    if local:
        if qualifier:
            raise click.UsageError("--local runs the code on this machine: leave --qualifier out.")
        port = debug_port or (_INSPECTOR_PORT if inspect else 0)
        _invoke_local(options, data, as_role, port, inspect)
        return
    if as_role or debug_port or inspect:
        raise click.UsageError("--as-role, --debug-port and --inspect need --local.")
    invocation = _Invocation(options, data, qualifier)
    answer = invocation.send("RequestResponse")
    if answer.log:
        progress(style(printable(answer.log.rstrip("\n")), dim=True))
    print_answer(options, invocation.name, answer, f"Its log: {invocation.command('logs')}")


def print_answer(options: Options, name: str, answer: Answer, hint: str = "") -> None:
    """Print a result to stdout.

    Raises: FunctionFailed, after the function's own traceback.
    """
    if options.json:
        head = {"status": answer.status, "error": answer.error or None, "log": answer.log}
        result(as_json({**head, "version": answer.version, "payload": answer.payload}))
    elif not answer.error:
        result(as_json(answer.payload))
    if answer.error:
        if answer.traceback:
            progress(f"Traceback of {name}:\n{printable(answer.traceback)}")
        raise FunctionFailed(f"The function {name} failed: {answer.problem}", hint)


def _hint(runtime: str, error_type: str, import_hint: str) -> str:
    """Word what to do about an error of Lambda's own."""
    if error_type == "Runtime.OutOfMemory":
        return "It used more than lambda.memory_size."
    if error_type != "Runtime.ImportModuleError":
        return ""
    if import_hint:
        return import_hint
    if runtime.startswith("python"):
        return "As on Lambda, it finds only what is packed: name packages in lambda.requirements."
    return (
        "As on Lambda, it finds only what is packed, and the AWS SDK, which is taken from a "
        "node_modules at lambda.path or above."
    )


def _invoke_local(
    options: Options, data: str, as_role: bool, debug_port: int, inspect: bool
) -> None:
    from kappa.commands.invocation import read_payload

    session = options.open()
    runtime = session.config.function.runtime
    if inspect and not runtime.startswith("nodejs"):
        raise click.UsageError(f"--inspect is for Node.js: use --debug-port for {runtime}.")
    payload = read_payload(session.config, data, sys.stdin.buffer)
    run_here(options, session, payload, as_role=as_role, debug_port=debug_port)


def run_here(
    options: Options,
    session: Session,
    payload: bytes,
    *,
    as_role: bool = False,
    debug_port: int = 0,
    with_notice: bool = True,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run the function on this machine, and print what it logs and returns.

    What `check` raises ends it.
    Raises: FunctionFailed, after the function's own traceback; KappaError; Interrupted.
    """
    from msgspec.structs import replace

    from kappa.commands.local_caller import read_caller
    from kappa.commands.local_invoke import invoke_local, local_function
    from kappa.commands.local_log import LocalLog, warn

    function, log = session.config.function, LocalLog()
    local = read_caller(session, as_role=as_role)
    try:
        with local_function(session, local.caller, log.add, warn, debug_port, check) as running:
            if with_notice:
                print_notes([local.notice])
            if debug_port:
                progress(f"Waiting for a debugger at 127.0.0.1:{debug_port}.")
            log.begin()
            answer, report = invoke_local(running, payload)
    except KeyboardInterrupt as error:
        raise Interrupted(f"Interrupted: {function.name} was stopped.") from error
    progress(style(report.line, dim=True))
    text = "".join(f"{line}\n" for line in [*log.lines, report.line])
    hint = _hint(function.runtime, report.error_type, running.import_hint)
    print_answer(options, function.name, replace(answer, log=text), hint)


@command(uses=FUNCTION)
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


@command(uses=FUNCTION)
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
        from kappa.commands.invocation import await_ready, read_payload
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
        from kappa.commands.invocation import send

        try:
            return send(self._session.aws, self.name, self._payload, kind, self._qualifier)
        except NotFound as error:
            error.hint = error.hint or self._hint()
            raise

    def _hint(self) -> str:
        """Word which of the two is missing: Lambda answers the same for function and alias."""
        from kappa.commands.invocation import exists

        if not self._qualifier or not exists(self._session.aws, self.name):
            return f"Make it: {self.command('deploy')}"
        return f"Is there such a version or alias? {self.command('status')}"
