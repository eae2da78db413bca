"""Policy and role: what a delete removes, and what stays. test_owner.py has whose they are."""

import pytest

from kappa.iam.delete import plan_rights_delete
from kappa.iam.state import IamState, PolicyState, RoleState
from kappa.plan.step import Note
from tests.support.builders import OWNER, assert_valid, kappa_config
from tests.unit.kappa.iam.test_plan import BASIC, OWN, POLICY_ARN, ROLE_ARN, marks, there

IN_VPC = {"Version": "1", "VpcConfig": {"SubnetIds": ["subnet-1"]}}
OUTSIDE = {"Version": "$LATEST", "VpcConfig": {"SubnetIds": []}}


def test_delete_detaches_then_removes_role_versions_and_policy():
    state = there(policy={"versions": ("v1", "v2"), "default_version": "v3"})
    plan = plan_rights_delete(kappa_config(policy=OWN), state, OWNER)
    assert_valid(plan)
    assert [step.operation for step in plan] == [
        "detach_role_policy",
        "delete_role",
        "delete_policy_version",
        "delete_policy_version",
        "delete_policy",
    ]


def test_delete_of_what_is_gone_says_so():
    plan = plan_rights_delete(kappa_config(policy=OWN), IamState(), OWNER)
    assert plan == [Note("gone", "role greeter-role"), Note("gone", "policy greeter-policy")]


@pytest.mark.parametrize(
    ("versions", "users", "why"),
    [
        ([], {"other", "another"}, "used by another, other"),
        ([OUTSIDE, IN_VPC], (), "then run kappa config.yml delete again"),
    ],
)
def test_a_role_that_is_needed_stays_with_its_policy(versions, users, why):
    plan = plan_rights_delete(kappa_config(policy=OWN), there(), OWNER, versions, users)
    assert [item.mark for item in plan] == ["kept", "kept"]
    assert all(why in item.message for item in plan)


@pytest.mark.parametrize("others", [{"attached": (POLICY_ARN, BASIC)}, {"inline": ("extra",)}])
def test_delete_keeps_a_role_with_other_policies(others):
    plan = plan_rights_delete(kappa_config(policy=OWN), there(role=others), OWNER)
    kept = [item.message for item in plan if item.mark == "kept"]
    assert len(kept) == 1
    assert "it has other policies" in kept[0]


def test_delete_keeps_a_policy_attached_elsewhere():
    plan = plan_rights_delete(kappa_config(policy=OWN), there(policy={"uses": 2}), OWNER)
    assert marks(plan)[-1] == ("kept", "policy greeter-policy (attached elsewhere)")


def test_delete_detaches_and_keeps_a_policy_of_aws():
    role = RoleState(ROLE_ARN, (BASIC,), tags=OWNER.tags)
    state = IamState(PolicyState(BASIC, {}, uses=9), role)
    plan = plan_rights_delete(kappa_config(policy={"arn": BASIC}), state, OWNER)
    assert_valid(plan)
    assert [item.mark for item in plan] == ["detached", "removed", "kept"]


def test_delete_leaves_a_policy_of_aws_on_a_role_that_stays():
    state = IamState(PolicyState(BASIC, {}, uses=9), RoleState(ROLE_ARN, (BASIC,)))
    plan = plan_rights_delete(kappa_config(policy={"arn": BASIC}), state, OWNER)
    assert [item.mark for item in plan] == ["kept", "kept"]


def test_delete_takes_its_own_policy_from_a_role_that_stays():
    plan = plan_rights_delete(kappa_config(policy=OWN), there(role={"tags": {}}), OWNER)
    assert_valid(plan)
    assert [item.mark for item in plan] == ["detached", "kept", "removed"]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (IamState(), ("gone", "role greeter-role")),
        (
            IamState(None, RoleState(ROLE_ARN)),
            ("kept", "role greeter-role (the config gives it no policy)"),
        ),
    ],
)
def test_delete_leaves_a_given_role_alone(state, outcome):
    assert marks(plan_rights_delete(kappa_config(), state, OWNER)) == [outcome]
