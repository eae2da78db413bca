"""rollback on the command line."""

from tests.support.kappa.shell import shell


def test_rollback_takes_the_number_of_a_version():
    said = " ".join(shell("c.yml", "rollback", "--to", "abc").stderr.split())
    assert "'abc' is not the number of a version, such as 3." in said
