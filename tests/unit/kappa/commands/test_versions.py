"""versions: what is published, newest first."""

import pytest

from kappa.cli.versions import read_versions
from kappa.errors import NotFound
from tests.support.kappa.account import Account
from tests.support.kappa.sessions import deploy, session_of


def test_the_newest_version_comes_first_with_its_aliases():
    aws = Account()
    for image in ("1", "2"):
        deploy(aws, image=image, publish=True, alias="live")
    rows = read_versions(session_of(aws))
    assert [(row["version"], row["aliases"]) for row in rows] == [
        ("$LATEST", []),
        ("2", ["live"]),
        ("1", []),
    ]


def test_a_function_that_does_not_exist_has_none():
    with pytest.raises(NotFound):
        read_versions(session_of(Account()))
