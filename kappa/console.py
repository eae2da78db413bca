"""The only printer: progress to stderr, results to stdout, colour on a terminal only.

Owns how a line looks and how an error ends. NO_COLOR is respected.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from kappa.errors import KappaError

if TYPE_CHECKING:
    from kappa.steps import Report

Item = TypeVar("Item")
_COLOURS = {
    "created": "green",
    "attached": "green",
    "published": "green",
    "updated": "yellow",
    "detached": "red",
    "removed": "red",
    "missing": "magenta",
    "stopped": "red",
    "waiting": "cyan",
    "warning": "yellow",
}


@dataclass(frozen=True)
class Voice:
    """How one of several configs at work is heard: each line begins with its name.

    Results go to `results` where there is such a list, instead of to stdout.
    """

    prefix: str = ""
    results: list[str] | None = None

    def lines(self, text: str) -> str:
        """Put the name before each line."""
        if not self.prefix:
            return text
        return "\n".join(f"{self.prefix}{line}" for line in text.split("\n"))


_ALONE = Voice()
_VOICE: ContextVar[Voice] = ContextVar("_VOICE", default=_ALONE)
# A line of one thread is not broken by a line of another.
_LOCK = threading.Lock()


@contextmanager
def speaking(voice: Voice) -> Iterator[None]:
    """Let what this thread prints be heard in a voice of its own."""
    before = _VOICE.set(voice)
    try:
        yield
    finally:
        _VOICE.reset(before)


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


def coloured(sign: str, text: str) -> str:
    """Colour a line of a diff by its sign."""
    colour = {"+": "green", "-": "red", "~": "yellow"}.get(sign)
    return click.style(text, fg=colour) if colour else text


def printable(text: str) -> str:
    """Take the power over a terminal out of what a function logged."""
    # Some runtimes end the lines of a traceback so, to keep it in one event.
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        char if char.isprintable() or char in "\t\n" else f"\\x{ord(char):02x}" for char in lines
    )


def _colour() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


def width() -> int | None:
    """How long a line may be: a terminal's width, or any, where there is none."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def result(text: str) -> None:
    """Print to stdout."""
    voice = _VOICE.get()
    if voice.results is not None:
        voice.results.append(text)
        return
    with _LOCK:
        click.echo(voice.lines(text), color=_colour())


def progress(text: str) -> None:
    """Print to stderr."""
    with _LOCK:
        click.echo(_VOICE.get().lines(text), err=True, color=_colour())


def counted(items: Iterable[Item], total: int) -> list[Item]:
    """Collect what comes one by one; on a terminal, show how far it is."""
    if not sys.stderr.isatty():
        return list(items)
    with click.progressbar(items, length=total, file=sys.stderr, color=_colour()) as bar:
        return list(bar)


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
            import traceback

            traceback.print_exception(error)
        progress(f"{click.style('Error:', fg='red')} {error.message}")
        if error.hint:
            progress(f"  {error.hint}")
        return error.exit_code
