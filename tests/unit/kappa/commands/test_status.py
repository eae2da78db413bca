"""How a status is printed: status and event_source_status show a source alike."""

import click
import pytest
from click.testing import CliRunner

from kappa.commands import console
from kappa.commands.main import cli
from kappa.commands.status_table import state_line
from kappa.sources.report import BROKEN
from tests.support.kappa.account import Account
from tests.support.kappa.event_sources import QUEUE, TOPIC
from tests.support.kappa.sessions import session_of

SOURCES = ({"arn": TOPIC}, {"arn": QUEUE})


@pytest.mark.parametrize(
    ("states", "colour"),
    [
        ([*BROKEN, "Failed", "Active, update Failed"], "red"),
        (["Active", "Enabled", "Notifying", "Subscribed", "there"], "green"),
        (["Creating", "Disabled", "PendingConfirmation", "unknown"], "yellow"),
    ],
)
def test_a_state_has_its_colour(capsys, monkeypatch, states, colour):
    monkeypatch.setattr(console, "_colour", lambda: True)
    for state in states:
        console.result(state_line("news", f"{state}  ", ""))
        printed = f"{click.style('news', bold=True)}  {click.style(f'{state}  ', fg=colour)}\n"
        assert capsys.readouterr().out == printed


@pytest.mark.parametrize("topics", [[TOPIC], []])
def test_both_commands_show_a_source_alike(monkeypatch, topics):
    monkeypatch.setattr(console, "_colour", lambda: True)
    monkeypatch.setattr(
        "kappa.commands.session.open_session",
        lambda *_args, **_options: session_of(Account(topics), sources=SOURCES),
    )

    def lines(command):
        output = CliRunner().invoke(cli, ["config.yml", command], standalone_mode=False).stdout
        rows = [line.removeprefix("event source  ") for line in output.splitlines()]
        return [" ".join(line.split()) for line in rows if "sns" in line]

    assert lines("status") == lines("event_source_status") != []


def test_status_begins_with_account_and_region(monkeypatch):
    monkeypatch.setattr(
        "kappa.commands.session.open_session", lambda *_args, **_options: session_of(Account())
    )
    done = CliRunner().invoke(cli, ["config.yml", "status"], standalone_mode=False)
    assert done.stderr == "account    123456789012, us-east-1\n"
