"""The function: what is planned for what there is."""

import pytest
from msgspec.structs import replace

from kappa.config.model import Async
from kappa.errors import ConfigError, NotFound
from kappa.function.permissions import Statement
from kappa.function.plan import (
    plan_function,
    plan_function_create,
    plan_function_delete,
    plan_function_update,
)
from kappa.function.version_state import VersionsState
from kappa.package.zip import Archive
from kappa.plan.step import Note, Step, Wait, steps
from tests.support.builders import OWNER, assert_valid, kappa_config, owned

ROLE_ARN = "arn:aws:iam::123456789012:role/kappa/greeter-role"
ARCHIVE = Archive(b"zip", "sha", ("greeter.py",), 3)
ARN = "arn:aws:lambda:us-east-1:123456789012:function:greeter"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
GRANT = {"statement_id": "sns", "principal": "sns.amazonaws.com", "source_arn": TOPIC}
SETTINGS = {
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:greeter",
    "FunctionName": "greeter",
    "Runtime": "python3.13",
    "Role": ROLE_ARN,
    "Handler": "greeter.handler",
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "CodeSha256": "sha",
    "Architectures": ["x86_64"],
}


def plan_update(has=None, **settings):
    state = owned({**SETTINGS, **(has or {})})
    plan = plan_function_update(kappa_config(settings), ARCHIVE, ROLE_ARN, state, OWNER)
    assert_valid(plan)
    return plan


def test_create_makes_the_function_and_lets_what_comes_next_wait_until_it_is_active():
    config = kappa_config({"timeout": 9, "environment": {"AA": "1"}, "architectures": ("arm64",)})
    plan = plan_function_create(config, ARCHIVE, ROLE_ARN, owned(), OWNER)
    assert_valid(plan)
    assert plan == [
        Step(
            "lambda",
            "create_function",
            {
                "FunctionName": "greeter",
                "Runtime": "python3.13",
                "Role": ROLE_ARN,
                "Handler": "greeter.handler",
                "Timeout": 9,
                "Environment": {"Variables": {"AA": "1"}},
                "Code": {"ZipFile": b"zip"},
                "Tags": OWNER.tags,
                "Architectures": ["arm64"],
            },
            "created",
            "function greeter",
            wait=Wait(
                "lambda",
                "get_function_configuration",
                {"FunctionName": "greeter"},
                "State",
                until=("Active", "ActiveNonInvocable"),
                failed=("Failed",),
                reason="StateReason",
                for_next=True,
            ),
            conflict_hint="Another command has just made it: run the same command again.",
        )
    ]


def test_create_leaves_the_code_of_a_function_that_exists_and_says_how_to_update_it():
    state = owned({**SETTINGS, "CodeSha256": "old"})
    plan = plan_function_create(kappa_config(), ARCHIVE, ROLE_ARN, state, OWNER)
    assert plan == [
        Note("exists", "function greeter (code: kappa config.yml deploy)"),
    ]


def completed(said, **has):
    state = owned({**SETTINGS, "FunctionArn": ARN}, **has)
    plan = plan_function_create(kappa_config({**said}), ARCHIVE, ROLE_ARN, state, OWNER)
    assert_valid(plan)
    return [(step.operation, step.params) for step in steps(plan)]


