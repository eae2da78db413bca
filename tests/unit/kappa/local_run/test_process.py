"""How a function's process begins and ends."""

import os
import subprocess

import pytest

from kappa.local_run import process
from kappa.local_run.process import Process
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
