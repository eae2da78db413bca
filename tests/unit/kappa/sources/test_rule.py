"""Rules of EventBridge: what is planned for what there is."""

import pytest
from msgspec.structs import replace

from kappa.errors import AwsError, Conflict, NotFound
from kappa.function.permissions import Statement
from kappa.plan.apply import apply
from kappa.plan.step import Note, Step
from kappa.sources import rule
from kappa.sources.plan import plan_sources, plan_sources_remove, plan_sources_switch
from kappa.sources.rule import Rule
from kappa.sources.state import SourcesState
from tests.support.builders import assert_valid, kappa_config
from tests.support.kappa.event_sources import FUNCTION, PLACE

NIGHTLY = {"name": "nightly", "schedule": "rate(1 day)"}
ARN = "arn:aws:events:us-east-1:123456789012:rule/greeter-nightly"
IDS = ("kappa-events-nightly-9f03ea11", "kappa-events-greeter-nightly-9f03ea11")
# kappa's own permissions for the rule, by its name and by its ARN.
MAY = tuple(Statement(id_, "events.amazonaws.com", "lambda:InvokeFunction", ARN) for id_ in IDS)
HAS = {"Name": "greeter-nightly", "Arn": ARN, "ScheduleExpression": "rate(1 day)"}
TARGET = {"Id": "greeter", "Arn": FUNCTION}
PROD = {"Id": "prod", "Arn": f"{FUNCTION}:prod"}
OTHER = {"Id": "others", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}


def there(*targets, key="nightly", **changes):
    rule = Rule({**HAS, "State": "ENABLED", **changes}, targets)
    return SourcesState(current={key: rule}, target_arn=FUNCTION)


def checked(plan):
    assert_valid(plan)
    return plan


def plan(source, state, statements=MAY):
    return checked(plan_sources(kappa_config({"sources": [source]}), PLACE, state, statements))


def remove(source, state, statements=()):
    config = kappa_config({"sources": [source]})
    return checked(plan_sources_remove(config, PLACE, state, statements))


def switch(source, state, enabled, statements=MAY):
    config = kappa_config({"sources": [source]})
    return checked(plan_sources_switch(config, PLACE, state, statements, enabled))


SETTINGS = (
    ({"input_path": "$.detail"}, {"InputPath": "$.detail"}),
    (
        {"input_transformer": {"template": "<a>", "paths": {"a": "$.a"}}},
        {"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": "<a>"}},
    ),
    (
        {"retry_policy": {"maximum_retry_attempts": 2, "maximum_event_age_s": 60}},
        {"RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}},
    ),
    ({"dead_letter": OTHER["Arn"]}, {"DeadLetterConfig": {"Arn": OTHER["Arn"]}}),
)


@pytest.mark.parametrize(("keys", "settings"), SETTINGS)
def test_a_target_has_the_settings_of_the_config(keys, settings):
    *_, step = plan({**NIGHTLY, **keys}, SourcesState(target_arn=FUNCTION))
    assert step.params["Targets"] == [{**TARGET, **settings}]
    assert plan({**NIGHTLY, **keys}, there({**TARGET, **settings}))[0].mark == "unchanged"
    source = rule._as_source(ARN, HAS, {**TARGET, **settings})
    assert {key: source[key] for key in keys} == keys
    assert plan(NIGHTLY, there({**TARGET, **settings}))[0].mark == "unchanged"


@pytest.mark.parametrize(
    ("keys", "settings"),
    [
        ({"retry_policy": {}}, {"RetryPolicy": {"MaximumRetryAttempts": 2}}),
        ({"dead_letter": ""}, {"DeadLetterConfig": {"Arn": OTHER["Arn"]}}),
        ({"input_path": ""}, {"InputPath": "$.detail"}),
        ({"input": ""}, {"InputPath": "$.detail"}),
    ],
)
def test_an_empty_value_removes_a_setting_of_a_target(keys, settings):
    (step,) = plan({**NIGHTLY, **keys}, there({**TARGET, **settings}))
    assert step.params["Targets"] == [TARGET]


