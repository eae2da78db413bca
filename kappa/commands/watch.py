"""The command watch: an update at each save, with the log and the result of an invocation."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from kappa.commands.carry_out import carry_out, print_notes
from kappa.commands.console import (
    Output,
    prefixed,
    print_failure,
    progress,
    report_line,
)
from kappa.commands.group import command
from kappa.commands.invoke import print_answer, run_here
from kappa.commands.options import Options
from kappa.errors import Interrupted, KappaError
from kappa.texts import file_count

if TYPE_CHECKING:
    from kappa.aws import Aws
    from kappa.commands.deploy_plan import Current
    from kappa.commands.log_follower import LogFollower
    from kappa.commands.saved_changes import Changes
    from kappa.commands.session import Session
    from kappa.config.inputs import Inputs
    from kappa.plan.step import Plan

_MAX_NAMES = 3
# So many updates, each with a change while it went on, are a build's doing.
_MAX_IN_A_ROW = 3


@dataclass(frozen=True)
class _Mode:
    """What to do at each save, and whether the user named the place or said yes."""

    invokes: bool = False
    is_local: bool = False
    is_named: bool = False


@command(several=True, together=True)
@click.option("--invoke", is_flag=True, help="Invoke with lambda.test_data after each update.")
@click.option("--local", is_flag=True, help="Run the code here instead, with lambda.test_data.")
@click.option("--yes", "-y", is_flag=True, help="Allow a config with publish or alias.")
def watch(options: Options, invoke: bool, local: bool, yes: bool) -> int:
    """Update the function whenever you save.

    Starts as deploy does, but creates no function, role or policy. When you save a packed file,
    it updates the code; when you save the config, or a file that it names, it deploys again.
    After an error nothing is updated until the next save. It follows the log. Ctrl-C ends it.

    With --local it runs the code here, as invoke --local does, and updates nothing.

    A config with publish or alias needs --env or --yes.

    Example:
      kappa config.yml watch --invoke
      kappa config.yml watch --local
    """
    mode = _Mode(invokes=invoke or local, is_local=local, is_named=yes or bool(options.env))
    watched, code = _open_all(options, mode)
    if code:
        return code
    with ExitStack() as until_end:
        for each in watched:
            until_end.callback(each.stop)
        codes = _update(watched, options.debug)
        if any(codes):
            return max(codes)
        _print_watched(watched)
        while True:
            try:
                due = _await_change(watched)
            except KeyboardInterrupt:
                # Ctrl-C is the normal way to stop watching.
                return 0
            _update(due, options.debug)


def _open_all(options: Options, mode: _Mode) -> tuple[list[_Watched], int]:
    """Read every config, and report what is wrong with each; return the worst exit code too."""
    from kappa.commands.several_configs import names_of, open_each, prefixes_of

    watched, code = open_each(options, lambda own, known: _Watched(own, mode, known))
    if not code and len(watched) > 1:
        names = names_of([each.session.config for each in watched])
        for each, prefix in zip(watched, prefixes_of(names), strict=True):
            each.output = Output(prefix)
    return watched, code


def _attempt(work: Callable[[], object], debug: bool) -> int:
    """Do a part of the work; report what goes wrong with it, and return its exit code."""
    try:
        work()
    except Interrupted:
        raise
    except KappaError as error:
        return print_failure(error, debug)
    return 0


def _print_watched(watched: Sequence[_Watched]) -> None:
    names = ", ".join(each.place for each in watched)
    states = (state for each in watched for state in (each.inputs.settings, each.inputs.code))
    count = len({file for by_file in states for file, state in by_file.items() if state})
    progress(f"Watching {names}: {file_count(count)}. Ctrl-C ends it.")


def _await_change(watched: Sequence[_Watched]) -> list[_Watched]:
    """Wait for a save; return the configs that it changes."""
    from kappa.commands.file_watcher import FileWatcher
    from kappa.commands.saved_changes import PACE
    from kappa.plan.step import Clock

    def sleep(seconds: float) -> None:
        for each in watched:
            each.check()
        time.sleep(seconds)

    watcher = FileWatcher(PACE, Clock(sleep=sleep))
    looks = watcher.await_change([each.inputs for each in watched])
    for each, now in zip(watched, looks, strict=True):
        each.now = now
    return [each for each in watched if each.now != each.inputs]


def _update(due: Sequence[_Watched], debug: bool) -> list[int]:
    """Update each config that is due, in parallel where safe; return the exit codes."""
    from kappa.commands.several_configs import side_by_side

    def run(number: int) -> int:
        with prefixed(due[number].output):
            return _attempt(due[number].update, debug)

    if len(due) < 2:
        # In this thread, so that Ctrl-C interrupts a call at once.
        codes, interrupted = [run(number) for number in range(len(due))], False
    else:
        codes, interrupted = side_by_side([each.session for each in due], run)
    if interrupted:
        raise click.exceptions.Abort
    for each, code in zip(due, codes, strict=True):
        with prefixed(each.output):
            if code == 0:
                _attempt(each.after_update, debug)
    return codes


class _Watched:
    """One config: its session, the files it depends on, and its log."""

    def __init__(self, options: Options, mode: _Mode, known: dict[Any, Aws]) -> None:
        from kappa.config.inputs import Inputs, collecting

        self._options, self._mode, self._known = options, mode, known
        self.output = Output()
        self.inputs = Inputs()
        with collecting(self.inputs):
            self.session = self._open()
        self.now = self.inputs
        # None: everything is to be deployed, not only the code.
        self._current: Current | None = None
        # Of the code that AWS has, and of what was packed last.
        self._sha256 = ""
        self._tried: str | None = None
        self._is_done, self._with_notice = False, True
        self._follower: LogFollower | None = None
        # How many updates in a row had a change while they went on.
        self._in_a_row = 0

    def _open(self) -> Session:
        from kappa.commands.saved_changes import check_live, check_test_data

        session = self._options.open(self._known)
        if not self._mode.is_local:
            check_live(session.config, is_named=self._mode.is_named)
        if self._mode.invokes:
            check_test_data(session.config)
        return session

    @property
    def place(self) -> str:
        """The function, and where it is updated."""
        name = self.session.config.function.name
        return name if self._mode.is_local else f"{name} in {self.session.aws.region}"

    def update(self) -> None:
        """Deploy what has changed.

        Raises: KappaError; what has been saved counts as seen all the same.
        """
        from kappa.commands.saved_changes import after_reading, changes
        from kappa.config.inputs import Inputs, collecting, read_again

        is_first, changed = self.now is self.inputs, changes(self.inputs, self.now)
        whole = self._current is None or bool(changed.settings)
        collected = self.inputs if is_first else Inputs()
        self._is_done = done = False
        self._print_saved((*changed.settings, *changed.code))
        try:
            with collecting(collected):
                if whole and not is_first:
                    self._current = None
                    self.session = self._open()
                self._is_done = self._deploy(changed, collected)
                done = self._is_done or not whole
        finally:
            # A build that failed has changed what it makes: that is no reason to build again.
            now = self.now if done else read_again(self.now)
            self.inputs = after_reading(now, collected, whole=whole, done=done)
            self._forget_what_builds_change()

    def _forget_what_builds_change(self) -> None:
        """End a loop: a build that writes to a file that it reads would run for ever."""
        from kappa.commands.saved_changes import changes
        from kappa.config.inputs import read_again

        if not self.session.config.function.build:
            return
        now = read_again(self.inputs)
        change = changes(self.inputs, now)
        changed = {*change.settings, *change.code}
        self._in_a_row = self._in_a_row + 1 if changed else 0
        if self._in_a_row < _MAX_IN_A_ROW:
            return
        text = f"{self._names(changed)} changed during each of {_MAX_IN_A_ROW} builds in a row"
        hint = "Name what the build reads in lambda.build_inputs."
        print_notes([f"{text}: kappa waits for another save. {hint}"])
        self.inputs, self._in_a_row = now, 0

    def _deploy(self, changed: Changes, collected: Inputs) -> bool:
        """Deploy everything or the code; False if a folder changed, but no file that is packed."""
        from kappa.commands.saved_changes import plan_all, plan_changed_code, with_new_code

        current = self._current
        if current is not None:
            self.session = with_new_code(self.session)
        archive = self.session.zip
        sha256 = archive.sha256 if archive else ""
        if not (changed.settings or changed.code):
            if sha256 == self._tried:
                return False
            self._print_saved(collected.code.keys() ^ self.inputs.code.keys())
        self._tried = sha256
        if self._mode.is_local:
            return True

        def plan(session: Session) -> Plan:
            nonlocal current
            if current is not None:
                return plan_changed_code(session, current, self._sha256)
            planned, current = plan_all(session)
            return planned

        own = replace(self._options, session=self.session, json=False)
        carry_out(own, plan, settled=False, wait=True)
        self._current, self._sha256 = current, sha256
        return True

    def _print_saved(self, paths: Collection[str]) -> None:
        from kappa.plan.step import Report

        gone = {path for path in paths if not os.path.lexists(path)}
        for word, of in (("saved", {*paths} - gone), ("removed", gone)):
            if names := self._names(of):
                progress(report_line(Report(word, names)))

    def _names(self, paths: Collection[str]) -> str:
        """Name files as they are seen from the config, not all of many."""
        folder = self._options.config.parent
        names = sorted(os.path.relpath(path, folder) for path in paths)
        more = len(names) - _MAX_NAMES
        return ", ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")

    def after_update(self) -> None:
        """Follow the log, wherever it is now, and show what the function answers.

        Raises: FunctionFailed, AwsError; CannotRun, Interrupted.
        """
        if self._mode.is_local:
            self._run_here()
            return
        from kappa.commands.log_follower import LogFollower

        place = (self.session.aws, self.session.config.function.log_group)
        if self._follower is None or self._follower.place != place:
            self.stop()
            self._follower = LogFollower(self.session, self.output, as_json=self._options.json)
        self._follower.resume()
        if self._is_done and self._mode.invokes:
            self._invoke()

    def _run_here(self) -> None:
        from kappa.commands.invocation import read_payload
        from kappa.commands.saved_changes import Outdated, outdated_check
        from kappa.plan.step import Clock, Report

        if not self._is_done:
            return
        payload = read_payload(self.session.config, "", sys.stdin.buffer)
        with_notice, self._with_notice = self._with_notice, False
        check = outdated_check(self.inputs, Clock())
        try:
            run_here(self._options, self.session, payload, with_notice=with_notice, check=check)
        except Outdated:
            progress(report_line(Report("stopped", f"{self.place}: a newer save")))

    def _invoke(self) -> None:
        from kappa.commands.invocation import read_payload, send
        from kappa.commands.saved_changes import qualifier

        config, aws = self.session.config, self.session.aws
        payload = read_payload(config, "", sys.stdin.buffer)
        name = config.function.name
        answer = send(aws, name, payload, "RequestResponse", qualifier(config))
        print_answer(self._options, name, answer)

    def check(self) -> None:
        """Raise what ended the following of the log, if it was not an error of AWS."""
        if self._follower is not None:
            self._follower.check()

    def stop(self) -> None:
        """Stop following the log."""
        if self._follower is not None:
            self._follower.stop()
