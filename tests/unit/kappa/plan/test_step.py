"""When two steps are equal; plans that only create, or only change what exists."""

import pytest
from msgspec.structs import replace

from kappa.plan.step import _NOT_COMPARED, Note, Step, only_creating, only_updating

CREATE = Step("iam", "create_role", {}, "created", "role r")
UPDATE = Step("iam", "create_policy_version", {}, "updated", "policy p")


@pytest.mark.parametrize("field", Step.__struct_fields__)
def test_steps_are_equal_only_if_all_compared_fields_are(field):
    assert replace(CREATE) == CREATE
    assert (replace(CREATE, **{field: "another"}) == CREATE) is (field in _NOT_COMPARED)


def test_making_leaves_what_exists_even_where_it_differs():
    plan = [CREATE, UPDATE, Note("unchanged", "policy q")]
    assert only_creating(plan) == [CREATE, Note("exists", "policy p"), Note("exists", "policy q")]


def test_changing_says_what_is_missing():
    assert only_updating([CREATE, UPDATE], "make it") == [
        Note("missing", "role r (make it)"),
        UPDATE,
    ]
