"""An alias goes back to the version before, by number; several aliases need --to."""

import pytest

from kappa.errors import AwsError, NotFound
from kappa.function import rollback
from kappa.function.version_state import VersionsState
from tests.support.builders import assert_valid, kappa_config
from tests.unit.kappa.function.test_versions import REASON, written

NONE = VersionsState()


@pytest.mark.parametrize(
    ("numbers", "aliases", "named", "words"),
    [
        ("1 3 4", "live:4", {}, "alias live: version 4 -> 3"),
        ("1 3 4", "live:3", {}, "alias live: version 3 -> 1"),
        ("1 3 4", "live:4", {"to": "1"}, "alias live: version 4 -> 1"),
        ("1 3 4", "live:4", {"alias": "live"}, "alias live: version 4 -> 3"),
        ("1 2", "live:2 blue:2", {"alias": "blue", "to": "1"}, "alias blue: version 2 -> 1"),
        ("1 2", "live:2", {"to": "2"}, "alias live: version 2"),
        (
            "1 2",
            "live:2,50%1",
            {},
            "alias live: version 2 -> 1, with all calls (before: 50% to version 1)",
        ),
    ],
)
def test_rollback_goes_to_the_version_before_that_exists(numbers, aliases, named, words):
    (item,) = rollback.plan(kappa_config(), written(numbers, aliases), **named)
    assert item.message == words
    assert_valid([item])


@pytest.mark.parametrize(
    ("has", "named", "words"),
    [
        (NONE, {}, "The function greeter does not exist."),
        (written("1"), {}, "greeter has no alias."),
        (written("1", "live:1"), {"alias": "blue"}, "greeter has no alias blue."),
        (written("1", "live:1"), {}, "There is no version before 1"),
        (written("1", "live:$LATEST"), {}, "no version before $LATEST"),
        (written("1", "live:1"), {"to": "9"}, "greeter has no version 9."),
        (written("1", "live:1"), {"to": "$LATEST"}, "has no version $LATEST."),
        (written("1", "a:1 b:1"), {}, "greeter has the aliases a, b."),
        (
            written("1 2", "a:2 b:1"),
            {"alias": "a"},
            "The version before 2 may not be one of a: greeter has the aliases a, b.",
        ),
    ],
)
def test_a_rollback_that_cannot_be_says_why(has, named, words):
    with pytest.raises(NotFound) as error:
        rollback.plan(kappa_config(), has, **named)
    assert words in error.value.message
    assert error.value.hint
    assert ("--to" in error.value.hint) == ("may not be" in words)


def test_the_alias_of_the_config_is_the_one_that_goes_back():
    has = written("1 2", "live:2 blue:2")
    (step,) = rollback.plan(kappa_config({"alias": "blue"}), has, to="1")
    assert step.params["Name"] == "blue"


def test_an_alias_is_not_moved_back_to_a_version_that_failed():
    has = written("1! 2", "live:2")
    with pytest.raises(AwsError) as error:
        rollback.plan(kappa_config(), has)
    assert str(error.value) == (
        f"Version 1 of greeter failed: {REASON}\n"
        "  Name another one with --to. List the versions: kappa config.yml versions"
    )
