"""An alias moves back to a version of its own, and to no other alias's."""

import pytest

from kappa.errors import AwsError, NotFound
from kappa.function import rollback
from kappa.function.version_state import VersionsState
from kappa.plan.step import Note
from tests.support.builders import assert_valid, kappa_config
from tests.unit.kappa.function.test_versions import (
    NO_SNAPSHOT,
    REASON,
    WAS,
    alias,
    dev,
    prod,
    shared,
    state,
    version,
)


def move_back(has, name="", to="", **said):
    planned = rollback.plan(kappa_config(said), has, name, to)
    assert_valid(planned)
    return planned


def test_rollback_moves_the_alias_to_the_version_before_its_own():
    has = state(version(1), version(3), version(4), aliases=[alias(4)])
    (step,) = move_back(has)
    assert step.params == {
        "FunctionName": "greeter",
        "Name": "current",
        "FunctionVersion": "3",
        "Description": f"{WAS}4",
    }
    assert (step.message, step.before) == (
        "alias current: version 4 -> 3",
        {"FunctionVersion": "4", "Description": ""},
    )


def test_rollback_takes_a_version_and_an_alias():
    has = state(version(1), version(2), aliases=[alias(2), alias(2, "blue")])
    (step,) = move_back(has, "blue", "1", alias="current")
    assert (step.params["Name"], step.params["FunctionVersion"]) == ("blue", "1")
    assert move_back(has, to="2", alias="current") == [
        Note("unchanged", "alias current: version 2")
    ]


@pytest.mark.parametrize(
    ("has", "name", "to", "said"),
    [
        (VersionsState(), "", "", "The function greeter does not exist."),
        (state(version(1)), "", "", "greeter has no alias."),
        (state(version(1), aliases=[alias(1)]), "blue", "", "greeter has no alias blue."),
        (state(version(1), aliases=[alias(1)]), "", "", "There is no version before 1"),
        (state(version(1), aliases=[alias("$LATEST")]), "", "", "no version before $LATEST"),
        (state(version(1), aliases=[alias(1)]), "", "9", "greeter has no version 9."),
        (state(version(1), aliases=[alias(1)]), "", "$LATEST", "has no version $LATEST."),
        (state(aliases=[alias(1, "a"), alias(1, "b")]), "", "", "has the aliases a, b."),
    ],
)
def test_a_rollback_that_cannot_be_says_why(has, name, to, said):
    with pytest.raises(NotFound) as error:
        move_back(has, name, to)
    assert said in error.value.message
    assert error.value.hint


def test_an_alias_is_not_moved_back_to_a_version_that_failed():
    has = state(version(1, "old"), version(2), aliases=[alias(2)], checked={"1": NO_SNAPSHOT})
    with pytest.raises(AwsError) as error:
        move_back(has)
    assert str(error.value) == (
        f"Version 1 of greeter failed: {REASON}\n"
        "  Name another one with --to. List the versions: kappa config.yml versions"
    )


def target(has, name="prod"):
    planned = rollback.plan(kappa_config({"alias": name}), has)
    assert_valid(planned)
    (step,) = planned
    return step.params["FunctionVersion"], step.params["Description"].removeprefix(WAS)


def test_rollback_passes_over_the_versions_of_other_aliases():
    has = shared(prod(5, "1 3"), dev(6, "2 4"))
    assert target(has) == ("3", "1 5")
    assert target(has, "dev") == ("4", "2 6")


def test_a_second_rollback_goes_one_further_back():
    assert target(shared(prod(3, "1 5"), dev(6))) == ("1", "3 5")


@pytest.mark.parametrize("description", ["", "the public one"])
def test_a_rollback_asks_for_the_version_where_it_cannot_be_known(description):
    has = shared(alias(5, "prod", Description=description), dev(6))
    with pytest.raises(NotFound, match="cannot tell which version the alias prod") as error:
        target(has)
    assert "--to" in error.value.hint
    (step,) = rollback.plan(kappa_config({"alias": "prod"}), has, to="3")
    assert step.params["FunctionVersion"] == "3"


def test_the_first_version_of_the_function_has_none_before():
    with pytest.raises(NotFound, match="There is no version before 1"):
        target(shared(prod(1), dev(2)))


def test_the_only_alias_may_have_been_on_any_version_but_rather_on_its_own():
    assert target(shared(prod(5)))[0] == "4"
    assert target(shared(prod(5, "2")))[0] == "2"
    assert target(shared(prod(2, "5")))[0] == "1"
