import os
import subprocess
import sys
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
