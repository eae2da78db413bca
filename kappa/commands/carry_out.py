"""Carry out a plan for a command: plan, apply, report each step; warn of doubtful code first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from kappa.commands.console import as_json, progress, report_line, result, style
from kappa.commands.options import Options

if TYPE_CHECKING:
    from kappa.commands.session import Session
    from kappa.plan.step import Plan, Report


def print_notes(notes: Iterable[str]) -> None:
    """Print what in a config has no effect."""
    for note in notes:
        progress(f"{style('note'.ljust(10), dim=True)} {note}")


def print_place(session: Session) -> None:
    """Print which account and region a command is about; it has read the account by now."""
    place = session.place
    progress(f"{style('account'.ljust(10), dim=True)} {place.account}, {place.region}")


def carry_out(
    options: Options,
    plan: Callable[[Session], Plan],
    *,
    settled: bool = True,
    wait: bool = False,
    shows_place: bool = False,
) -> None:
    """Plan, apply, and report each step as it ends; with `settled` also what needed no change.

    With `wait` it ends when Lambda is ready, not when Lambda has taken the last change.
    `shows_place` begins with the account and region.
    """
    from kappa.commands.refused_place import refused_place
    from kappa.plan.apply import apply
    from kappa.plan.step import SETTLED, steps

    session = options.open()
    print_notes(session.config.notes)
    reports: list[Report] = []

    def report_step(report: Report) -> None:
        reports.append(report)
        if settled or report.mark not in SETTLED:
            progress(report_line(report))

    planned = plan(session)
    if shows_place:
        print_place(session)
    place = partial(refused_place, session.config)
    apply(planned, session.aws.call, report_step, wait=wait, place=place)
    if options.json:
        keys = ("mark", "message", "seconds")
        result(as_json([{key: getattr(report, key) for key in keys} for report in reports]))
    elif not reports:
        progress("Nothing to do: the config names no event source.")
    elif not settled and not steps(planned):
        progress("No changes.")
