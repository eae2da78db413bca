"""What a shell completes, asked as a shell asks."""

import os
import subprocess
import sys

import pytest


def offered(words, place=None):
    """What bash is offered for words, the last of which is not complete."""
    env = {
        **os.environ,
        "_KAPPA_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(place or len(words) - 1),
    }
    code = (
        "import sys; sys.argv = ['kappa']\n"
        "from kappa.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'boto3', 'botocore', 'yaml', 'msgspec'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    return [line.partition(",")[2] for line in run.stdout.splitlines()]


def test_the_first_word_is_a_config(project):
    assert "lambda/sns/config.yml" in offered(["kappa", ""])


def test_after_a_config_come_commands(project):
    assert offered(["kappa", "config.yml", "inv"]) == ["invoke", "invoke_async"]


def test_after_several_configs_come_commands_too(project):
    assert offered(["kappa", "a.yml", "b.yml", "inv"]) == ["invoke", "invoke_async"]
    assert "deploy" in offered(["kappa", "--env", "prod", "a.yml", "b.yml", ""])


def test_after_a_config_come_further_configs(project):
    assert offered(["kappa", "config.yml", "lambda/s"]) == [
        "lambda/sns/config.yml",
        "lambda/sqs/config.yaml",
    ]


def test_after_several_configs_a_command_has_its_options():
    assert offered(["kappa", "a.yml", "b.yml", "deploy", "--dr"]) == ["--dry-run"]


def test_after_a_command_come_its_options():
    assert offered(["kappa", "config.yml", "logs", "--f"]) == ["--follow", "--filter"]


@pytest.mark.parametrize(
    "words", ["config.yml --env prod", "config.yml --debug", "completion", "--record-path"]
)
def test_words_that_are_no_command_line_are_no_error_while_they_are_completed(project, words):
    assert "lambda/sns/config.yml" in offered(["kappa", *words.split(), ""])


def script(shell):
    env = {**os.environ, "_KAPPA_COMPLETE": f"{shell}_source"}
    command = [sys.executable, "-m", "kappa"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_needs_no_config(shell):
    assert f"_KAPPA_COMPLETE={shell}_complete" in script(shell)


def test_bash_takes_the_script():
    subprocess.run(["bash", "-n"], input=script("bash"), text=True, check=True)
