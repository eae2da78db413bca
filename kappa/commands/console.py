"""The only printer: progress to stderr, results to stdout, colour on a terminal only.

Owns how a line looks and how an error ends. NO_COLOR is respected. Whatever is printed passes
one door, where secrets are replaced by what the config writes, and only the console's own colours
stay: no other text can steer a terminal.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

import click

from kappa.errors import KappaError
from kappa.texts import SHORTEST_SECRET, one_line, safe_json, shown

if TYPE_CHECKING:
    from kappa.plan.step import Report

# Where output goes to takes no more.
_FULL = frozenset({errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC})
_COLOURS = {
    "created": "green",
    "attached": "green",
    "published": "green",
    "adopted": "yellow",
    "restored": "yellow",
    "updated": "yellow",
    "detached": "red",
    "removed": "red",
    "missing": "magenta",
    "stopped": "red",
    "waiting": "cyan",
    "building": "cyan",
    "warning": "yellow",
}
# Part of each escape sequence that style() makes: nobody else's text can hold it.
_OURS = str(int.from_bytes(os.urandom(8)))
_STYLE = re.compile(rf"\x1b\[([0-9;]*);{_OURS}m")


@dataclass(frozen=True)
class Output:
    """Where the output of one of several configs goes: each line begins with its name.

    Results go to `results` where there is such a list, instead of to stdout.
    """

    prefix: str = ""
    results: list[str] | None = None

    def lines(self, text: str) -> str:
        """Put the name before each line."""
        if not self.prefix:
            return text
        return "\n".join(f"{self.prefix}{line}" for line in text.split("\n"))


_PLAIN = Output()
_OUTPUT: ContextVar[Output] = ContextVar("_OUTPUT", default=_PLAIN)
# A line of one thread is not broken by a line of another.
_LOCK = threading.Lock()
# Each secret with what is printed instead: the longest first.
_SECRETS: dict[str, str] = {}


def hide_secret(text: str, words: str) -> None:
    """Print `words` in place of a secret from now on, wherever the very text occurs.

    One of fewer than eight characters is not looked for.
    """
    if len(text) >= SHORTEST_SECRET:
        with _LOCK:
            known = {**_SECRETS, text: words}
            _SECRETS.clear()
            _SECRETS.update(sorted(known.items(), key=lambda item: -len(item[0])))


def without_secrets(text: str) -> str:
    """Write a text as it may be printed."""
    for secret, words in _SECRETS.items():
        text = text.replace(secret, words)
    return text


def _without_secrets_in(value: object) -> object:
    """Write the texts and numbers of a value as they may be printed: JSON stays JSON."""
    if isinstance(value, Mapping):
        return {key: _without_secrets_in(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets_in(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    hidden = without_secrets(str(value))
    return value if hidden == str(value) else hidden


@contextmanager
def prefixed(output: Output) -> Iterator[None]:
    """Send what this thread prints to an output of its own."""
    before = _OUTPUT.set(output)
    try:
        yield
    finally:
        _OUTPUT.reset(before)


def current_output() -> Output:
    """Where this thread prints to."""
    return _OUTPUT.get()


def report_line(report: Report) -> str:
    """Write what became of one step in one line."""
    mark = report.mark.ljust(10)
    colour = _COLOURS.get(report.mark)
    styled = style(mark, fg=colour) if colour else style(mark, dim=True)
    seconds = style(f"  {report.seconds:.1f} s", dim=True) if report.seconds > 0.05 else ""
    return f"{styled} {one_line(report.message)}{seconds}"


def print_report(report: Report) -> None:
    """Print what becomes of one step."""
    progress(report_line(report))


def as_json(value: object, *, indent: int | None = 2) -> str:
    """Write a result for scripts: all of the data, and nothing that steers a terminal."""
    hidden = _without_secrets_in(value) if _SECRETS else value
    return safe_json(json.dumps(hidden, indent=indent, ensure_ascii=False, default=str))


def style(text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
    """Colour a text where it is printed on a terminal."""
    before, after = click.style("\0", fg=fg, bold=bold or None, dim=dim or None).split("\0")
    return f"{_own(before)}{text}{_own(after)}"


def _own(codes: str) -> str:
    return codes.replace("m", f";{_OURS}m")


def bold(text: str) -> str:
    """Make a text stand out on a terminal."""
    return style(text, bold=True)


def coloured(sign: str, text: str) -> str:
    """Colour a line of a diff by its sign."""
    colour = {"+": "green", "-": "red", "~": "yellow"}.get(sign)
    return style(text, fg=colour) if colour else text


def _safe(text: str) -> str:
    """The door: keep the colours that style() made, and write all else as shown() does."""
    parts = enumerate(_STYLE.split(text))
    return "".join(f"\x1b[{part}m" if number % 2 else shown(part) for number, part in parts)


def _colour() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


def width() -> int | None:
    """How long a line may be: a terminal's width less the config's name, or any without one."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns - len(click.unstyle(_OUTPUT.get().prefix))


def result(text: str) -> None:
    """Print to stdout."""
    output = _OUTPUT.get()
    if output.results is not None:
        output.results.append(text)
        return
    with _LOCK:
        click.echo(_safe(output.lines(without_secrets(text))), color=_colour())


def progress(text: str) -> None:
    """Print to stderr."""
    with _LOCK:
        hidden = without_secrets(text)
        click.echo(_safe(_OUTPUT.get().lines(hidden)), err=True, color=_colour())


def exit_code(run: Callable[[], int | None], debug: bool) -> int:
    """Run a command; turn what goes wrong into one message and an exit code."""
    try:
        return run() or 0
    except click.exceptions.Abort:
        progress("\nInterrupted. Completed changes stay; run the same command again to finish.")
        return 130
    except BrokenPipeError:
        # Whoever read our output, such as head, has enough; Python would complain at exit.
        _silence(sys.stdout)
        return 1
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        _silence(sys.stdout)
        with suppress(OSError):
            print_error(f"The output cannot be written: {error.strerror}.")
        _silence(sys.stderr)
        return 1
    except click.ClickException as error:
        _print_usage(error)
        return error.exit_code
    except KappaError as error:
        return print_failure(error, debug)


def _silence(stream: TextIO) -> None:
    """Let what is still to be written go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_failure(error: KappaError, debug: bool) -> int:
    """Print an error, with --debug where it came from too; return its exit code."""
    if debug:
        print_traceback(error)
    print_error(error.message, error.hint)
    return error.exit_code


def print_error(message: str, hint: str = "") -> None:
    """Print what went wrong, then what to do about it."""
    progress(f"{style('Error:', fg='red')} {message}")
    if hint:
        progress(f"  {hint}")


def print_traceback(error: BaseException) -> None:
    """Print where an exception came from."""
    import traceback

    progress("".join(traceback.format_exception(error)).rstrip("\n"))


def _print_usage(error: click.ClickException) -> None:
    """Print what click shows of an error, with our own line at its end."""
    text = io.StringIO()
    error.show(text)
    message = error.format_message()
    usage = text.getvalue().rstrip("\n").removesuffix(f"Error: {message}").rstrip("\n")
    if usage:
        progress(usage)
    if usage != message:  # without any argument, the help is the message
        print_error(message)
