"""The only printer: progress to stderr, results to stdout, colour on a terminal only.

Owns how a line looks and how an error ends. NO_COLOR is respected.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from kappa.errors import KappaError

if TYPE_CHECKING:
    from kappa.steps import Report

_COLOURS = {
    "created": "green",
    "attached": "green",
    "updated": "yellow",
    "detached": "red",
    "removed": "red",
    "missing": "magenta",
    "waiting": "cyan",
}


def report_line(report: Report) -> str:
    """Write what became of one step in one line."""
    mark = report.mark.ljust(10)
    colour = _COLOURS.get(report.mark)
    styled = click.style(mark, fg=colour) if colour else click.style(mark, dim=True)
    seconds = click.style(f"  {report.seconds:.1f} s", dim=True) if report.seconds > 0.05 else ""
    return f"{styled} {report.message}{seconds}"


def as_json(value: object) -> str:
    """Write a result for scripts."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def bold(text: str) -> str:
    """Make a text stand out on a terminal."""
    return click.style(text, bold=True)


def _colour() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


def result(text: str) -> None:
    """Print to stdout."""
    click.echo(text, color=_colour())


def progress(text: str) -> None:
    """Print to stderr."""
    click.echo(text, err=True, color=_colour())


def exit_code(run: Callable[[], int | None], debug: bool) -> int:
    """Run a command; turn what goes wrong into one message and an exit code."""
    try:
        return run() or 0
    except click.exceptions.Abort:
        progress("\nInterrupted. What is done stays; the same command completes the rest.")
        return 130
    except BrokenPipeError:
        # Whoever read our output, such as head, has enough; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except KappaError as error:
        if debug:
            traceback.print_exception(error)
        progress(f"{click.style('Error:', fg='red')} {error.message}")
        if error.hint:
            progress(f"  {error.hint}")
        return error.exit_code
