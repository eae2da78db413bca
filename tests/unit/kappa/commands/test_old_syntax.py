"""Command lines of kappa 0.3 and 0.7: they work, or say which words took their place."""

import click
import pytest
from click.testing import CliRunner

from kappa.commands.main import cli

PROJECT = {
    "kappa.yml": """\
name: greeter
environments:
  dev: {region: us-east-1}
  prod: {region: eu-west-1}
lambda: {handler: simple.handler, runtime: python3.13}
""",
    "other.yml": """\
region: us-west-2
iam: {role: {name: r}}
lambda: {name: other, path: _src, handler: simple.handler, runtime: python3.13}
""",
    "_src/simple.py": "def handler(event, context): ...\n",
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run kappa in a project of kappa 0.7 that has a second config."""
    (tmp_path / "_src").mkdir()
    for name, text in PROJECT.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    def run_words(words, **env):
        return CliRunner(env=env).invoke(cli, words.split(), standalone_mode=False)

    return run_words


@pytest.mark.parametrize(
    ("words", "region"),
    [
        ("validate", "us-east-1"),
        ("--env prod validate", "eu-west-1"),
        ("--no-debug validate --env=prod", "eu-west-1"),
        ("kappa.yml --no-debug validate", "us-east-1"),
        ("--config other.yml validate", "us-west-2"),
        ("--config=other.yml --no-debug validate", "us-west-2"),
    ],
)
def test_a_command_line_of_0_7_works(run, words, region):
    assert f"region: {region}\n" in run(words).stdout


def test_a_config_named_by_the_environment_is_taken_as_in_0_3(run):
    assert "region: us-west-2\n" in run("validate", KAPPA_CONFIG="other.yml").stdout
    assert "region: us-east-1\n" in run("kappa.yml validate", KAPPA_CONFIG="other.yml").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("kappa.yml event_sources list", "kappa kappa.yml event_source_status"),
        ("event_sources disable", "kappa kappa.yml disable_event_sources"),
        ("event-sources enable", "kappa kappa.yml enable_event_sources"),
        ("event_sources", "event_source_status, kappa kappa.yml enable_event_sources"),
        ("--env prod test", "kappa kappa.yml invoke --data _tests/test_one.json --env prod"),
        ("kappa.yml tag live", "kappa kappa.yml deploy --publish --alias live"),
        ("tag --env prod live", "kappa.yml deploy --publish --alias live --env prod"),
        (
            "--region eu-west-1 event_sources list --profile=w",
            "status --region eu-west-1 --profile=w",
        ),
        ("invoke _tests/x.json", "kappa kappa.yml invoke --data _tests/x.json"),
        ("--record-path x deploy", "--debug shows each call"),
        ("--env --record-path", "--debug shows each call"),
        ("completion zsh", "_KAPPA_COMPLETE=zsh_source kappa"),
        ("c.yml completion", "_KAPPA_COMPLETE=bash_source kappa"),
    ],
)
def test_a_word_of_0_7_that_is_gone_says_what_took_its_place(run, words, said):
    error = run(words).exception
    assert isinstance(error, click.UsageError)
    assert said in error.message


def test_without_a_config_of_0_7_one_must_be_named(run, tmp_path):
    (tmp_path / "kappa.yml").unlink()
    assert "neither kappa.yml nor config.yml" in run("deploy").exception.message


def test_a_config_may_be_called_like_a_command(run, tmp_path):
    (tmp_path / "other.yml").rename(tmp_path / "status")
    assert "region: us-west-2\n" in run("status validate").stdout
