"""One command for several configs: in parallel where safe, with one report.

Progress is printed as it happens, each line with its function's name; results follow in the order
of the configs. Owns what may run side by side: functions that share a role, a policy or a
bucket (whose notifications are one document) go one after another. Every config is read before
AWS is asked.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from typing import Any, TypeVar

import click

from kappa.aws import Aws
from kappa.commands.console import (
    Output,
    as_json,
    exit_code,
    prefixed,
    print_traceback,
    progress,
    result,
    style,
)
from kappa.commands.options import Options
from kappa.commands.session import Session
from kappa.config.model import Config

MAX_AT_ONCE = 8
# From well to ill: nothing to do, something differs, failed, wrong config, interrupted.
_SEVERITY = (0, 3, 1, 2, 130)
_PREFIX_COLOURS = ("cyan", "magenta", "blue", "yellow", "green")


@dataclass(frozen=True)
class Outcome:
    """What became of one config."""

    number: int
    name: str
    config: Config
    code: int
    seconds: float
    output: Output


Command = Callable[..., int | None]
Result = TypeVar("Result")


def run_each(
    options: Options, command: Command, given: dict[str, Any], *, packs: bool = False
) -> int:
    """Run a command for each config; the exit code is the worst one.

    Each config gets its last line, whatever happens to it or to another one. With `packs`, all of
    them are packed first.
    """

    def open_one(own: Options, known: dict[Any, Aws]) -> Session:
        session = own.open(known)
        if packs:
            _ = session.document, session.checked_zip
        return session

    sessions, code = open_each(options, open_one)
    if code:
        return code
    names = names_of([session.config for session in sessions])
    prefixes = prefixes_of(names)

    def run(number: int) -> Outcome:
        name, session = names[number], sessions[number]
        own = replace(options, config=session.config.file, session=session)
        output = Output(prefixes[number], [])
        started = time.monotonic()
        with prefixed(output):
            code = _code(partial(command, own, **given), options.debug)
        seconds = time.monotonic() - started
        return Outcome(number, name, session.config, code, seconds, output)

    outcomes, interrupted = side_by_side(sessions, run)
    width = max(len(name) for name in names)
    _report(outcomes, width, options.json)
    for number in sorted(set(range(len(names))) - {outcome.number for outcome in outcomes}):
        progress(f"{names[number].ljust(width)}   not begun")
    if interrupted:
        raise click.exceptions.Abort
    return max((outcome.code for outcome in outcomes), key=_severity)


def _code(run: Callable[[], int | None], debug: bool) -> int:
    """Run a command for one config. A bug in it ends that config only, and is shown whole."""
    try:
        return exit_code(run, debug)
    except Exception as error:  # noqa: BLE001 - reported again, and the other configs go on
        print_traceback(error)
        return 1


def open_each(
    options: Options, open_one: Callable[[Options, dict[Any, Aws]], Result]
) -> tuple[list[Result], int]:
    """Open every config, and report what is wrong with each; return the worst exit code too.

    `open_one` gets the options of one config, and the clients that all configs share.
    """
    known: dict[Any, Aws] = {}
    opened: list[Result] = []

    def add(own: Options) -> None:
        opened.append(open_one(own, known))

    codes = [
        _code(partial(add, replace(options, config=file)), options.debug)
        for file in options.configs
    ]
    return opened, max(codes, key=_severity)


def names_of(configs: Sequence[Config]) -> list[str]:
    """Name each config by its function, or by its file if two functions have one name."""
    names = [config.function.name for config in configs]
    twice = len(set(names)) < len(names)
    return [str(config.file) for config in configs] if twice else names


def prefixes_of(names: Sequence[str]) -> list[str]:
    """What the lines of each config begin with."""
    width = max(len(name) for name in names)
    colours = cycle(_PREFIX_COLOURS)
    return [f"{style(name.ljust(width), fg=next(colours))} | " for name in names]


def side_by_side(
    sessions: Sequence[Session], run: Callable[[int], Result]
) -> tuple[list[Result], bool]:
    """Run each config; after Ctrl-C, only end what has begun, and report that it was pressed."""
    groups = apart([session.config for session in sessions])
    done: dict[int, Result] = {}
    ended: dict[int, threading.Event] = {}
    lock, interrupted = threading.Lock(), False

    def run_group(first: int, group: list[int]) -> None:
        with lock:
            if interrupted:
                return
            ended[first] = threading.Event()
        try:
            for number in group:
                done[number] = run(number)
        finally:
            ended[first].set()

    pool = ThreadPoolExecutor(min(MAX_AT_ONCE, len(groups)))
    try:
        running = [pool.submit(run_group, group[0], group) for group in groups]
        for future in running:
            future.result()
    except KeyboardInterrupt:
        with lock:
            interrupted = True
        for session in sessions:
            session.aws.stop()
        # Not the pool's own waiting: it forgets a thread that Ctrl-C met while it began.
        for event in ended.values():
            event.wait()
    pool.shutdown(cancel_futures=True)
    return [done[number] for number in sorted(done)], interrupted


def apart(configs: Sequence[Config]) -> list[list[int]]:
    """Group the configs, by number, that must run one after another."""
    groups: list[tuple[set[Hashable], list[int]]] = []
    for number, config in enumerate(configs):
        shared, members = _shared(config), [number]
        for group in [group for group in groups if group[0] & shared]:
            groups.remove(group)
            shared |= group[0]
            members = [*group[1], *members]
        groups.append((shared, sorted(members)))
    return sorted(members for _, members in groups)


def _shared(config: Config) -> set[Hashable]:
    """What two functions cannot change at the same time, whatever the account."""
    policy = config.policy.name or config.policy.arn if config.policy else ""
    sources = config.function.event_sources
    return {
        ("function", config.function.name),
        *([("role", config.role.name)] if config.role.name else []),
        *([("policy", policy)] if config.policy and config.policy.document else []),
        *(("bucket", source.arn) for source in sources if source.service == "s3"),
    }


def _severity(code: int) -> int:
    return _SEVERITY.index(code) if code in _SEVERITY else _SEVERITY.index(1)


def _report(outcomes: list[Outcome], width: int, wants_json: bool) -> None:
    if wants_json:
        result(as_json([_data(outcome) for outcome in outcomes]))
        return
    for outcome in outcomes:
        for text in outcome.output.results or ():
            result(outcome.output.lines(text))
    words = {0: ("done", "green"), 3: ("differs", "yellow")}
    for outcome in outcomes:
        word, colour = words.get(outcome.code, ("failed", "red"))
        seconds = style(f"{outcome.seconds:.1f} s", dim=True)
        progress(f"{outcome.name.ljust(width)}   {style(word.ljust(8), fg=colour)} {seconds}")


def _data(outcome: Outcome) -> dict[str, Any]:
    results = [json.loads(text) for text in outcome.output.results or ()]
    return {
        "config": outcome.config.file,
        "function": outcome.config.function.name,
        "exit_code": outcome.code,
        "result": results[0] if len(results) == 1 else results or None,
    }
