"""The `kappa` group, and how a function becomes one of its commands.

What a command does is in kappa/commands/, imported only once a command runs: --help needs neither
AWS nor YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kappa import __version__
from kappa.cli.console import as_json, progress, report_line, result, style
from kappa.cli.options import Commands, ConfigFiles, Options, common, merge, with_example

if TYPE_CHECKING:
    from kappa.commands.deploy import Session
    from kappa.config.model import Config
    from kappa.packing.syntax import Problem
    from kappa.plan.step import Plan, Report

_HELP = """Deploy and operate an AWS Lambda function from one CONFIG file.

Example:
  kappa config.yml deploy
  kappa lambda/*/config.yml status
"""
_MAX_WARNINGS = 10
# Commands that take several configs at once.
_SEVERAL = frozenset(
    {
        "add_event_sources",
        "create",
        "delete",
        "deploy",
        "diff",
        "package",
        "status",
        "update_code",
        "update_event_sources",
        "validate",
        "versions",
    }
)


@click.group(
    help=with_example(_HELP), cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="kappa %(version)s")
@click.argument("config", type=ConfigFiles(), metavar="CONFIG")
@common
@click.pass_context
def cli(ctx: click.Context, /, config: tuple[Path, ...], **given: Any) -> None:  # noqa: ANN401
    """Keep what stands before the command."""
    ctx.obj = merge(Options(config[0], configs=config), given)


def command(function: Callable[..., int | None]) -> click.Command:
    """Make a function a command of the group, with its docstring as its help.

    What the function returns is the exit code; None is 0.
    """

    @common
    @click.pass_context
    def run(ctx: click.Context, /, **given: Any) -> int | None:  # noqa: ANN401
        options = merge(ctx.obj, given)
        confirm = getattr(function, "confirm", None)
        if confirm is not None:
            confirm(options, given)
        if len(options.configs) == 1:
            code: int | None = function(options, **given)
            return code
        if function.__name__ not in _SEVERAL:
            raise click.UsageError(f"{function.__name__} takes one config file.", ctx)
        from kappa.cli.several import run_each

        return run_each(options, function, given)

    run.__doc__ = with_example(function.__doc__)
    run.__click_params__ = [  # type: ignore[attr-defined]
        *getattr(function, "__click_params__", []),
        *run.__click_params__,  # type: ignore[attr-defined]
    ]
    return cli.command(function.__name__)(run)


def tell_notes(notes: Iterable[str]) -> None:
    """Say what in a config has no effect."""
    for note in notes:
        progress(f"{style('note'.ljust(10), dim=True)} {note}")


strict_option = click.option("--strict", is_flag=True, help="Fail on syntax errors in the code.")


def warn_of_code(config: Config, problems: list[Problem], *, strict: bool) -> None:
    """Say what is doubtful about the code, before it is uploaded.

    Raises: ConfigError, for code that the runtime cannot read if `strict`.
    """
    from kappa.packing.build import remarks
    from kappa.packing.syntax import refuse
    from kappa.plan.step import Report

    texts = [*remarks(config), *map(str, problems[:_MAX_WARNINGS])]
    if len(problems) > _MAX_WARNINGS:
        texts.append(f"{len(problems) - _MAX_WARNINGS} more files of this kind")
    for text in texts:
        progress(report_line(Report("warning", text)))
    if strict:
        refuse(problems)


def carry_out(
    options: Options,
    plan: Callable[[Session], Plan],
    *,
    settled: bool = True,
    wait: bool = False,
    strict: bool | None = None,
) -> None:
    """Plan, apply, and report each step as it ends; what is so already too, if `settled`.

    `strict` is None where no code is packed. With `wait` it ends when Lambda is ready, not when
    Lambda has taken the last change.
    """
    from kappa.commands.diff import sends_code
    from kappa.plan.apply import apply
    from kappa.plan.step import SETTLED, steps

    session = options.open()
    tell_notes(session.config.notes)
    if strict:
        warn_of_code(session.config, session.problems, strict=True)
    reports: list[Report] = []

    def tell(report: Report) -> None:
        reports.append(report)
        if settled or report.mark not in SETTLED:
            progress(report_line(report))

    planned = plan(session)
    # Code that AWS has already is not read again: that may take another Python's start.
    if strict is False and sends_code(planned):
        warn_of_code(session.config, session.problems, strict=False)
    apply(planned, session.aws.call, tell, wait=wait)
    if options.json:
        keys = ("mark", "message", "seconds")
        result(as_json([{key: getattr(report, key) for key in keys} for report in reports]))
    elif not reports:
        progress("Nothing to do: the config names none.")
    elif not settled and not steps(planned):
        progress("No changes.")
