"""Which places of a config a command uses."""

from kappa.config.uses import CODE, CONNECTIONS, EVENTS, EVERYTHING, NAMES, OFFLINE, PARTS

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
        assert all(uses(keys) for uses in (EVERYTHING, CONNECTIONS, PARTS, NAMES, EVENTS, CODE))


def test_what_removes_a_part_needs_all_that_names_it():
    document = ("iam", "policy", "document")
    rule = ("lambda", "event_sources", 3, "input")
    for keys in (document, rule, TOPIC, ("iam", "role", "arn")):
        assert PARTS(keys)
    assert not PARTS((*document, "Statement", 0, "Resource"))
    assert not PARTS((*rule, "token"))
    assert CONNECTIONS((*rule, "token"))


def test_only_what_packs_uses_what_the_code_is_built_of():
    for key in ("build", "build_inputs", "build_packages", "requirements"):
        used = [uses(("lambda", key, 0)) for uses in (EVERYTHING, CODE, CONNECTIONS, PARTS)]
        assert used == [True, True, False, False]
