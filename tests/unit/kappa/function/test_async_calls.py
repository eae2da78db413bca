"""Settings of asynchronous calls: what is planned for what a function has."""

import pytest

from kappa.config.model import Async
from kappa.function.plan import (
    plan_function_create,
)
from kappa.plan.step import Note
from tests.support.builders import OWNER, assert_valid, kappa_config, owned
from tests.unit.kappa.function.test_plan import ARCHIVE, ROLE_ARN, SETTINGS, TOPIC


def asynchronous(has, **said):
    config = kappa_config({"async_": Async(**said)})
    state = owned(SETTINGS, (), has)
    plan = plan_function_create(config, ARCHIVE, ROLE_ARN, state, OWNER)
    assert_valid(plan)
    return plan[1:]


def test_asynchronous_settings_are_made():
    plan = asynchronous(None, maximum_retry_attempts=0, on_failure=TOPIC)
    assert plan[0].mark == "created"
    assert plan[0].params == {
        "FunctionName": "greeter",
        "MaximumRetryAttempts": 0,
        "DestinationConfig": {"OnFailure": {"Destination": TOPIC}},
    }


def test_asynchronous_settings_that_are_equal_stay():
    has = {
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": TOPIC}},
    }
    plan = asynchronous(has, maximum_retry_attempts=0, on_failure=TOPIC)
    assert plan[0].mark == "unchanged"


def test_a_change_of_asynchronous_settings_repeats_what_the_config_does_not_say():
    on_success = {"OnSuccess": {"Destination": TOPIC}}
    has = {"MaximumEventAgeInSeconds": 60, "DestinationConfig": on_success}
    plan = asynchronous(has, maximum_retry_attempts=1, on_failure=TOPIC)
    assert plan[0].params == {
        "FunctionName": "greeter",
        "MaximumRetryAttempts": 1,
        "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": {**on_success, "OnFailure": {"Destination": TOPIC}},
    }


NOTHING = {"OnFailure": {}, "OnSuccess": {}}


@pytest.mark.parametrize("has", [{}, {"DestinationConfig": NOTHING}])
def test_the_last_asynchronous_setting_that_goes_takes_all_of_them_away(has):
    """AWS refuses a put without any: "You must specify at least one ..."."""
    to = {"DestinationConfig": {**NOTHING, "OnFailure": {"Destination": TOPIC}}}
    for there in (to, has):
        (step,) = asynchronous(there, on_failure="")
        assert step.operation == "delete_function_event_invoke_config"
        assert step.params == {"FunctionName": "greeter"}
    (gone,) = asynchronous(None, on_failure="", on_success="")
    assert gone == Note("gone", "asynchronous settings of greeter")


def test_a_destination_that_goes_leaves_the_other_settings():
    has = {"MaximumRetryAttempts": 1, "DestinationConfig": {"OnFailure": {"Destination": TOPIC}}}
    (step,) = asynchronous(has, on_failure="")
    assert step.params == {"FunctionName": "greeter", "MaximumRetryAttempts": 1}
    has["DestinationConfig"] = NOTHING
    assert asynchronous(has, on_failure="")[0].mark == "unchanged"
