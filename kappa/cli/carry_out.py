"""Carry out a plan for a command: plan, apply, report each step; warn of doubtful code first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from kappa.cli.console import as_json, progress, report_line, result, style
from kappa.cli.options import Options

if TYPE_CHECKING:
    from kappa.commands.session import Session
    from kappa.config.model import Config
    from kappa.packing.check_syntax import Problem
    from kappa.plan.step import Plan, Report

_MAX_WARNINGS = 10


def print_notes(notes: Iterable[str]) -> None:
    """Print what in a config has no effect."""
    for note in notes:
        progress(f"{style('note'.ljust(10), dim=True)} {note}")


def print_place(session: Session) -> None:
    """Print which account and region a command is about; it has read the account by now."""
    place = session.place
    progress(f"{style('account'.ljust(10), dim=True)} {place.account}, {place.region}")


def warn_of_code(config: Config, problems: list[Problem], *, strict: bool) -> None:
    """Print what is doubtful about the code, before it is uploaded.

    Raises: ConfigError, for code that the runtime cannot read if `strict`.
    """
    from kappa.packing.build import remarks
    from kappa.packing.check_syntax import refuse
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
    shows_place: bool = False,
) -> None:
    """Plan, apply, and report each step as it ends; with `settled` also what needed no change.

    `strict` is None where no code is packed. With `wait` it ends when Lambda is ready, not when
    Lambda has taken the last change. `shows_place` begins with the account and region.
    """
    from kappa.commands.refused_place import refused_place
    from kappa.function.code import sends_code
    from kappa.plan.apply import apply
    from kappa.plan.step import SETTLED, steps

    session = options.open()
    print_notes(session.config.notes)
    if strict:
        warn_of_code(session.config, session.problems, strict=True)
    reports: list[Report] = []

    def report_step(report: Report) -> None:
        reports.append(report)
        if settled or report.mark not in SETTLED:
            progress(report_line(report))

    planned = plan(session)
    if shows_place:
        print_place(session)
    # Code that AWS has already is not read again: that may take another Python's start.
    if strict is False and sends_code(planned):
        warn_of_code(session.config, session.problems, strict=False)
    place = partial(refused_place, session.config)
    apply(planned, session.aws.call, report_step, wait=wait, place=place)
    if options.json:
        keys = ("mark", "message", "seconds")
        result(as_json([{key: getattr(report, key) for key in keys} for report in reports]))
    elif not reports:
        progress("Nothing to do: the config names no event source.")
    elif not settled and not steps(planned):
        progress("No changes.")
