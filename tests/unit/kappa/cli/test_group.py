"""How a command is found in argv."""

import click
import pytest

from kappa.cli.main import cli
from tests.support.kappa.shell import run, shell

COMMANDS = [
    "add_event_sources",
    "create",
    "delete",
    "dryrun",
    "invoke",
    "invoke_async",
    "status",
    "tail",
    "update_code",
    "update_event_sources",
]


def test_the_commands_of_kappa_0_3_are_there():
    assert set(COMMANDS) <= set(cli.list_commands(None))


@pytest.mark.parametrize("name", [*COMMANDS, "update-code", "add-event-sources"])
def test_a_command_is_found_with_either_dash_and_has_help(name):
    done = run("config.yml", name, "--help")
    assert "Example:" in done.output


def test_help_of_a_command_needs_no_config():
    assert "Usage: kappa CONFIG create" in shell("create", "--help").stdout


def test_a_command_without_its_config_says_what_comes_first():
    assert "The config file comes first: kappa config.yml create" in shell("create").stderr


@pytest.mark.parametrize(
    "options",
    [
        "--env prod",
        "--env=prod",
        "--env",
        "--region us-east-1",
        "--profile p",
        "--debug",
        "--json --debug",
    ],
)
def test_options_without_a_command_say_that_it_is_missing(options):
    error = run("config.yml", *options.split()).exception
    assert isinstance(error, click.UsageError)
    assert error.message == "Missing command."


def test_an_unknown_command_is_named_after_options_too():
    error = run("config.yml", "--env", "prod", "--debug", "delpoy").exception
    assert isinstance(error, click.UsageError)
    assert error.message == "No such command 'delpoy'. Did you mean 'deploy'?"


def test_an_option_may_stand_between_config_and_command(tmp_path):
    done = run(str(tmp_path / "config.yml"), "--env", "prod", "validate")
    assert "config.yml" in str(done.exception)
    assert not isinstance(done.exception, click.UsageError)
