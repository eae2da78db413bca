"""The command line: argv to command. What a command does is in commands.py.

That is imported only once a command runs: --help needs neither AWS nor YAML.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kappa import __version__
from kappa.console import as_json, bold, exit_code, progress, report_line, result
from kappa.errors import FunctionFailed, NotFound
from kappa.options import Ago, Commands, Options, common, merge, with_example

if TYPE_CHECKING:
    from kappa.commands import Session
    from kappa.invoke import Answer, Kind
    from kappa.steps import Plan, Report


_HELP = """Manage one AWS Lambda function, as its CONFIG file describes it.

Example:
  kappa config.yml create
  kappa config.yml add_event_sources
  kappa config.yml status
"""


@click.group(
    help=with_example(_HELP), cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="kappa %(version)s")
@click.argument("config", type=click.Path(path_type=Path))
@common
@click.pass_context
def cli(ctx: click.Context, /, config: Path, **given: Any) -> None:  # noqa: ANN401
    """Keep what stands before the command."""
    ctx.obj = merge(Options(config), given)


def _command(function: Callable[..., None]) -> click.Command:
    @common
    @click.pass_context
    def run(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401
        function(merge(ctx.obj, given), **given)

    run.__doc__ = with_example(function.__doc__)
    run.__click_params__ = [  # type: ignore[attr-defined]
        *getattr(function, "__click_params__", []),
        *run.__click_params__,  # type: ignore[attr-defined]
    ]
    return cli.command(function.__name__)(run)


@_command
def create(options: Options) -> None:
    """Create the policy, the role and the function.

    Makes what is missing and leaves alone what exists; the function's permissions and
    settings for asynchronous calls are brought to what the config says.

    Example:
      kappa config.yml create
    """
    from kappa.commands import plan_create

    _carry_out(options, plan_create)


@_command
def update_code(options: Options) -> None:
    """Upload the code and settings that differ.

    Changes the function's code and configuration, its permissions and the policy's document,
    each only where AWS has something else than the config says.

    Example:
      kappa config.yml update_code
    """
    from kappa.commands import plan_update_code

    _carry_out(options, plan_update_code)


@_command
def add_event_sources(options: Options) -> None:
    """Connect the function with its event sources.

    Makes a mapping for each DynamoDB or Kinesis stream, a subscription for each SNS topic, a
    notification for each S3 bucket, with the permission that it needs.

    Example:
      kappa config.yml add_event_sources
    """
    from kappa.commands import plan_add_event_sources

    _carry_out(options, plan_add_event_sources)


@_command
def update_event_sources(options: Options) -> None:
    """Bring event sources to what the config says.

    Changes batch size, retries, enabled and the like of the mappings that are there, and the
    events of bucket notifications.

    Example:
      kappa config.yml update_event_sources
    """
    from kappa.commands import plan_update_event_sources

    _carry_out(options, plan_update_event_sources)


@_command
def delete(options: Options) -> None:
    """Delete event sources, function, role and policy.

    Keeps the logs, policies and roles that kappa did not make, and a role or policy that
    something else uses; it says so of each.

    Example:
      kappa config.yml delete
    """
    from kappa.commands import plan_delete

    _carry_out(options, plan_delete)


@_command
def status(options: Options) -> None:
    """Show policy, role, function and event sources.

    Shows permissions too. Changes nothing.

    Example:
      kappa config.yml status --json
    """
    from kappa.commands import read_status
    from kappa.report import padded, status_data, status_table

    session = options.open()
    now = read_status(session)
    data = status_data(session.config, now.iam, now.function, now.sources)
    if options.json:
        result(as_json(data))
        return
    for what, name, state, detail in padded(status_table(data, session.config)):
        colour = "magenta" if state.strip() == "missing" else "green"
        result(f"{what}  {bold(name)}  {click.style(state, fg=colour)}  {detail}".rstrip())


_data_option = click.option(
    "--data", default="", metavar="FILE|-", help="JSON to send, instead of lambda.test_data."
)


@_command
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


@_command
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


@_command
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


@_command
@click.option("--since", default="10m", show_default=True, type=Ago(), help="How far back.")
@click.option("--follow", "-f", is_flag=True, help="Go on with each new line until Ctrl-C.")
def tail(options: Options, since: int, follow: bool) -> None:
    """Print the function's log, oldest line first.

    Changes nothing. Lines take some seconds to reach the log.

    Example:
      kappa config.yml tail --since 1h --follow
    """
    from kappa.logs import follow_events, group_name, read_events

    session = options.open()
    name = session.config.function.name
    since_ms = int((time.time() - since) * 1000)
    read = follow_events if follow else read_events
    try:
        for event in read(session.aws, name, since_ms):
            line = {"time": event.time, "message": event.message}
            text = f"{click.style(event.time, dim=True)} {event.message}"
            result(json.dumps(line, ensure_ascii=False) if options.json else text)
    except NotFound:
        progress(f"No logs yet: {group_name(name)} does not exist.")
    except KeyboardInterrupt:
        # Ctrl-C is how following ends: there is nothing that it leaves undone.
        if not follow:
            raise


def _carry_out(options: Options, plan: Callable[[Session], Plan]) -> None:
    from kappa.steps import apply

    session = options.open()
    reports: list[Report] = []

    def tell(report: Report) -> None:
        reports.append(report)
        progress(report_line(report))

    apply(plan(session), session.aws.call, tell)
    if options.json:
        keys = ("mark", "message", "seconds")
        result(as_json([{key: getattr(report, key) for key in keys} for report in reports]))
    elif not reports:
        progress("Nothing to do: the config names none.")


def main() -> None:
    """Run the `kappa` command."""
    args = sys.argv[1:]
    run = partial(cli.main, args, prog_name="kappa", standalone_mode=False)
    sys.exit(exit_code(run, "--debug" in args))
