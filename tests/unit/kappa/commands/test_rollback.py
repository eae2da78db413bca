"""rollback on the command line."""

import pytest

from kappa.commands.rollback import plan_rollback
from kappa.errors import NotFound
from tests.support.kappa.account import Account
from tests.support.kappa.sessions import carry_out, deploy, session_of
from tests.support.kappa.shell import shell


def test_rollback_takes_the_number_of_a_version():
    said = " ".join(shell("c.yml", "rollback", "--to", "abc").stderr.split())
    assert "'abc' is not the number of a version, such as 3." in said


@pytest.fixture
def aws():
    """A function with three versions, and an alias on the newest of them."""
    account = Account()
    for image in ("1", "2", "3"):
        deploy(account, image=image, publish=True, alias="live")
    return account


def test_an_alias_goes_back_one_version(aws):
    session = session_of(aws, image="3", alias="live")
    before = dict(aws.function)
    carry_out(session, plan_rollback(session, "", ""))
    assert (aws.aliases, aws.function) == ({"live": "2"}, before)


def test_the_command_line_names_alias_and_version(aws):
    session = session_of(aws, image="3")
    carry_out(session, plan_rollback(session, "live", "1"))
    assert aws.aliases == {"live": "1"}


def test_a_version_that_does_not_exist_is_an_error(aws):
    with pytest.raises(NotFound, match="has no version 9"):
        plan_rollback(session_of(aws, image="3", alias="live"), "", "9")