def test_a_schedule_becomes_a_permission_a_rule_and_a_target():
    permission, rule, target = plan(
        {**NIGHTLY, "input": "{}"}, SourcesState(target_arn=FUNCTION), ()
    )
    assert permission.params["Principal"] == "events.amazonaws.com"
    assert permission.params["SourceArn"] == ARN
    assert rule == Step(
        "events",
        "put_rule",
        {
            "Name": "greeter-nightly",
            "State": "ENABLED",
            "ScheduleExpression": "rate(1 day)",
        },
        "created",
        "event source events nightly",
    )
    assert target.params == {
        "Rule": "greeter-nightly",
        "Targets": [{"Id": "greeter", "Arn": FUNCTION, "Input": "{}"}],
    }
    assert target.refused == "FailedEntries.0"


def test_a_rule_of_a_bus_is_made_there():
    arn = "arn:aws:events:us-east-1:123456789012:rule/shop/orders"
    source = {"arn": arn, "pattern": '{"source": ["shop"]}'}
    _, rule, target = plan(source, SourcesState(target_arn=FUNCTION), ())
    assert (rule.params["Name"], rule.params["EventBusName"]) == ("orders", "shop")
    assert (target.params["Rule"], target.params["EventBusName"]) == ("orders", "shop")


def test_what_is_so_already_is_left():
    assert plan(NIGHTLY, there(TARGET)) == [Note("unchanged", "event source events nightly")]


def test_a_pattern_written_otherwise_is_the_same_pattern():
    source = {"name": "nightly", "pattern": '{"a": ["b"], "c": ["d"]}'}
    state = there(TARGET, ScheduleExpression="", EventPattern='{"c":["d"],"a":["b"]}')
    assert [item.mark for item in plan(source, state)] == ["unchanged"]


def test_a_change_keeps_what_the_config_does_not_say():
    state = there(TARGET, Description="mine", RoleArn="arn:aws:iam::123456789012:role/r")
    (step,) = plan({**NIGHTLY, "schedule": "rate(2 days)"}, state)
    assert step.params == {
        "Name": "greeter-nightly",
        "Description": "mine",
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "State": "ENABLED",
        "ScheduleExpression": "rate(2 days)",
    }
    assert (step.mark, step.before) == ("updated", {"ScheduleExpression": "rate(1 day)"})


def test_a_target_of_the_function_is_moved_to_the_alias_with_its_other_settings():
    retries = {"MaximumRetryAttempts": 3}
    old = {**TARGET, "RetryPolicy": retries}
    state = replace(there(old), target_arn=f"{FUNCTION}:live")
    *_, step = plan_sources(kappa_config({"sources": [NIGHTLY], "alias": "live"}), PLACE, state, ())
    assert step.params["Targets"] == [{**old, "Arn": f"{FUNCTION}:live"}]
    assert (step.mark, step.before) == ("updated", {"Targets": [old]})


@pytest.mark.parametrize("others", [OTHER, {"Id": "x", "Arn": f"{FUNCTION}-2"}, PROD])
def test_a_rule_with_other_targets_gets_ours_and_is_not_changed(others):
    left = ["kept"] if others is PROD else []
    found = plan(NIGHTLY, there(TARGET, others))
    assert [item.mark for item in found] == ["unchanged", *left]
    found = plan(NIGHTLY, there(others))
    assert [item.mark for item in found] == ["created", *left]
    for has in (there(TARGET, others), there(others)):
        with pytest.raises(Conflict, match="so kappa does not change it") as error:
            plan({**NIGHTLY, "schedule": "rate(2 days)"}, has)
        assert (others["Arn"] in error.value.message, "nightly-" in error.value.hint) == (
            True,
            True,
        )
    for enabled, state in ((True, "DISABLED"), (False, "ENABLED")):
        with pytest.raises(Conflict, match="so kappa does not change it"):
            switch(NIGHTLY, there(TARGET, others, State=state), enabled)


@pytest.mark.parametrize("other", ["eu-west-1:123456789012", "us-east-1:210987654321"])
def test_a_target_of_a_namesake_elsewhere_is_not_ours(other):
    namesake = {"Id": "x", "Arn": FUNCTION.replace("us-east-1:123456789012", other)}
    (step,) = plan({"arn": ARN}, there(namesake, key=ARN))
    assert step.params["Targets"] == [TARGET]
    assert remove({"arn": ARN}, there(namesake, key=ARN))[0].mark == "gone"


