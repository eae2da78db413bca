"""How a command is found in argv."""

import click
import pytest

from kappa.commands.main import cli
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
    assert "Usage: kappa [CONFIG]... create" in shell("create", "--help").stdout


CONFIG = "region: {}\nlambda: {{name: f, path: ., handler: a.b, runtime: python3.13}}\n"


@pytest.mark.parametrize("name", ["kappa.yml", "config.yml"])
def test_the_config_of_this_folder_needs_no_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("def b(event, context): pass\n")
    (tmp_path / name).write_text(CONFIG.format("eu-west-1"))
    assert "region: eu-west-1\n" in run("validate").stdout


def test_a_folder_with_both_names_needs_to_be_told_which(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("kappa.yml", "config.yml"):
        (tmp_path / name).write_text(CONFIG.format("eu-west-1"))
    error = run("status").exception
    assert error.message == (
        "This folder has kappa.yml and config.yml: "
        "run `kappa kappa.yml status` or `kappa config.yml status`."
    )


def test_a_folder_without_a_config_leads_to_init(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("deploy").exception.message.endswith("or write one with `kappa init`.")
    assert run("init", "greeter").exception is None
    assert run("validate").exception is None
    assert "kappa.yml already exists" in run("init").exception.message


def test_the_commands_of_kappa_0_3_have_a_heading_of_their_own():
    last = run("--help").stdout.split("\n\n")[-1].splitlines()
    assert last[0].startswith("Commands of kappa 0.3")
    assert [line.split()[0] for line in last[1:]] == [
        "create",
        "update_code",
        "add_event_sources",
        "update_event_sources",
        "tail",
    ]


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
