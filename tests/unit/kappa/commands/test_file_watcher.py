"""When a save is complete, and how often files are looked at."""

import shutil
from types import SimpleNamespace

import pytest

from kappa.commands.file_watcher import FileWatcher
from kappa.commands.saved_changes import PACE, changes
from kappa.config.inputs import Inputs
from kappa.plan.step import Clock
from tests.support.kappa.watched_files import in_place, looked, write_project


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path)


def acting(*acts, look_s=0.0):
    """A clock whose n-th sleep does the n-th act; each sleep is recorded, a look takes `look_s`."""
    now, slept, rest = SimpleNamespace(s=0.0), [], list(acts)

    def sleep(seconds):
        slept.append(seconds)
        now.s += seconds
        if rest:
            rest.pop(0)()

    def passing():
        now.s += look_s
        return now.s

    return Clock(now=passing, sleep=sleep), slept


def nothing():
    """Change nothing."""


def test_files_that_are_saved_together_are_one_change(project):
    inputs, code = looked(project), project / "code"
    clock, slept = acting(
        nothing,
        lambda: in_place(code / "greeter.py"),
        lambda: in_place(code / "words.py"),
        lambda: in_place(project / "config.yml"),
        nothing,
    )
    (now,) = FileWatcher(PACE, clock).await_change([inputs])
    found = changes(inputs, now)
    assert len(found.code) == 2
    assert len(found.settings) == 1
    assert len(slept) == 5


def test_a_file_that_comes_back_within_the_quiet_time_was_never_gone(project):
    inputs, file = looked(project), project / "code" / "greeter.py"
    aside = project / "aside"
    clock, _ = acting(lambda: shutil.move(file, aside), lambda: in_place(aside), nothing)
    now = FileWatcher(PACE, clock).await_change([inputs])
    assert changes(inputs, now[0]).code == (str(file),)
    shutil.move(aside, file)
    clock, _ = acting(nothing)
    assert FileWatcher(PACE, clock).await_change(now)[0].code[str(file)] is not None


def test_a_file_that_is_never_still_is_not_waited_for(project):
    inputs, count = looked(project), iter(range(10_000))

    def write():
        (project / "code" / "words.py").write_text("x" * next(count))

    clock, slept = acting(*[write] * 10_000)
    assert FileWatcher(PACE, clock).await_change([inputs]) != [inputs]
    assert 1 < sum(slept) < 4


def test_many_files_are_looked_at_less_often(project):
    inputs = looked(project)
    clock, slept = acting(lambda: in_place(project / "config.yml"), look_s=0.5)
    FileWatcher(PACE, clock).await_change([inputs])
    assert slept[0] >= 5 > PACE.pause_s


def test_only_the_config_whose_file_changed_differs(project):
    own, other = looked(project), Inputs()
    clock, _ = acting(lambda: in_place(project / "config.yml"))
    now = FileWatcher(PACE, clock).await_change([other, own])
    assert [each != before for each, before in zip(now, [other, own], strict=True)] == [False, True]
