"""Plans that only create, or only change what exists."""

from kappa.plan.step import Note, Step, only_creating, only_updating

CREATE = Step("iam", "create_role", {}, "created", "role r")
UPDATE = Step("iam", "create_policy_version", {}, "updated", "policy p")


def test_making_leaves_what_exists_even_where_it_differs():
    plan = [CREATE, UPDATE, Note("unchanged", "policy q")]
    assert only_creating(plan) == [CREATE, Note("exists", "policy p"), Note("exists", "policy q")]


def test_changing_says_what_is_missing():
    assert only_updating([CREATE, UPDATE], "make it") == [
        Note("missing", "role r (make it)"),
        UPDATE,
    ]