def test_every_target_of_the_config_goes_with_remove_and_that_of_another_alias_stays():
    again = {**TARGET, "Id": "again", "Input": "{}"}
    live = {"Id": "live", "Arn": f"{FUNCTION}:live"}
    found = plan(NIGHTLY, there(again, TARGET, live))
    assert [one.mark for one in found] == ["unchanged", "kept"]
    assert found[1].message == "event source events nightly on the alias live"
    targets, rule, kept = remove(NIGHTLY, there(again, TARGET, live))
    assert targets.params["Ids"] == ["again", "greeter"]
    assert (rule.message, kept) == ("event source events nightly (it has other targets)", found[1])


def test_disabling_a_rule_that_is_just_used_takes_every_target_in_the_place_away():
    again = {**TARGET, "Id": "again", "Input": "{}"}
    (step,) = switch({"arn": ARN}, there(again, TARGET, key=ARN), False)
    assert step.params["Ids"] == ["again", "greeter"]


def test_disabling_a_rule_that_is_just_used_says_what_of_its_target_is_lost():
    by_hand = {**TARGET, "Input": "{}", "RetryPolicy": {}}
    (step,) = switch({"arn": ARN}, there(by_hand, key=ARN), False)
    assert step.message.endswith("(its Input, RetryPolicy too, which the config does not have)")


def test_a_change_keeps_the_way_in_which_a_rule_is_enabled():
    state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    (step,) = plan({**NIGHTLY, "schedule": "rate(2 days)"}, there(TARGET, State=state))
    assert step.params["State"] == state
    (step,) = plan({**NIGHTLY, "enabled": False}, there(TARGET, State=state))
    assert step.params["State"] == "DISABLED"


def test_a_rule_that_is_just_used_gets_a_target_only():
    (step,) = plan({"arn": ARN}, there(OTHER, key=ARN))
    assert step.operation == "put_targets"


def test_a_rule_that_is_just_used_must_exist():
    with pytest.raises(NotFound, match="greeter-nightly does not exist"):
        plan({"arn": ARN}, SourcesState(target_arn=FUNCTION))


def test_a_disabled_rule_is_made_and_stays_disabled():
    rule, _ = plan({**NIGHTLY, "enabled": False}, SourcesState(target_arn=FUNCTION))
    assert rule.params["State"] == "DISABLED"
    state = there(TARGET, State="DISABLED")
    assert [one.mark for one in plan({**NIGHTLY, "enabled": False}, state)] == ["unchanged"]


def test_a_rule_is_switched():
    (step,) = switch(NIGHTLY, there(TARGET), False)
    assert (step.operation, step.params) == ("disable_rule", {"Name": "greeter-nightly"})
    assert step.before == {"State": "ENABLED"}
    (step,) = switch(NIGHTLY, there(TARGET, State="DISABLED"), True)
    assert step.operation == "enable_rule"
    assert switch(NIGHTLY, there(TARGET), True)[0].mark == "unchanged"
    assert switch(NIGHTLY, SourcesState(), True)[0].mark == "missing"


def test_a_rule_that_may_not_invoke_the_function_gets_its_permission_as_it_is_enabled():
    marks = [one.mark for one in switch(NIGHTLY, there(TARGET), True, ())]
    assert marks == ["created", "unchanged"]
    assert [one.mark for one in switch(NIGHTLY, there(TARGET), False, ())] == ["updated"]


@pytest.mark.parametrize("enabled", [True, False])
def test_a_rule_without_a_target_is_not_said_to_be_switched(enabled):
    (item,) = switch(NIGHTLY, there(State="DISABLED" if enabled else "ENABLED"), enabled)
    assert (item.mark, "deploy" in item.message) == ("missing", True)


def test_a_rule_that_is_just_used_is_disabled_by_taking_its_target_away():
    used = {"arn": ARN}
    for steps in (
        switch(used, there(TARGET, key=ARN), False),
        plan({**used, "enabled": False}, there(TARGET, key=ARN)),
    ):
        assert [step.operation for step in steps] == ["remove_targets"]
    assert plan({**used, "enabled": False}, there(key=ARN)) == [
        Note("unchanged", "event source events greeter-nightly (disabled)")
    ]
    assert [step.operation for step in switch(used, there(key=ARN), True, ())] == [
        "add_permission",
        "put_targets",
    ]


