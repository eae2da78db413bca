"""diff: what deploy would change, without changing it."""

from kappa.commands.diff import read_changes
from tests.support.kappa.account import Account
from tests.support.kappa.sessions import deploy, session_of


def settings(changes):
    return [(item.name, item.before, item.after) for change in changes for item in change.settings]


def test_a_setting_that_differs_is_shown_and_stays_as_it_is():
    aws = Account()
    deploy(aws, timeout=3)
    _, changes = read_changes(session_of(aws, timeout=9), show_values=False)
    assert settings(changes) == [("Timeout", 3, 9)]
    assert aws.function["Timeout"] == 3


def test_after_a_deploy_nothing_differs():
    aws = Account()
    deploy(aws, timeout=3)
    assert read_changes(session_of(aws, timeout=3), show_values=False)[1] == []


def test_values_of_variables_are_hidden_unless_asked_for():
    aws = Account()
    deploy(aws, environment={"KEY": "old"})
    session = session_of(aws, environment={"KEY": "new"})
    assert settings(read_changes(session, show_values=False)[1]) == [
        ("Environment.KEY", "(hidden)", "(hidden)")
    ]
    assert settings(read_changes(session, show_values=True)[1]) == [
        ("Environment.KEY", "old", "new")
    ]