@pytest.mark.parametrize("reserved", [0, 5])
def test_a_create_that_was_stopped_is_completed_by_the_next(reserved):
    said = {
        "tags": {"team": "tea"},
        "reserved_concurrency": reserved,
        "publish": True,
        "alias": "current",
        "grants": [GRANT],
        "async_": Async(maximum_retry_attempts=0),
        "timeout": 9,
    }
    name = {"FunctionName": "greeter"}
    everything = [
        ("tag_resource", {"Resource": ARN, "Tags": {"team": "tea"}}),
        ("put_function_concurrency", {**name, "ReservedConcurrentExecutions": reserved}),
        ("publish_version", name),
        ("create_alias", {**name, "Name": "current"}),
    ]
    assert completed(said)[:4] == everything
    rest = ["add_permission", "put_function_event_invoke_config"]
    assert [operation for operation, _ in completed(said)[4:]] == rest
    # What a stop after each of these calls leaves is done by the next run, and no more.
    done = {"tags": {"team": "tea", "mine": "1"}}
    assert completed(said, **done)[:3] == everything[1:]
    done["concurrency"] = reserved
    assert completed(said, **done)[:2] == everything[2:]
    published = {**SETTINGS, "Version": "1"}
    done["versions"] = VersionsState({**SETTINGS, "Version": "$LATEST"}, (published,))
    (alias, *_) = completed(said, **done)
    wanted = {**name, "Name": "current", "FunctionVersion": "1"}
    assert alias == ("create_alias", wanted)
    pointing = {"Name": "current", "FunctionVersion": "1"}
    done["versions"] = replace(done["versions"], aliases=(pointing,))
    assert [operation for operation, _ in completed(said, **done)] == rest


def test_create_changes_and_removes_nothing_that_a_function_has():
    said = {"tags": {"team": "tea"}, "reserved_concurrency": 5, "alias": "current", "timeout": 9}
    old = VersionsState(
        {**SETTINGS, "Version": "$LATEST"},
        ({**SETTINGS, "Version": "1", "CodeSha256": "old"},),
        ({"Name": "current", "FunctionVersion": "1"},),
    )
    has = {"tags": {"team": "cocoa", "b": "1"}, "concurrency": 0, "versions": old}
    assert completed({**said, "publish": True, "keep_versions": 1}, **has) == []
    assert completed({"reserved_concurrency": "none"}, concurrency=3) == []
    assert completed({"reserved_concurrency": "none"}) == []


def test_a_deploy_that_was_stopped_after_any_call_goes_on_from_there():
    said = {
        "tags": {"team": "tea"},
        "reserved_concurrency": 5,
        "async_": Async(maximum_retry_attempts=0),
        "timeout": 9,
    }
    has = {**SETTINGS, "FunctionArn": ARN, "CodeSha256": "old"}
    state = owned(has)
    after = [
        lambda state: replace(state, settings={**state.settings, "Timeout": 9}),
        lambda state: replace(state, settings={**state.settings, "CodeSha256": "sha"}),
        lambda state: replace(state, tags={**state.tags, "team": "tea"}),
        lambda state: replace(state, concurrency=5),
        lambda state: replace(state, asynchronous={"MaximumRetryAttempts": 0}),
    ]
    wanted = [
        "update_function_configuration",
        "update_function_code",
        "tag_resource",
        "put_function_concurrency",
        "put_function_event_invoke_config",
    ]
    for number, make in enumerate([*after, None]):
        plan = plan_function(kappa_config(said), ARCHIVE, ROLE_ARN, state, OWNER)
        assert [step.operation for step in steps(plan)] == wanted[number:]
        state = make(state) if make else state


def test_create_adds_a_permission_that_is_missing():
    plan = plan_function_create(
        kappa_config({"grants": [GRANT]}), ARCHIVE, ROLE_ARN, owned(SETTINGS), OWNER
    )
    assert_valid(plan)
    assert plan[1] == Step(
        "lambda",
        "add_permission",
        {
            "FunctionName": "greeter",
            "StatementId": "sns",
            "Action": "lambda:InvokeFunction",
            "Principal": "sns.amazonaws.com",
            "SourceArn": TOPIC,
        },
        "created",
        "permission sns for sns.amazonaws.com",
        conflict_hint="Another deploy has just made a different one of this name: "
        "run the same command again.",
    )


def test_a_permission_that_is_there_stays():
    has = Statement("sns", "sns.amazonaws.com", "lambda:invokeFunction", TOPIC)
    state = owned(SETTINGS, (has,))
    plan = plan_function_create(kappa_config({"grants": [GRANT]}), ARCHIVE, ROLE_ARN, state, OWNER)
    assert plan[1].mark == "exists"


