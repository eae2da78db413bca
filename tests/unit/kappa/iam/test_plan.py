"""Policy and role: what is planned for what there is."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kappa.arn import Place
from kappa.errors import ConfigError, NotFound
from kappa.iam import delete as iamdelete
from kappa.iam import plan as iam
from kappa.iam.owner import Owned, PolicyState, RoleState, Users
from kappa.iam.state import IamState
from kappa.plan.step import Already, Step
from tests.support.builders import assert_valid, kappa_config

TAGS = [{"Key": "kappa:region", "Value": "us-east-1"}]

PLACE = Place("aws", "us-east-1", "123456789012")
DOCUMENT = {"Version": "2012-10-17", "Statement": []}
POLICY_ARN = "arn:aws:iam::123456789012:policy/kappa/greeter-policy"
ROLE_ARN = "arn:aws:iam::123456789012:role/kappa/greeter-role"
OWN = {"name": "greeter-policy", "document": "policy.json"}
IN_VPC = [{"Version": "1", "VpcConfig": {"SubnetIds": ["subnet-1"]}}]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AGAIN = "; once nothing uses it, run kappa config.yml delete again"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def there(policy=None, role=None):
    """Both exist, the policy attached to the role and to nothing else."""
    default = {"arn": POLICY_ARN, "document": DOCUMENT, "uses": 1}
    return IamState(
        PolicyState(**default | (policy or {})),
        RoleState(**{"arn": ROLE_ARN, "attached": (POLICY_ARN,)} | (role or {})),
    )


def marks(plan):
    return [(item.mark, item.message) for item in plan]


def test_create_makes_policy_role_and_attachment():
    plan = iam.plan_create(kappa_config(policy=OWN), DOCUMENT, PLACE, IamState())
    assert_valid(plan)
    assert [step.operation for step in plan] == [
        "create_policy",
        "create_role",
        "attach_role_policy",
    ]
    assert plan[0].params == {
        "Path": "/kappa/",
        "PolicyName": "greeter-policy",
        "PolicyDocument": '{"Version":"2012-10-17","Statement":[]}',
        "Tags": TAGS,
    }
    assert plan[1].params["Tags"] == TAGS
    assert plan[2] == Step(
        "iam",
        "attach_role_policy",
        {"RoleName": "greeter-role", "PolicyArn": POLICY_ARN},
        "attached",
        "policy greeter-policy on role greeter-role",
    )


def test_only_lambda_may_assume_the_role():
    plan = iam.plan_create(kappa_config(policy=OWN), DOCUMENT, PLACE, IamState())
    trust = json.loads(plan[1].params["AssumeRolePolicyDocument"])
    assert trust["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_create_leaves_what_exists():
    plan = iam.plan_create(kappa_config(policy=OWN), DOCUMENT, PLACE, there())
    assert all(isinstance(item, Already) for item in plan)


def test_create_completes_what_was_stopped_half_way():
    state = IamState(there().policy, RoleState(ROLE_ARN))
    plan = iam.plan_create(kappa_config(policy=OWN), DOCUMENT, PLACE, state)
    assert [item.mark for item in plan] == ["exists", "exists", "attached"]


def test_create_attaches_an_existing_policy_by_the_arn_it_has():
    state = IamState(PolicyState(BASIC, {}))
    config = kappa_config(policy={"name": "AWSLambdaBasicExecutionRole"})
    plan = iam.plan_create(config, None, PLACE, state)
    assert_valid(plan)
    assert plan[-1].params == {"RoleName": "greeter-role", "PolicyArn": BASIC}


def test_create_says_when_a_policy_to_be_used_is_missing():
    with pytest.raises(NotFound, match="The policy Nope does not exist"):
        iam.plan_create(kappa_config(policy={"name": "Nope"}), None, PLACE, IamState())


def test_a_role_without_a_policy_is_made_as_in_0_3_and_0_7():
    (step,) = iam.plan_create(kappa_config(), None, PLACE, IamState())
    assert (step.operation, step.params["RoleName"]) == ("create_role", "greeter-role")


def test_a_config_without_a_role_plans_none():
    config = kappa_config(role={"name": ""})
    assert iam.plan(config, None, PLACE, IamState()) == []
    assert iamdelete.plan_delete(config, IamState()) == []
    assert iam.role_arn(config, PLACE, IamState()) == ""


def test_a_missing_policy_of_0_7_is_said_in_the_words_of_0_7():
    arn = "arn:aws:iam::aws:policy/Gone"
    config = kappa_config(policy={"arn": arn}, is_layout_07=True, environment="dev")
    with pytest.raises(NotFound) as error:
        iam.plan_create(config, None, PLACE, IamState())
    assert "environments.dev.policy.arn" in error.value.hint


def test_create_uses_a_given_role_as_it_is():
    config = kappa_config(role={"arn": ROLE_ARN})
    plan = iam.plan_create(config, None, PLACE, IamState())
    assert [item.mark for item in plan] == ["exists"]
    assert iam.role_arn(config, PLACE, IamState()) == ROLE_ARN


def test_a_role_of_another_path_is_used_by_the_arn_it_has():
    state = there(role={"arn": "arn:aws:iam::123456789012:role/old/greeter-role"})
    assert iam.role_arn(kappa_config(), PLACE, state).endswith("role/old/greeter-role")


def test_update_leaves_an_equal_document():
    plan = iam.plan_update(kappa_config(policy=OWN), dict(DOCUMENT), PLACE, there())
    assert plan == [Already("unchanged", "policy greeter-policy")]


def test_update_makes_a_new_default_version():
    plan = iam.plan_update(kappa_config(policy=OWN), {"Statement": [1]}, PLACE, there())
    assert_valid(plan)
    assert plan == [
        Step(
            "iam",
            "create_policy_version",
            {
                "PolicyArn": POLICY_ARN,
                "PolicyDocument": '{"Statement":[1]}',
                "SetAsDefault": True,
            },
            "updated",
            "policy greeter-policy",
        )
    ]


def test_update_makes_room_by_removing_the_oldest_version():
    state = there(policy={"default_version": "v10", "versions": ("v2", "v3", "v8", "v9")})
    plan = iam.plan_update(kappa_config(policy=OWN), {"Statement": [1]}, PLACE, state)
    assert_valid(plan)
    assert [step.operation for step in plan] == ["delete_policy_version", "create_policy_version"]
    assert plan[0].params["VersionId"] == "v2"


def test_update_never_changes_a_policy_that_kappa_did_not_make():
    state = IamState(PolicyState(BASIC, {}), RoleState(ROLE_ARN, (BASIC,)))
    assert iam.plan_update(kappa_config(policy={"arn": BASIC}), None, PLACE, state) == []


def test_update_says_when_the_policy_is_missing():
    plan = iam.plan_update(kappa_config(policy=OWN), DOCUMENT, PLACE, IamState())
    assert plan[0].mark == "missing"


def test_delete_detaches_then_removes_role_versions_and_policy():
    state = there(policy={"versions": ("v1", "v2"), "default_version": "v3"})
    state = replace(state, users=Users({ROLE_ARN: ("greeter",)}))
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), state)
    assert_valid(plan)
    assert [step.operation for step in plan] == [
        "detach_role_policy",
        "delete_role",
        "delete_policy_version",
        "delete_policy_version",
        "delete_policy",
    ]


def test_delete_of_what_is_gone_says_so():
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), IamState())
    assert plan == [Already("gone", "role greeter-role"), Already("gone", "policy greeter-policy")]


def test_delete_keeps_a_role_used_by_another_function():
    state = replace(there(), users=Users({ROLE_ARN: ("greeter", "other")}))
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), state)
    assert marks(plan) == [
        ("kept", "role greeter-role (used by other)"),
        ("kept", f"policy greeter-policy (on role greeter-role, used by other{AGAIN})"),
    ]


@pytest.mark.parametrize("others", [{"attached": (POLICY_ARN, BASIC)}, {"inline": ("extra",)}])
def test_delete_keeps_a_role_with_other_policies(others):
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), there(role=others))
    kept = [item.message for item in plan if item.mark == "kept"]
    assert len(kept) == 1
    assert "it has other policies" in kept[0]
    assert "the config that made it" not in kept[0]


def test_delete_keeps_a_role_made_at_another_path():
    state = there(role={"arn": "arn:aws:iam::123456789012:role/greeter-role"})
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), state)
    assert ("kept", "role greeter-role (made at another path than kappa's)") in marks(plan)


def test_delete_keeps_a_policy_attached_elsewhere():
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), there(policy={"uses": 2}))
    assert marks(plan)[-1] == ("kept", "policy greeter-policy (attached elsewhere)")


def test_delete_detaches_and_keeps_a_policy_that_kappa_did_not_make():
    state = IamState(PolicyState(BASIC, {}, uses=9), RoleState(ROLE_ARN, (BASIC,)))
    plan = iamdelete.plan_delete(kappa_config(policy={"arn": BASIC}), state)
    assert_valid(plan)
    assert [item.mark for item in plan] == ["detached", "removed", "kept"]


def test_delete_leaves_a_given_role_and_its_policies_alone():
    plan = iamdelete.plan_delete(kappa_config(), IamState(None, RoleState(ROLE_ARN)))
    assert marks(plan) == [("kept", "role greeter-role (the config gives it no policy)")]


def test_delete_leaves_a_policy_on_a_role_that_stays():
    state = IamState(
        PolicyState(BASIC, {}, uses=9),
        RoleState("arn:aws:iam::123456789012:role/greeter-role", (BASIC,)),
    )
    plan = iamdelete.plan_delete(kappa_config(policy={"arn": BASIC}), state)
    assert [item.mark for item in plan] == ["kept", "kept"]


def test_delete_takes_its_own_policy_from_a_role_that_stays():
    state = there(
        policy={"tags": {"kappa:region": "us-east-1"}},
        role={"arn": "arn:aws:iam::123456789012:role/greeter-role"},
    )
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), state)
    assert_valid(plan)
    assert [item.mark for item in plan] == ["detached", "kept", "removed"]


def test_delete_keeps_role_and_policy_of_a_function_in_a_vpc():
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), there(), IN_VPC, NOW)
    assert [item.mark for item in plan] == ["kept", "kept"]
    assert "then run kappa config.yml delete again" in plan[0].message
    again = iamdelete.plan_delete(kappa_config(policy=OWN), there(), (), NOW)
    assert [item.mark for item in again] == ["detached", "removed", "removed"]


def test_delete_keeps_role_and_policy_while_an_older_version_is_in_a_vpc():
    versions = [{"Version": "$LATEST", "VpcConfig": {"SubnetIds": []}}, *IN_VPC]
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), there(), versions, NOW)
    assert [item.mark for item in plan] == ["kept", "kept"]


@pytest.mark.parametrize(("minutes", "keeps"), [(0, True), (19, True), (20, False)])
def test_a_delete_that_was_stopped_keeps_the_role_for_20_minutes(minutes, keeps):
    config = kappa_config(policy=OWN)
    (step,) = iamdelete.plan_vpc(config, there(), IN_VPC, NOW)
    assert_valid([step])
    tags = {one["Key"]: one["Value"] for one in step.params["Tags"]}
    later = NOW + timedelta(minutes=minutes)
    again = iamdelete.plan_delete(config, there(role={"tags": tags}), (), later)
    assert [item.mark for item in again] == (
        ["kept", "kept"] if keeps else ["detached", "removed", "removed"]
    )


@pytest.mark.parametrize("value", ["", "yesterday", "2026-01-01T00:00:00"])
def test_a_mark_of_no_time_keeps_no_role(value):
    state = there(role={"tags": {"kappa:vpc": value}})
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), state, (), NOW)
    assert [item.mark for item in plan] == ["detached", "removed", "removed"]


@pytest.mark.parametrize(
    ("role", "versions"), [({"foreign": "has tags"}, IN_VPC), ({}, [{"Version": "$LATEST"}])]
)
def test_delete_marks_only_kappas_role_of_a_function_in_a_vpc(role, versions):
    assert iamdelete.plan_vpc(kappa_config(policy=OWN), there(role=role), versions, NOW) == []


def test_delete_keeps_a_role_that_another_region_uses():
    users = Users({}, {ROLE_ARN: ("greeter in eu-west-1",)})
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), replace(there(), users=users))
    assert marks(plan) == [
        ("kept", "role greeter-role (used by greeter in eu-west-1)"),
        (
            "kept",
            f"policy greeter-policy (on role greeter-role, used by greeter in eu-west-1{AGAIN})",
        ),
    ]


def test_delete_keeps_a_role_whose_users_in_some_region_nobody_can_see():
    state = replace(there(), users=Users(unseen=("eu-west-1",)))
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), state)
    assert [item.mark for item in plan] == ["kept", "kept"]
    assert "who uses it in eu-west-1 cannot be seen" in plan[0].message


def test_delete_says_how_to_claim_what_has_no_tag():
    owned = Owned("greeter-role", unseen=("eu-west-1",))
    policy = Owned("greeter-policy", unseen=("eu-west-1",))
    state = replace(there(role={"attached": ()}, policy={"uses": 0}), own_role=owned)
    state = replace(state, own_policy=policy, users=Users(unseen=("eu-west-1",)))
    state = replace(state, policy=replace(state.policy, tags={"kappa:region": "us-east-1"}))
    plan = iamdelete.plan_delete(kappa_config(policy=OWN), state)
    assert [item.mark for item in plan] == ["kept", "kept"]
    assert "if nothing does, remove it yourself" in plan[0].message
    assert "if nothing does, give it the tag kappa:region" in plan[1].message


def test_deploy_marks_what_an_older_kappa_made():
    owned = {"own_role": Owned("greeter-role", mark=True)}
    state = replace(there(), own_policy=Owned("greeter-policy", mark=True), **owned)
    plan = iam.plan(kappa_config(policy=OWN), DOCUMENT, PLACE, state)
    assert_valid(plan)
    assert [(one.operation, one.params["Tags"]) for one in plan if isinstance(one, Step)] == [
        ("tag_role", TAGS),
        ("tag_policy", TAGS),
    ]


def test_a_second_region_gets_names_of_its_own():
    state = IamState(
        own_role=Owned("greeter-role-us-east-1", "greeter-role belongs to eu-west-1"),
        own_policy=Owned("greeter-policy-us-east-1", "greeter-policy belongs to eu-west-1"),
    )
    config = kappa_config(policy=OWN)
    plan = iam.plan(config, DOCUMENT, PLACE, state)
    assert_valid(plan)
    assert [one.message for one in plan] == [
        "policy greeter-policy-us-east-1 (greeter-policy belongs to eu-west-1)",
        "role greeter-role-us-east-1 (greeter-role belongs to eu-west-1)",
        "policy greeter-policy-us-east-1 on role greeter-role-us-east-1",
    ]
    assert plan[1].params["Tags"] == [*TAGS, {"Key": "kappa:name", "Value": "greeter-role"}]
    assert iam.role_arn(config, PLACE, state) == f"{ROLE_ARN}-us-east-1"


def test_a_second_region_that_can_have_no_name_says_so():
    problem = "r belongs to eu-west-1, and r-us-east-1 is not this function's"
    state = IamState(own_role=Owned("r-us-east-1", "r belongs to eu-west-1", problem))
    with pytest.raises(ConfigError, match="r-us-east-1 is not this function's") as caught:
        iam.plan(kappa_config(policy=OWN), DOCUMENT, PLACE, state)
    assert "Set another iam.role.name" in caught.value.hint


def test_deploy_takes_another_regions_policy_from_its_own_role():
    state = there(
        policy={"arn": f"{POLICY_ARN}-us-east-1"},
        role={"attached": (POLICY_ARN, f"{POLICY_ARN}-us-east-1")},
    )
    state = replace(state, own_policy=Owned("greeter-policy-us-east-1"), other_policy=POLICY_ARN)
    plan = iam.plan(kappa_config(policy=OWN), DOCUMENT, PLACE, state)
    assert_valid(plan)
    (step,) = [one for one in plan if isinstance(one, Step)]
    assert step.mark == "detached"
    assert step.params == {"RoleName": "greeter-role", "PolicyArn": POLICY_ARN}


def test_update_code_leaves_the_role_that_the_function_has():
    has = {"Role": "arn:aws:iam::123456789012:role/kappa/old"}
    state = IamState(own_role=Owned("greeter-role-us-east-1", "greeter-role was deleted"))
    assert iam.role_arn(kappa_config(policy=OWN), PLACE, state, has) == has["Role"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (IamState(None, None), ("gone", "role greeter-role")),
        (IamState(denied=True), ("kept", "role greeter-role (the config gives it no policy)")),
    ],
)
def test_delete_does_not_say_that_it_keeps_a_role_that_is_not_there(state, said):
    assert marks(iamdelete.plan_delete(kappa_config(), state)) == [said]
