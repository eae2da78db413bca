"""How much memory processes use."""

import os
import subprocess
import sys

import pytest

from kappa.local_run import memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
HOG = "x = b'x' * 60_000_000; print(flush=True); input()"
FORK = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {HOG!r}])"


def used_by(code, limit_kb=10**9):
    command = [sys.executable, "-S", "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        measured = memory.used_kb(process.pid, limit_kb), memory.peak_kb(process.pid)
        process.communicate(b"\n")
        return measured


def test_what_is_used_is_measured():
    used_kb, peak_kb = used_by(HOG)
    assert 60_000 < used_kb <= peak_kb < 120_000


def test_processes_below_count_too():
    used_kb, peak_kb = used_by(FORK)
    assert used_kb > 60_000 > peak_kb


def test_over_the_limit_shared_memory_is_divided():
    assert 55_000 < used_by(FORK, limit_kb=1)[0] < used_by(FORK)[0]


def test_a_process_that_has_ended_uses_nothing():
    process = subprocess.Popen(["true"])
    process.wait()
    assert (memory.used_kb(process.pid, 1), memory.peak_kb(process.pid)) == (0, 0)
    assert memory.peak_kb(os.getpid()) > 0


def test_without_proc_ps_measures_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_PROC", tmp_path)
    assert memory.peak_kb(os.getpid()) > 10_000
    assert memory.used_kb(os.getpid(), 1) == 0
    monkeypatch.setenv("PATH", str(tmp_path))
    assert memory.peak_kb(os.getpid()) == 0
