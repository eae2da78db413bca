"""The emulator as a child process: its port, its end, and nothing left behind."""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import local.emulator
from kappa.errors import KappaError
from local import bootstrap
from tests.support.aws.processes import free_port, listening


def test_an_emulator_leaves_no_process_and_no_folder():
    with local.emulator.running() as running:
        folder = running.folder
        assert (folder / "emulator.log").exists()
    assert not folder.exists()
    assert not listening(running.port)


def test_the_default_port_gives_way_and_a_chosen_one_does_not():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(local.emulator.PortInUse), local.emulator.running(port):
            pass
        with local.emulator.running(port, or_another=True) as running:
            assert running.port != port
            assert local.emulator._status(running) == 200


def test_two_that_start_at_once_never_share_a_port():
    port = free_port()
    script = (
        "import local.emulator as e, sys\n"
        "with e.running(int(sys.argv[1]), or_another=True) as r:\n"
        "    print(r.port, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(port)]
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    command,
                    cwd=bootstrap.ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(3)
        ]
        ports = [int(one.stdout.readline()) for one in started]
        for one in started:
            one.stdin.close()
    assert port in ports
    assert len(set(ports)) == 3
    assert [one.returncode for one in started] == [0, 0, 0]


def test_a_killed_parent_takes_the_emulator_with_it():
    script = (
        "import local.emulator as e, time\n"
        "with e.running() as r:\n"
        "    print(r.port, r.folder, flush=True)\n"
        "    time.sleep(300)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=bootstrap.ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with parent:
        port, folder = parent.stdout.readline().split()
        parent.kill()
    ends = time.monotonic() + 60
    while listening(int(port)) or Path(folder).exists():
        assert time.monotonic() < ends, "the emulator outlives its parent"
        time.sleep(0.05)


def test_a_gate_that_does_not_work_stops_the_start(monkeypatch):
    monkeypatch.setattr(local.emulator, "_status", lambda *_: 200)
    with pytest.raises(KappaError, match="The gate"), local.emulator.running():
        pass


def test_a_stopped_parent_takes_the_emulator_with_it():
    script = (
        "import local.__main__ as m, local.emulator as e, signal, sys\n"
        "signal.signal(signal.SIGTERM, m._interrupt)\n"
        "with e.running() as r:\n"
        "    print(r.port, r.folder, flush=True)\n"
        "    signal.pause()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=bootstrap.ROOT, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with parent:
        port, folder = parent.stdout.readline().split()
        parent.terminate()
        parent.wait(30)
    assert not listening(int(port))
    assert not Path(folder).exists()
