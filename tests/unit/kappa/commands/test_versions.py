"""The table of versions."""

import pytest

from kappa.commands.versions import read_versions, version_table
from kappa.errors import NotFound
from kappa.function import versions
from kappa.function.version_state import VersionsState
from tests.support.builders import kappa_config
from tests.support.kappa.account import Account
from tests.support.kappa.sessions import deploy, session_of

LATEST = {"Version": "$LATEST", "CodeSha256": "new", "Timeout": 3, "RevisionId": "a"}


def test_a_description_makes_no_line_of_its_own_in_the_table():
    first = {**LATEST, "Version": "1", "Description": "a\n9  2030  1 B  x  prod\rb"}
    table = version_table(versions.rows(kappa_config(), VersionsState(LATEST, (first,))))
    assert len(table) == 3
    assert table[-1].endswith(r"a\n9  2030  1 B  x  prod\rb")


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