def test_an_accounts_digits_match_the_root_arn_that_aws_answers():
    has = Statement("a", "arn:aws:iam::210987654321:root", "lambda:InvokeFunction")
    grant = {"statement_id": "a", "principal": "210987654321"}
    state = owned(SETTINGS, (has,))
    plan = plan_function_create(kappa_config({"grants": [grant]}), ARCHIVE, ROLE_ARN, state, OWNER)
    assert plan[1].mark == "exists"


def test_a_permission_of_the_same_id_that_differs_is_replaced():
    has = Statement("sns", "sns.amazonaws.com", "lambda:InvokeFunction", TOPIC + "-old")
    state = owned(SETTINGS, (has,))
    plan = plan_function_create(kappa_config({"grants": [GRANT]}), ARCHIVE, ROLE_ARN, state, OWNER)
    assert_valid(plan)
    assert [step.operation for step in plan[1:]] == ["remove_permission", "add_permission"]


def test_update_without_a_function_says_how_to_make_it():
    with pytest.raises(NotFound, match="does not exist") as error:
        plan_function_update(kappa_config(), ARCHIVE, ROLE_ARN, owned(), OWNER)
    assert error.value.hint == "Make it: kappa config.yml deploy"


def test_update_of_what_is_equal_changes_nothing():
    assert plan_update() == [
        Note("unchanged", "settings of greeter"),
        Note("unchanged", "code of greeter"),
    ]


def test_update_sends_only_the_settings_that_differ():
    settings = plan_update(timeout=9, memory_size=128, environment={"AA": "1"})[0]
    assert settings.params == {
        "FunctionName": "greeter",
        "Timeout": 9,
        "Environment": {"Variables": {"AA": "1"}},
    }
    assert settings.message == "settings of greeter: Timeout, Environment"


def test_update_leaves_what_the_config_does_not_say():
    has = {"Timeout": 60, "Environment": {"Variables": {"AA": "1"}}}
    assert plan_update(has)[0].mark == "unchanged"


def test_update_clears_an_environment_that_the_config_says_is_empty():
    has = {"Environment": {"Variables": {"AA": "1"}}}
    assert plan_update(has, environment={})[0].params["Environment"] == {"Variables": {}}


def test_update_moves_the_function_to_another_role():
    assert plan_update({"Role": "arn:aws:iam::123456789012:role/old"})[0].params["Role"] == ROLE_ARN


def test_delete_removes_the_function():
    plan = plan_function_delete(kappa_config(), owned(SETTINGS), OWNER)
    assert_valid(plan)
    assert [step.operation for step in plan] == ["delete_function"]


def test_delete_of_a_function_that_is_gone_says_so():
    plan = plan_function_delete(kappa_config(), owned(), OWNER)
    assert plan == [Note("gone", "function greeter")]


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ({}, False),
        ({"kms_key": "arn:aws:kms:us-east-1:123456789012:key/1"}, True),
        ({"vpc": {"subnet_ids": ("subnet-1",)}}, True),
        ({"snap_start": True}, True),
    ],
)
def test_what_can_still_fail_is_waited_for_though_nothing_comes_next(said, waits):
    (step,) = plan_function_create(kappa_config(said), ARCHIVE, ROLE_ARN, owned(), OWNER)
    assert step.wait.for_next is not waits


def test_without_a_role_in_the_config_the_functions_own_is_left_alone():
    config = kappa_config({"timeout": 9}, role={"name": ""})
    plan = plan_function_update(config, ARCHIVE, "", owned(SETTINGS), OWNER)
    assert plan[0].params == {"FunctionName": "greeter", "Timeout": 9}


def test_a_function_that_is_to_be_made_needs_a_role():
    config = kappa_config(role={"name": ""})
    with pytest.raises(ConfigError, match="greeter does not exist, and to make it kappa needs"):
        plan_function_create(config, ARCHIVE, "", owned(), OWNER)
