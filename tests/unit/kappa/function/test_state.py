"""What is read of the function: waited for while it changes, refused where a part is left out."""

from types import SimpleNamespace

import pytest

from kappa.commands.init_from.read import read_existing
from kappa.errors import Denied, NotFound, WaitTimeout
from kappa.function.plan import (
    plan_function,
    plan_function_create,
)
from kappa.function.state import read_function
from kappa.plan.step import steps
from tests.support.builders import OWNER, kappa_config, owned
from tests.support.kappa.account import clock
from tests.unit.kappa.function.test_health import (
    ARCHIVE,
    DENIED,
    KEY,
    ROLE_ARN,
    SETTINGS,
    UPDATE_FAILED,
    plan,
)

IMAGE = {
    "path": "",
    "handler": "",
    "runtime": "",
    "image": {"uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:1"},
}


def reading(*states):
    """An account whose function has these states, one after another, and then the last."""
    left = [*states]

    def call(_service, operation, _doing, _params):
        if operation != "get_function":
            raise NotFound("nothing")
        has = left.pop(0) if len(left) > 1 else left[0]
        return {"Configuration": {**SETTINGS, **has}}

    return SimpleNamespace(call=call, remember_account=lambda _arn: None)


@pytest.mark.parametrize("busy", [{"State": "Pending"}, {"LastUpdateStatus": "InProgress"}])
def test_a_change_under_way_is_waited_for_before_anything_is_compared(busy):
    aws = reading(busy, busy, UPDATE_FAILED)
    found = read_function(aws, kappa_config(), permissions=False, clock=clock())
    assert found.settings["LastUpdateStatus"] == "Failed"


def test_a_change_under_way_without_end_says_so():
    aws = reading({"LastUpdateStatus": "InProgress"})
    with pytest.raises(WaitTimeout, match="Another change of greeter has not ended after 300 s"):
        read_function(aws, kappa_config(), permissions=False, clock=clock())


def test_to_look_only_nothing_is_waited_for():
    aws = reading({"State": "Pending"})
    assert read_function(aws, kappa_config()).settings["State"] == "Pending"


def test_variables_that_may_not_be_decrypted_name_the_permission_and_the_key():
    has = {"Environment": {"Error": DENIED}, "KMSKeyArn": KEY}
    with pytest.raises(Denied) as error:
        plan({"environment": {"AA": "1"}}, **has)
    assert error.value.message == (
        "AWS refused reading the variables of greeter: not authorized to perform that "
        "(AccessDeniedException)"
    )
    assert error.value.hint == f"Ask for the permission kms:Decrypt on {KEY}."
    assert steps(plan({"timeout": 9}, **has)) == []


def test_init_writes_no_config_without_the_variables():
    answer = {"Configuration": {**SETTINGS, "Environment": {"Error": DENIED}}}
    aws = SimpleNamespace(call=lambda *_: answer)
    with pytest.raises(Denied, match="the variables of greeter"):
        read_existing(aws, "greeter")


def test_an_image_that_cannot_be_read_is_an_error_and_no_difference():
    has = {"PackageType": "Image"}
    with pytest.raises(Denied, match="the image of greeter"):
        plan(IMAGE, {"Error": DENIED}, None, **has)
    with pytest.raises(Denied, match="the settings of the image of greeter"):
        plan(IMAGE, {}, None, **has, ImageConfigResponse={"Error": DENIED})


@pytest.mark.parametrize("make", [plan_function, plan_function_create])
def test_tags_that_may_not_be_read_are_an_error(make):
    state = owned(SETTINGS, tags_error=DENIED)
    with pytest.raises(Denied, match="reading the tags of greeter: not authorized") as error:
        make(kappa_config(), ARCHIVE, ROLE_ARN, state, OWNER)
    assert error.value.hint == "Ask for the permission lambda:ListTags."
