"""Finding what a function has started."""

import os
import signal
import subprocess
import sys

import pytest

from kappa.local_run import process
from kappa.local_run.process import Process


@pytest.fixture
def proc(tmp_path, monkeypatch):
    """A /proc, whose processes are made by what is returned."""
    monkeypatch.setattr(process, "_PROC", tmp_path / "proc")

    def add(pid, environment, started=1, program="/bin/sh"):
        folder = tmp_path / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "environ").write_bytes(environment)
        (folder / "stat").write_text(f"{pid} (a) b) S {'0 ' * 18}{started} 0\n")
        if program:
            (folder / "exe").symlink_to(program)
        return folder

    return add


def test_a_process_with_the_mark_is_found(proc):
    proc(42, b"A=1\0B=mark\0")
    proc(43, b"A=1\0")
    assert process._marked("mark", 1) == ([42], True)


def test_an_ended_one_and_one_from_before_without_an_environment_do_not_count(proc):
    proc(42, b"", program="")
    proc(43, b"", started=1)
    assert process._marked("mark", 2) == ([], True)


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
def test_a_process_that_is_just_starting_is_ended_too(proc, tmp_path, monkeypatch):
    killed = []
    folder = proc(4242, b"", started=10)

    def kill(pid, number):
        if pid != 4242:
            return
        killed.append((pid, number))
        (folder / "environ").write_bytes(b"")
        (folder / "exe").unlink()

    running = Process(
        ["/bin/true"], tmp_path, os.environ, tmp_path / "temporary", "mark", print, print
    )
    monkeypatch.setattr(process.os, "kill", kill)
    monkeypatch.setattr(
        process.time, "sleep", lambda _: (folder / "environ").write_bytes(b"A=mark\0")
    )
    running.close()
    assert killed == [(4242, signal.SIGKILL)]


def test_the_temporary_folder_is_made_once_the_guard_can_remove_it(tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    start, existed = subprocess.Popen, []

    def recorded(*given, **more):
        existed.append(temporary.exists())
        return start(*given, **more)

    monkeypatch.setattr(process.subprocess, "Popen", recorded)
    Process(["/bin/true"], tmp_path, os.environ, temporary, "mark", print, print).close()
    assert existed == [False, True]
    with pytest.raises(FileNotFoundError):
        Process(["/no/such"], tmp_path, os.environ, temporary, "mark", print, print)
    assert not temporary.exists()


def test_whoever_waits_for_a_closed_process_may_still_ask_for_its_log(tmp_path):
    ended = Process(
        ["/bin/true"], tmp_path, os.environ, tmp_path / "temporary", "mark", print, print
    )
    ended.close()
    ended.drain()
