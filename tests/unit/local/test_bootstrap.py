import os
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
    monkeypatch.setenv("LAMBDA_CHAT_URL", "https://production.example")
    monkeypatch.setenv("LAMBDA_CHAT_CHROMIUM", "/opt/chromium")
    aws = local.emulator.Emulator(4999, Path("/nowhere"))
    identity = google.Identity("http://127.0.0.1:1", "id", None)
    env = bootstrap._environment(aws, identity, Path("/nowhere/config.yml"))
    assert env["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4999"
    assert "AWS_PROFILE" not in env
    assert "AWS_SESSION_TOKEN" not in env
    assert env["LAMBDA_CHAT_URL"].startswith("http://127.0.0.1:4999/")
    # a browser's path only, which tests under `local run` need
    assert env["LAMBDA_CHAT_CHROMIUM"] == "/opt/chromium"
