"""An alias remembers in its description whose it is and which versions it was on."""

from kappa.function import aliases, versions
from tests.support.builders import kappa_config
from tests.unit.kappa.function.test_versions import WAS, alias, prod, shared, state, version


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
    text = aliases.description(kappa_config(), has, has.alias("prod"), "")
    assert 250 < len(text) <= 256
    assert text == f"{WAS}{was.removeprefix('1000 ')} 1099"