def test_a_target_that_somebody_else_made_for_the_function_is_taken_over():
    target = {"Id": "Id4711", "Arn": FUNCTION}
    (step,) = plan({**NIGHTLY, "input": "{}"}, there(target))
    assert step.params["Targets"] == [{**target, "Input": "{}"}]


def test_a_target_gets_an_id_of_its_alias_where_another_one_has_the_functions_name():
    taken = {"Id": "greeter", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}
    (step,) = plan({"arn": ARN}, there(taken, key=ARN))
    (target,) = step.params["Targets"]
    assert target["Arn"] == FUNCTION
    assert target["Id"].startswith("greeter-")


def test_an_input_takes_the_place_of_an_input_transformer():
    transformer = {"InputTransformer": {"InputTemplate": '"x"'}, "InputPath": "$.detail"}
    (step,) = plan({**NIGHTLY, "input": '{"a": 1}'}, there({**TARGET, **transformer}))
    assert step.params["Targets"] == [{**TARGET, "Input": '{"a": 1}'}]
    assert plan(NIGHTLY, there({**TARGET, **transformer}))[0].mark == "unchanged"


def test_an_empty_input_removes_what_the_target_has():
    (step,) = plan({**NIGHTLY, "input": ""}, there({**TARGET, "Input": "{}"}))
    assert step.params["Targets"] == [TARGET]


def test_a_rules_role_is_set_kept_and_removed():
    role = "arn:aws:iam::123456789012:role/events"
    _, rule, _ = plan({**NIGHTLY, "role_arn": role}, SourcesState(target_arn=FUNCTION), ())
    assert rule.params["RoleArn"] == role
    assert plan({**NIGHTLY, "role_arn": role}, there(TARGET, RoleArn=role))[0].mark == "unchanged"
    (step,) = plan({**NIGHTLY, "schedule": "rate(2 days)"}, there(TARGET, RoleArn=role))
    assert step.params["RoleArn"] == role
    (step,) = plan({**NIGHTLY, "role_arn": ""}, there(TARGET, RoleArn=role))
    assert "RoleArn" not in step.params


def test_a_rule_goes_with_its_target():
    plan = remove(NIGHTLY, there(TARGET))
    assert [step.operation for step in plan] == ["remove_targets", "delete_rule"]
    assert plan[0].params == {"Rule": "greeter-nightly", "Ids": ["greeter"]}


@pytest.mark.parametrize(
    ("targets", "changes"),
    [
        ((), {"Description": "by ops"}),
        ((TARGET,), {"Description": "by ops"}),
        ((), {"ScheduleExpression": "rate(7 days)"}),
    ],
)
def test_a_rule_that_somebody_else_made_stays_and_is_named(targets, changes):
    found = remove(NIGHTLY, there(*targets, **changes))
    assert [one.mark for one in found] == ["removed"] * len(targets) + ["kept"]


@pytest.mark.parametrize("source", [NIGHTLY, {**NIGHTLY, "description": "by us"}])
def test_a_rule_that_a_stopped_command_left_without_a_target_goes(source):
    described = {"Description": source["description"]} if "description" in source else {}
    (step,) = remove(source, there(**described))
    assert step.operation == "delete_rule"


def test_a_rule_with_other_targets_stays():
    assert [one.mark for one in remove(NIGHTLY, there(TARGET, OTHER))] == ["removed", "kept"]


def test_a_rule_that_is_just_used_stays():
    (step,) = remove({"arn": ARN}, there(TARGET, key=ARN))
    assert step.operation == "remove_targets"
    assert remove({"arn": ARN}, there(OTHER, key=ARN))[0].mark == "gone"


def test_a_rule_that_is_gone_is_said():
    assert [one.mark for one in remove(NIGHTLY, SourcesState(target_arn=FUNCTION))] == ["gone"]


def test_a_target_that_aws_refuses_within_its_answer_is_an_error():
    answer = {"FailedEntryCount": 1, "FailedEntries": [{"ErrorMessage": "five targets at most"}]}
    with pytest.raises(AwsError, match="five targets at most"):
        apply(plan(NIGHTLY, there()), lambda *_: answer, lambda _: None)
