"""Which places of a config a command uses."""

from kappa.config.uses import CODE, CONNECTIONS, EVENTS, EVERYTHING, NAMES, OFFLINE

VARIABLE = ("lambda", "environment", "A")
TOPIC = ("lambda", "event_sources", 0, "arn")


def test_a_command_uses_what_it_names_and_all_below():
    assert [uses(VARIABLE) for uses in (EVERYTHING, OFFLINE, CONNECTIONS, NAMES, CODE)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [uses(TOPIC) for uses in (CONNECTIONS, EVENTS, NAMES)] == [True, True, False]


def test_each_needs_the_name_and_where_the_function_is():
    for keys in (("region",), ("profile",), ("lambda", "name")):
        assert all(uses(keys) for uses in (EVERYTHING, CONNECTIONS, NAMES, EVENTS, CODE))
