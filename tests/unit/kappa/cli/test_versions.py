"""The table of versions."""

from kappa.cli.versions import version_table
from kappa.function import versions
from kappa.function.version_state import VersionsState
from tests.support.builders import kappa_config

LATEST = {"Version": "$LATEST", "CodeSha256": "new", "Timeout": 3, "RevisionId": "a"}


def test_a_description_makes_no_line_of_its_own_in_the_table():
    first = {**LATEST, "Version": "1", "Description": "a\n9  2030  1 B  x  prod\rb"}
    table = version_table(versions.rows(kappa_config(), VersionsState(LATEST, (first,))))
    assert len(table) == 3
    assert table[-1].endswith(r"a\n9  2030  1 B  x  prod\rb")
