import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import local.emulator
from kappa.errors import KappaError
from local import bootstrap, google


def test_a_failing_step_shows_its_command_and_its_output():
    said = []
    with pytest.raises(KappaError) as caught:
        bootstrap._run("lambda", "sh -c 'echo it broke; exit 3'", dict(os.environ), said.append)
    assert "cd lambda && sh -c" in str(caught.value)
    assert "exit code 3:\nit broke" in str(caught.value)
    assert said == []


@pytest.mark.parametrize("signals", [["SIGTERM"], ["SIGINT", "SIGINT"]])
def test_a_command_that_does_not_listen_ends_with_all_that_it_started(signals):
    command = ["sh", "-c", "trap '' INT; sleep 311 & echo $!; wait; wait"]
    script = (
        "import signal, sys, types\n"
        "import local.__main__ as m\n"
        "from local.bootstrap import run_command\n"
        "for n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, m._interrupt)\n"
        f"run_command({command!r}, types.SimpleNamespace(env=None))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=bootstrap.ROOT, stdout=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with parent:
        grandchild = int(parent.stdout.readline())
        for name in signals:
            parent.send_signal(getattr(signal, name))
        parent.wait(30)
    deadline = time.monotonic() + 10  # a killed process needs a moment to be gone
    while _alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(grandchild)


def _alive(pid):
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()[:1] not in ("", "Z")


def test_the_environment_leads_away_from_the_users_own_account(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "x")
    aws = local.emulator.Emulator(4999, Path("/nowhere"))
    identity = google.Identity("http://127.0.0.1:1", "id", None)
    env = bootstrap._environment(aws, identity, Path("/nowhere/config.yml"))
    assert env["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4999"
    assert "AWS_PROFILE" not in env
    assert "AWS_SESSION_TOKEN" not in env


def test_an_emulator_leaves_no_process_and_no_folder():
    with local.emulator.running() as running:
        folder = running.folder
        assert (folder / "emulator.log").exists()
    assert not folder.exists()
    assert not local.emulator._listening(running.port)


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
    assert not local.emulator._listening(int(port))
    assert not Path(folder).exists()
