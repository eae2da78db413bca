"""Policy and role: what a delete removes, and what stays."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from kappa.iam.delete import plan_rights_delete, plan_vpc_mark
from kappa.iam.owner import Owned, PolicyState, RoleState, Users
from kappa.iam.state import IamState
from kappa.plan.step import Note
from tests.support.builders import assert_valid, kappa_config
from tests.unit.kappa.iam.test_plan import BASIC, OWN, POLICY_ARN, ROLE_ARN, marks, there

IN_VPC = [{"Version": "1", "VpcConfig": {"SubnetIds": ["subnet-1"]}}]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AGAIN = "; once nothing uses it, run kappa config.yml delete again"


def test_delete_detaches_then_removes_role_versions_and_policy():
    state = there(policy={"versions": ("v1", "v2"), "default_version": "v3"})
    state = replace(state, users=Users({ROLE_ARN: ("greeter",)}))
    plan = plan_rights_delete(kappa_config(policy=OWN), state)
    assert_valid(plan)
    assert [step.operation for step in plan] == [
        "detach_role_policy",
        "delete_role",
        "delete_policy_version",
        "delete_policy_version",
        "delete_policy",
    ]


def test_delete_of_what_is_gone_says_so():
    plan = plan_rights_delete(kappa_config(policy=OWN), IamState())
    assert plan == [Note("gone", "role greeter-role"), Note("gone", "policy greeter-policy")]


def test_delete_keeps_a_role_used_by_another_function():
    state = replace(there(), users=Users({ROLE_ARN: ("greeter", "other")}))
    plan = plan_rights_delete(kappa_config(policy=OWN), state)
    assert marks(plan) == [
        ("kept", "role greeter-role (used by other)"),
        ("kept", f"policy greeter-policy (on role greeter-role, used by other{AGAIN})"),
    ]


@pytest.mark.parametrize("others", [{"attached": (POLICY_ARN, BASIC)}, {"inline": ("extra",)}])
def test_delete_keeps_a_role_with_other_policies(others):
    plan = plan_rights_delete(kappa_config(policy=OWN), there(role=others))
    kept = [item.message for item in plan if item.mark == "kept"]
    assert len(kept) == 1
    assert "it has other policies" in kept[0]
    assert "the config that made it" not in kept[0]


def test_delete_keeps_a_role_made_at_another_path():
    state = there(role={"arn": "arn:aws:iam::123456789012:role/greeter-role"})
    plan = plan_rights_delete(kappa_config(policy=OWN), state)
    assert ("kept", "role greeter-role (made at another path than kappa's)") in marks(plan)


def test_delete_keeps_a_policy_attached_elsewhere():
    plan = plan_rights_delete(kappa_config(policy=OWN), there(policy={"uses": 2}))
    assert marks(plan)[-1] == ("kept", "policy greeter-policy (attached elsewhere)")


def test_delete_detaches_and_keeps_a_policy_that_kappa_did_not_make():
    state = IamState(PolicyState(BASIC, {}, uses=9), RoleState(ROLE_ARN, (BASIC,)))
    plan = plan_rights_delete(kappa_config(policy={"arn": BASIC}), state)
    assert_valid(plan)
    assert [item.mark for item in plan] == ["detached", "removed", "kept"]


def test_delete_leaves_a_given_role_and_its_policies_alone():
    plan = plan_rights_delete(kappa_config(), IamState(None, RoleState(ROLE_ARN)))
    assert marks(plan) == [("kept", "role greeter-role (the config gives it no policy)")]


def test_delete_leaves_a_policy_on_a_role_that_stays():
    state = IamState(
        PolicyState(BASIC, {}, uses=9),
        RoleState("arn:aws:iam::123456789012:role/greeter-role", (BASIC,)),
    )
    plan = plan_rights_delete(kappa_config(policy={"arn": BASIC}), state)
    assert [item.mark for item in plan] == ["kept", "kept"]


def test_delete_takes_its_own_policy_from_a_role_that_stays():
    state = there(
        policy={"tags": {"kappa:region": "us-east-1"}},
        role={"arn": "arn:aws:iam::123456789012:role/greeter-role"},
    )
    plan = plan_rights_delete(kappa_config(policy=OWN), state)
    assert_valid(plan)
    assert [item.mark for item in plan] == ["detached", "kept", "removed"]


def test_delete_keeps_role_and_policy_of_a_function_in_a_vpc():
    plan = plan_rights_delete(kappa_config(policy=OWN), there(), IN_VPC, NOW)
    assert [item.mark for item in plan] == ["kept", "kept"]
    assert "then run kappa config.yml delete again" in plan[0].message
    again = plan_rights_delete(kappa_config(policy=OWN), there(), (), NOW)
    assert [item.mark for item in again] == ["detached", "removed", "removed"]


def test_delete_keeps_role_and_policy_while_an_older_version_is_in_a_vpc():
    versions = [{"Version": "$LATEST", "VpcConfig": {"SubnetIds": []}}, *IN_VPC]
    plan = plan_rights_delete(kappa_config(policy=OWN), there(), versions, NOW)
    assert [item.mark for item in plan] == ["kept", "kept"]


@pytest.mark.parametrize(("minutes", "keeps"), [(0, True), (19, True), (20, False)])
def test_a_delete_that_was_stopped_keeps_the_role_for_20_minutes(minutes, keeps):
    config = kappa_config(policy=OWN)
    (step,) = plan_vpc_mark(config, there(), IN_VPC, NOW)
    assert_valid([step])
    tags = {one["Key"]: one["Value"] for one in step.params["Tags"]}
    later = NOW + timedelta(minutes=minutes)
    again = plan_rights_delete(config, there(role={"tags": tags}), (), later)
    assert [item.mark for item in again] == (
        ["kept", "kept"] if keeps else ["detached", "removed", "removed"]
    )


@pytest.mark.parametrize("value", ["", "yesterday", "2026-01-01T00:00:00"])
def test_a_mark_of_no_time_keeps_no_role(value):
    state = there(role={"tags": {"kappa:vpc": value}})
    plan = plan_rights_delete(kappa_config(policy=OWN), state, (), NOW)
    assert [item.mark for item in plan] == ["detached", "removed", "removed"]


@pytest.mark.parametrize(
    ("role", "versions"), [({"foreign": "has tags"}, IN_VPC), ({}, [{"Version": "$LATEST"}])]
)
def test_delete_marks_only_kappas_role_of_a_function_in_a_vpc(role, versions):
    assert plan_vpc_mark(kappa_config(policy=OWN), there(role=role), versions, NOW) == []


def test_delete_keeps_a_role_that_another_region_uses():
    users = Users({}, {ROLE_ARN: ("greeter in eu-west-1",)})
    plan = plan_rights_delete(kappa_config(policy=OWN), replace(there(), users=users))
    assert marks(plan) == [
        ("kept", "role greeter-role (used by greeter in eu-west-1)"),
        (
            "kept",
            f"policy greeter-policy (on role greeter-role, used by greeter in eu-west-1{AGAIN})",
        ),
    ]


def test_delete_keeps_a_role_whose_users_in_some_region_nobody_can_see():
    state = replace(there(), users=Users(unseen=("eu-west-1",)))
    plan = plan_rights_delete(kappa_config(policy=OWN), state)
    assert [item.mark for item in plan] == ["kept", "kept"]
    assert "who uses it in eu-west-1 cannot be seen" in plan[0].message


def test_delete_says_how_to_claim_what_has_no_tag():
    owned = Owned("greeter-role", unseen=("eu-west-1",))
    policy = Owned("greeter-policy", unseen=("eu-west-1",))
    state = replace(there(role={"attached": ()}, policy={"uses": 0}), own_role=owned)
    state = replace(state, own_policy=policy, users=Users(unseen=("eu-west-1",)))
    state = replace(state, policy=replace(state.policy, tags={"kappa:region": "us-east-1"}))
    plan = plan_rights_delete(kappa_config(policy=OWN), state)
    assert [item.mark for item in plan] == ["kept", "kept"]
    assert "if nothing does, remove it yourself" in plan[0].message
    assert "if nothing does, give it the tag kappa:region" in plan[1].message


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (IamState(None, None), ("gone", "role greeter-role")),
        (IamState(denied=True), ("kept", "role greeter-role (the config gives it no policy)")),
    ],
)
def test_delete_does_not_say_that_it_keeps_a_role_that_is_not_there(state, said):
    assert marks(plan_rights_delete(kappa_config(), state)) == [said]
