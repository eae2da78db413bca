"""An alias moves back to its own versions only, and only those are counted."""

import pytest

from kappa.errors import NotFound
from kappa.function import aliases as versionowner
from kappa.function import rollback, versions
from tests.support.builders import assert_valid, kappa_config
from tests.unit.kappa.function.test_versions import alias, state, version

WAS = "kappa config.yml: was on versions "


def shared(*aliases, newest=6):
    """A function with versions 1 to `newest`, which several aliases share."""
    return state(*(version(number, "old") for number in range(1, newest + 1)), aliases=aliases)


def prod(number, was="", **changes):
    return alias(number, "prod", Description=f"{WAS}{was}" if was else "", **changes)


def dev(number, was=""):
    return alias(number, "dev", Description=f"{WAS}{was}" if was else "")


def target(has, name="prod"):
    planned = rollback.plan_rollback(kappa_config({"alias": name}), has)
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
    (step,) = rollback.plan_rollback(kappa_config({"alias": "prod"}), has, to="3")
    assert step.params["FunctionVersion"] == "3"


def test_the_first_version_of_the_function_has_none_before():
    with pytest.raises(NotFound, match="There is no version before 1"):
        target(shared(prod(1), dev(2)))


def test_the_only_alias_may_have_been_on_any_version_but_rather_on_its_own():
    assert target(shared(prod(5)))[0] == "4"
    assert target(shared(prod(5, "2")))[0] == "2"
    assert target(shared(prod(2, "5")))[0] == "1"


def test_an_alias_that_is_moved_remembers_what_it_was_on_as_far_as_it_exists():
    has = state(version(3, "old"), version(5, "old"), aliases=[prod(5, "1 3")])
    *_, move = versions.plan(kappa_config({"publish": True, "alias": "prod"}), has, False)
    assert move.params["Description"] == f"{WAS}3 5"
    assert move.before["Description"] == f"{WAS}1 3"


def test_the_description_that_somebody_gave_an_alias_stays():
    has = shared(alias(5, "prod", Description="the public one"))
    *_, move = versions.plan(kappa_config({"publish": True, "alias": "prod"}), has, False)
    assert "Description" not in move.params


def test_what_is_remembered_fits_into_awss_longest_description():
    numbers = range(1000, 1100)
    was = " ".join(map(str, numbers[:44]))
    versions_ = (version(number, "old") for number in numbers)
    has = state(*versions_, aliases=[prod(1099, was)])
    assert 250 < len(has.aliases[0]["Description"]) <= 256
    text = versionowner.described(kappa_config(), has, has.alias("prod"), "")
    assert 250 < len(text) <= 256
    assert text == f"{WAS}{was.removeprefix('1000 ')} 1099"


def pruned(has, name, keep, **said):
    config = kappa_config({"publish": True, "keep_versions": keep, "alias": name, **said})
    planned = versions.plan(config, has, will_change=True)
    assert_valid(planned)
    return (
        [one.params["Qualifier"] for one in planned if one.mark == "removed"],
        [one.message for one in planned if one.mark == "kept"],
    )


def test_pruning_counts_the_aliass_own_versions():
    has = shared(prod(5, "1 3"), dev(6, "2 4"))
    assert pruned(has, "prod", 2) == (["1", "3"], [])
    assert pruned(has, "dev", 2) == (["2", "4"], [])
    assert pruned(has, "prod", 3) == (["1"], [])


def test_pruning_leaves_what_another_alias_may_go_back_to():
    has = shared(prod(6, "1 2 3"), dev(5, "1 3 4"))
    assert pruned(has, "prod", 1) == (["2", "6"], [])


def test_a_version_that_two_aliases_were_on_goes_with_the_last_of_them():
    has = shared(prod(4, "1 3"), dev(3, "1 2"), newest=4)
    config = kappa_config({"publish": True, "keep_versions": 2, "alias": "prod"})
    *_, move = [one for one in versions.plan(config, has, True) if one.mark == "updated"]
    assert move.params["Description"] == f"{WAS}4"
    left = state(*has.versions, version(5), aliases=[prod(5, "4"), dev(3, "1 2")])
    assert pruned(left, "dev", 2)[0] == ["1", "2"]


def test_a_version_of_which_the_alias_is_not_known_stays_and_is_named():
    removed, kept = pruned(shared(prod(5, "4"), dev(6)), "prod", 1)
    assert removed == ["4", "5"]
    assert [message.split(" (")[0] for message in kept] == [
        f"version {number} of greeter" for number in (1, 2, 3)
    ]
    assert "delete-function --function-name greeter --qualifier 1" in kept[0]


def test_without_an_alias_in_the_config_what_an_alias_may_go_back_to_stays():
    assert pruned(shared(prod(3, "1")), "", 1)[0] == ["2", "4", "5", "6"]
    assert pruned(shared(prod(3)), "", 1)[0] == ["1", "4", "5", "6"]


def test_of_the_only_alias_a_version_published_without_it_does_not_push_out_its_own():
    has = shared(prod(4, "2"))
    assert pruned(has, "prod", 2)[0] == ["1", "2", "3", "5"]
    assert pruned(has, "prod", 3)[0] == ["1", "3"]
