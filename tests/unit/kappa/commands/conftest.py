"""A project on disk, and kappa run on it without AWS."""

import pytest
from click.testing import CliRunner

from kappa.commands.main import cli


@pytest.fixture
def run(tmp_path):
    """Run kappa on the config of a new project, or on others in its folder."""

    def run_command(*args, configs=("config.yml",)):
        files = [str(tmp_path / name) for name in configs]
        return CliRunner().invoke(cli, [*files, *args], standalone_mode=False)

    made = run_command("init", "greeter")
    assert made.exception is None
    return run_command


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with config files, and with others that no shell should be offered."""
    for name in ("config.yml", "lambda/sns/config.yml", "lambda/sqs/config.yaml", "lambda/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in (".git/x.yml", "node_modules/x.yml", "a/b/c/d/deep.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path
