"""Policy and role: what is planned for what there is."""

import json

import pytest

from kappa.arn import Place
from kappa.errors import NotFound
from kappa.iam.delete import plan_rights_delete
from kappa.iam.plan import desired_role_arn, plan_rights, plan_rights_create, plan_rights_update
from kappa.iam.state import IamState, PolicyState, RoleState
from kappa.plan.step import Note, Step
from tests.support.builders import OWNER, assert_valid, kappa_config

TAGS = [{"Key": "kappa:region", "Value": "us-east-1"}]

PLACE = Place("aws", "us-east-1", "123456789012")
DOCUMENT = {"Version": "2012-10-17", "Statement": []}
POLICY_ARN = "arn:aws:iam::123456789012:policy/kappa/greeter-policy"
ROLE_ARN = "arn:aws:iam::123456789012:role/kappa/greeter-role"
OWN = {"name": "greeter-policy", "document": "policy.json"}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def there(policy=None, role=None):
    """Both exist, the policy attached to the role and to nothing else."""
    default = {"arn": POLICY_ARN, "document": DOCUMENT, "uses": 1, "tags": OWNER.tags}
    default_role = {"arn": ROLE_ARN, "attached": (POLICY_ARN,), "tags": OWNER.tags}
    return IamState(
        PolicyState(**default | (policy or {})), RoleState(**default_role | (role or {}))
    )


def marks(plan):
    return [(item.mark, item.message) for item in plan]


def test_create_makes_policy_role_and_attachment():
    plan = plan_rights_create(kappa_config(policy=OWN), DOCUMENT, PLACE, IamState(), OWNER)
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
    plan = plan_rights_create(kappa_config(policy=OWN), DOCUMENT, PLACE, IamState(), OWNER)
    trust = json.loads(plan[1].params["AssumeRolePolicyDocument"])
    assert trust["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_create_leaves_what_exists():
    plan = plan_rights_create(kappa_config(policy=OWN), DOCUMENT, PLACE, there(), OWNER)
    assert all(isinstance(item, Note) for item in plan)


def test_create_completes_what_was_stopped_half_way():
    state = IamState(there().policy, RoleState(ROLE_ARN, tags=OWNER.tags))
    plan = plan_rights_create(kappa_config(policy=OWN), DOCUMENT, PLACE, state, OWNER)
    assert [item.mark for item in plan] == ["exists", "exists", "attached"]


def test_create_attaches_an_existing_policy_by_the_arn_it_has():
    state = IamState(PolicyState(BASIC, {}))
    config = kappa_config(policy={"name": "AWSLambdaBasicExecutionRole"})
    plan = plan_rights_create(config, None, PLACE, state, OWNER)
    assert_valid(plan)
    assert plan[-1].params == {"RoleName": "greeter-role", "PolicyArn": BASIC}


def test_create_says_when_a_policy_to_be_used_is_missing():
    with pytest.raises(NotFound, match="The policy Nope does not exist"):
        plan_rights_create(kappa_config(policy={"name": "Nope"}), None, PLACE, IamState(), OWNER)


def test_a_role_without_a_policy_is_made_as_in_0_3_and_0_7():
    (step,) = plan_rights_create(kappa_config(), None, PLACE, IamState(), OWNER)
    assert (step.operation, step.params["RoleName"]) == ("create_role", "greeter-role")


def test_a_config_without_a_role_plans_none():
    config = kappa_config(role={"name": ""})
    assert plan_rights(config, None, PLACE, IamState(), OWNER) == []
    assert plan_rights_delete(config, IamState(), OWNER) == []
    assert desired_role_arn(config, PLACE, IamState()) == ""


def test_a_missing_policy_of_0_7_is_said_in_the_words_of_0_7():
    arn = "arn:aws:iam::aws:policy/Gone"
    config = kappa_config(policy={"arn": arn}, is_layout_07=True, environment="dev")
    with pytest.raises(NotFound) as error:
        plan_rights_create(config, None, PLACE, IamState(), OWNER)
    assert "environments.dev.policy.arn" in error.value.hint


def test_create_uses_a_given_role_as_it_is():
    config = kappa_config(role={"arn": ROLE_ARN})
    plan = plan_rights_create(config, None, PLACE, IamState(), OWNER)
    assert [item.mark for item in plan] == ["exists"]
    assert desired_role_arn(config, PLACE, IamState()) == ROLE_ARN


def test_a_role_of_another_path_is_used_by_the_arn_it_has():
    state = there(role={"arn": "arn:aws:iam::123456789012:role/old/greeter-role"})
    assert desired_role_arn(kappa_config(), PLACE, state).endswith("role/old/greeter-role")


def test_update_leaves_an_equal_document():
    plan = plan_rights_update(kappa_config(policy=OWN), dict(DOCUMENT), PLACE, there(), OWNER)
    assert plan == [Note("unchanged", "policy greeter-policy")]


def test_update_makes_a_new_default_version():
    plan = plan_rights_update(kappa_config(policy=OWN), {"Statement": [1]}, PLACE, there(), OWNER)
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
    plan = plan_rights_update(kappa_config(policy=OWN), {"Statement": [1]}, PLACE, state, OWNER)
    assert_valid(plan)
    assert [step.operation for step in plan] == ["delete_policy_version", "create_policy_version"]
    assert plan[0].params["VersionId"] == "v2"


def test_update_never_changes_a_policy_that_kappa_did_not_make():
    state = IamState(PolicyState(BASIC, {}), RoleState(ROLE_ARN, (BASIC,), tags=OWNER.tags))
    assert plan_rights_update(kappa_config(policy={"arn": BASIC}), None, PLACE, state, OWNER) == []


def test_update_says_when_the_policy_is_missing():
    plan = plan_rights_update(kappa_config(policy=OWN), DOCUMENT, PLACE, IamState(), OWNER)
    assert plan[0].mark == "missing"


def test_update_code_leaves_the_role_that_the_function_has():
    has = {"Role": "arn:aws:iam::123456789012:role/kappa/old"}
    assert desired_role_arn(kappa_config(policy=OWN), PLACE, IamState(), has) == has["Role"]
