"""How a function's process begins and ends."""

import os
import subprocess
import sys

import pytest

from kappa.local_run import process
from kappa.local_run.process import Process, peak_kb, used_kb
from tests.support.waiting import wait_for


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
        Process(["/no/such"], tmp_path, os.environ, tmp_path / "other", "mark", print, print)
    wait_for(lambda: not temporary.exists() and not (tmp_path / "other").exists(), 10)


def test_whoever_waits_for_a_closed_process_may_still_ask_for_its_log(tmp_path):
    ended = Process(
        ["/bin/true"], tmp_path, os.environ, tmp_path / "temporary", "mark", print, print
    )
    ended.close()
    ended.drain()


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
HOG = "x = b'x' * 60_000_000; print(flush=True); input()"
FORK = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {HOG!r}])"


def used_by(code, limit_kb=10**9):
    command = [sys.executable, "-S", "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        running.stdout.readline()
        measured = used_kb(running.pid, limit_kb), peak_kb(running.pid)
        running.communicate(b"\n")
        return measured


@linux
def test_what_is_used_is_measured():
    used, peak = used_by(HOG)
    assert 60_000 < used <= peak < 120_000


@linux
def test_processes_below_count_too():
    used, peak = used_by(FORK)
    assert used > 60_000 > peak


@linux
def test_over_the_limit_shared_memory_is_divided():
    assert 55_000 < used_by(FORK, limit_kb=1)[0] < used_by(FORK)[0]


@linux
def test_a_process_that_has_ended_uses_nothing():
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert (used_kb(ended.pid, 1), peak_kb(ended.pid)) == (0, 0)
    assert peak_kb(os.getpid()) > 0


@linux
def test_without_proc_ps_measures_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "_PROC", tmp_path)
    assert peak_kb(os.getpid()) > 10_000
    assert used_kb(os.getpid(), 1) == 0
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peak_kb(os.getpid()) == 0
