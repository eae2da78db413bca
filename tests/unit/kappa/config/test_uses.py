"""Which places of a config a command uses."""

import pytest

from kappa.config.uses import ALL, CODE, FUNCTION, NAMES, OFFLINE

SOURCE = ("lambda", "event_sources", 3)


@pytest.mark.parametrize(
    ("keys", "used"),
    [
        (("region",), (FUNCTION, NAMES, CODE)),
        (("lambda", "name"), (FUNCTION, NAMES, CODE)),
        (("lambda", "alias"), (FUNCTION, NAMES)),
        (("iam", "role", "arn"), (NAMES,)),
        (("iam", "policy", "name"), (NAMES,)),
        (("iam", "policy", "document", "Statement", 0, "Resource"), ()),
        ((*SOURCE, "arn"), (NAMES,)),
        ((*SOURCE, "input", "token"), ()),
        ((*SOURCE, "filter_policy", "token", 0), ()),
        (("lambda", "permissions", 0, "source_arn"), (NAMES,)),
        (("lambda", "environment", "A"), ()),
        (("lambda", "requirements", 0), (CODE,)),
        (("lambda", "timeout"), ()),
    ],
)
def test_a_command_uses_names_or_all(keys, used):
    assert tuple(uses for uses in (FUNCTION, NAMES, CODE) if uses(keys)) == used
    assert ALL(keys)
    assert OFFLINE(keys)


def test_only_offline_asks_nothing():
    assert [uses.asks for uses in (ALL, NAMES, CODE, OFFLINE)] == [True, True, True, False]
