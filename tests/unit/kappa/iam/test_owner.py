"""Ownership: the tag of the region alone decides whose a function, a role or a policy is."""

import pytest

from kappa.arn import Place
from kappa.errors import ConfigError
from kappa.function.plan import (
    plan_function,
    plan_function_create,
    plan_function_delete,
    plan_function_update,
)
from kappa.function.state import FunctionState
from kappa.iam.delete import plan_rights_delete
from kappa.iam.owner import Owner
from kappa.iam.plan import plan_rights, plan_rights_create, plan_rights_update
from kappa.iam.state import IamState, PolicyState, RoleState
from kappa.package.zip import Archive
from kappa.plan.step import Step
from tests.support.builders import assert_valid, kappa_config

HERE, THERE = "us-east-1", "eu-west-1"
PLACE = Place("aws", HERE, "123456789012")
ROLE_ARN = PLACE.role("/kappa/", "greeter-role")
POLICY_ARN = PLACE.policy("/kappa/", "greeter-policy")
ARN = PLACE.function_arn("greeter")
CONFIG = kappa_config(policy={"name": "greeter-policy", "document": "policy.json"})
DOCUMENT = {"Version": "2012-10-17", "Statement": []}
SETTINGS = {"FunctionName": "greeter", "FunctionArn": ARN, "Role": ROLE_ARN, "CodeSha256": "other"}
OURS, THEIRS, NONE = {"kappa:region": HERE}, {"kappa:region": THERE}, {"team": "x"}
ARCHIVE = Archive(b"zip", "sha", ("greeter.py",), 3)
CHANGING = [plan_rights, plan_rights_create, plan_rights_update]
MAKING = [plan_function, plan_function_create, plan_function_update]


def rights(role=OURS, policy=OURS):
    return IamState(
        PolicyState(POLICY_ARN, DOCUMENT, uses=1, tags=policy),
        RoleState(ROLE_ARN, (POLICY_ARN,), tags=role),
    )


@pytest.mark.parametrize("make", CHANGING)
@pytest.mark.parametrize(
    ("tags", "adopt", "outcome"),
    [
        (OURS, False, []),
        (OURS, True, []),
        (NONE, False, "kappa did not make it"),
        (NONE, True, ["tag_role", "tag_policy"]),
        (THEIRS, False, "belongs to eu-west-1"),
        (THEIRS, True, "belongs to eu-west-1"),
    ],
)
def test_ownership_of_role_and_policy(make, tags, adopt, outcome):
    def plan():
        state, owner = rights(tags, tags), Owner(HERE, adopt)
        return [
            item for item in make(CONFIG, DOCUMENT, PLACE, state, owner) if isinstance(item, Step)
        ]

    if isinstance(outcome, str):
        with pytest.raises(ConfigError, match=f"The role greeter-role .*{outcome}"):
            plan()
        return
    steps = plan()
    assert_valid(steps)
    assert [step.operation for step in steps] == outcome
    assert all(step.mark == "adopted" for step in steps)


@pytest.mark.parametrize("make", MAKING)
@pytest.mark.parametrize(
    ("tags", "adopt", "outcome"),
    [
        (OURS, False, "update_function_"),
        (NONE, False, "The function greeter exists, and kappa did not make it"),
        (NONE, True, "tag_resource"),
        (THEIRS, True, "The function greeter belongs to eu-west-1"),
    ],
)
def test_ownership_of_the_function(make, tags, adopt, outcome):
    def plan():
        state, owner = FunctionState(SETTINGS, tags=tags), Owner(HERE, adopt)
        plan = make(CONFIG, ARCHIVE, ROLE_ARN, state, owner)
        return [item for item in plan if isinstance(item, Step)]

    if outcome.startswith("The function"):
        with pytest.raises(ConfigError, match=outcome):
            plan()
        return
    steps = plan()
    assert_valid(steps)
    if outcome == "tag_resource":
        assert steps[0].params == {"Resource": ARN, "Tags": OURS}
    elif make is not plan_function_create:  # which leaves what exists
        assert steps[0].operation.startswith(outcome)


def test_what_another_region_owns_is_refused_with_a_name_to_take():
    with pytest.raises(ConfigError) as error:
        Owner(HERE).take(CONFIG, "role", "greeter-role", THEIRS, "greeter-role")
    assert "greeter-role-${region}" in error.value.hint


def test_what_nobody_owns_is_refused_with_the_two_ways_out():
    with pytest.raises(ConfigError) as error:
        Owner(HERE).take(CONFIG, "role", "greeter-role", NONE, "greeter-role")
    assert "--adopt" in error.value.hint
    assert "role: {arn: ...}" in error.value.hint


def test_what_is_made_gets_the_tag():
    plan = [
        *plan_rights(CONFIG, DOCUMENT, PLACE, IamState(), Owner(HERE)),
        *plan_function(CONFIG, ARCHIVE, ROLE_ARN, FunctionState(), Owner(HERE)),
    ]
    assert_valid(plan)
    tags = [step.params["Tags"] for step in plan if step.mark == "created"]
    assert tags == [[{"Key": "kappa:region", "Value": HERE}]] * 2 + [OURS]


def test_the_tags_of_the_config_leave_kappas_own_alone():
    config = kappa_config({"tags": {"a": "b"}})
    state = FunctionState({**SETTINGS, "CodeSha256": "sha"}, tags={**OURS, "old": "x", "a": "b"})
    plan = plan_function(config, ARCHIVE, ROLE_ARN, state, Owner(HERE))
    (step,) = [item for item in plan if item.mark == "removed"]
    assert step.params["TagKeys"] == ["old"]


@pytest.mark.parametrize("tags", [NONE, THEIRS])
def test_delete_refuses_a_function_that_kappa_did_not_make_here(tags):
    with pytest.raises(ConfigError, match="The function greeter"):
        plan_function_delete(CONFIG, FunctionState(SETTINGS, tags=tags), Owner(HERE))


@pytest.mark.parametrize(
    ("role", "policy", "removed", "kept"),
    [
        (OURS, OURS, ["delete_role", "delete_policy"], []),
        (NONE, OURS, ["delete_policy"], ["role greeter-role (kappa did not make it"]),
        (OURS, NONE, ["delete_role"], ["policy greeter-policy (kappa did not make it"]),
        (
            THEIRS,
            THEIRS,
            [],
            [
                "role greeter-role (it belongs to eu-west-1)",
                "policy greeter-policy (it belongs to eu-west-1)",
            ],
        ),
    ],
)
def test_delete_removes_what_has_the_tag_and_names_what_it_keeps(role, policy, removed, kept):
    plan = plan_rights_delete(CONFIG, rights(role, policy), Owner(HERE))
    assert_valid(plan)
    assert [item.operation for item in plan if item.mark == "removed"] == removed
    notes = [item.message for item in plan if item.mark == "kept"]
    assert len(notes) == len(kept)
    assert all(map(str.startswith, notes, kept))
