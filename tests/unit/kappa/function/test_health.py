"""A function that AWS has as failed, busy or unreadable is never taken for what it should be."""

import pytest

from kappa.commands.changes import as_lines, changes
from kappa.errors import AwsError, Conflict
from kappa.function.plan import (
    plan_function,
    plan_function_create,
    plan_function_delete,
    plan_function_update,
)
from kappa.package.zip import Archive
from kappa.plan.apply import apply
from kappa.plan.step import steps
from tests.support.builders import OWNER, assert_valid, kappa_config, owned

ROLE_ARN = "arn:aws:iam::123456789012:role/greeter"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b"
ARCHIVE = Archive(b"zip", "sha", ("greeter.py",), 3)
SETTINGS = {
    "FunctionName": "greeter",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:greeter",
    "Runtime": "python3.13",
    "Role": ROLE_ARN,
    "Handler": "greeter.handler",
    "Timeout": 9,
    "CodeSha256": "sha",
    "State": "Active",
    "LastUpdateStatus": "Successful",
}
UPDATE_FAILED = {
    "LastUpdateStatus": "Failed",
    "LastUpdateStatusReason": "The subnets have no free addresses.",
    "LastUpdateStatusReasonCode": "SubnetOutOfIPAddresses",
}
IDLE = {
    "State": "Inactive",
    "StateReason": "The function was idle.",
    "StateReasonCode": "Idle",
}
DENIED = {"ErrorCode": "AccessDeniedException", "Message": "not authorized to perform that"}


def plan(said=None, code=None, archive=ARCHIVE, make=plan_function, **has):
    state = owned({**SETTINGS, **has}, code=code or {})
    planned = make(kappa_config(said or {}), archive, ROLE_ARN, state, OWNER)
    assert_valid(planned)
    return planned


def operations(planned):
    return [step.operation for step in steps(planned)]


def test_a_function_that_works_and_is_equal_stays():
    assert steps(plan({"timeout": 9})) == []


@pytest.mark.parametrize(
    ("has", "why"),
    [
        (
            UPDATE_FAILED,
            "the last update failed: The subnets have no free addresses. (SubnetOutOfIPAddresses)",
        ),
        (IDLE, "the function is Inactive: The function was idle. (Idle)"),
        ({"LastUpdateStatus": "Failed"}, "the last update failed: AWS gives no reason"),
    ],
)
def test_what_failed_is_sent_again_though_it_looks_equal(has, why):
    settings, code = plan({"timeout": 9}, **has)
    assert settings.params == {
        "FunctionName": "greeter",
        "Runtime": "python3.13",
        "Role": ROLE_ARN,
        "Handler": "greeter.handler",
        "Timeout": 9,
    }
    assert settings.message == f"settings of greeter, again ({why})"
    assert (code.operation, code.message) == ("update_function_code", "code of greeter, again")
    assert code.params["ZipFile"] == b"zip"


def test_what_was_sent_again_is_waited_for_to_its_end():
    """So that a second failure ends the command with AWS's reason."""
    for step in plan(**UPDATE_FAILED):
        assert step.wait.for_next is False

    def call(_service, operation, _doing, _params):
        has = {**SETTINGS, **UPDATE_FAILED}
        answers = {"get_function": {"Configuration": has}, "get_function_configuration": has}
        return answers.get(operation, {})

    with pytest.raises(AwsError, match="ended as Failed: The subnets have no free addresses"):
        apply(plan(**UPDATE_FAILED), call, lambda _report: None)


@pytest.mark.parametrize("code", ["ImageDeleted", "ImageAccessDenied", "InvalidZipFileException"])
def test_code_that_failed_is_sent_first_and_settings_only_where_they_differ(code):
    failed = {"LastUpdateStatus": "Failed", "LastUpdateStatusReasonCode": code}
    assert operations(plan({"timeout": 9}, **failed)) == ["update_function_code"]
    assert operations(plan({"timeout": 8}, **failed)) == [
        "update_function_code",
        "update_function_configuration",
    ]


def test_what_is_sent_again_is_published_and_the_alias_follows():
    said = {"publish": True, "alias": "current"}
    assert operations(plan(said, **UPDATE_FAILED))[2:] == ["publish_version", "create_alias"]


def test_diff_shows_that_something_is_sent_again_and_why():
    planned = plan({"timeout": 9}, **UPDATE_FAILED)
    shown = changes(planned, b"zip", b"zip")
    assert [sign_and_text[1] for sign_and_text in as_lines(shown)] == [
        "~ settings of greeter, again (the last update failed: The subnets have no free "
        "addresses. (SubnetOutOfIPAddresses))",
        "~ code of greeter, again",
    ]


@pytest.mark.parametrize("make", [plan_function, plan_function_create, plan_function_update])
def test_a_function_that_aws_could_not_make_is_an_error_with_its_reason(make):
    failed = {"State": "Failed", "StateReason": "No such subnet.", "StateReasonCode": "Invalid"}
    with pytest.raises(
        AwsError, match=r"could not make the function greeter: No such subnet\."
    ) as (error):
        plan(make=make, **failed)
    assert "kappa config.yml delete" in error.value.hint


def test_a_function_that_is_being_deleted_is_a_conflict():
    with pytest.raises(Conflict, match="AWS is deleting the function greeter"):
        plan(State="Deleting")


def test_a_function_that_failed_can_be_deleted():
    state = owned({**SETTINGS, "State": "Failed"}, tags=OWNER.tags)
    planned = plan_function_delete(kappa_config({"tags": {}}), state, OWNER)
    assert operations(planned) == ["delete_function"]


def test_create_says_of_a_function_that_exists_what_is_wrong_with_it():
    (item,) = plan(make=plan_function_create, **IDLE)
    assert item.message == (
        "function greeter (the function is Inactive: The function was idle. (Idle): "
        "kappa config.yml deploy)"
    )
