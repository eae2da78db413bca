"""What AWS answers while it settles: one table, in botocore's words, for every call of a plan."""

import ast
import re
from functools import cache
from pathlib import Path

import botocore.session
import pytest

import kappa
from kappa.errors import AwsError, Conflict
from kappa.plan.retries import TRANSIENT_ERRORS, calls, transient_error

# Calls of a plan that settle at once: what they change was there before, and nobody else has it.
AT_ONCE = {
    ("lambda", "delete_function_concurrency"),
    ("s3", "put_object"),
    ("sns", "set_subscription_attributes"),
    ("sns", "subscribe"),
    ("sns", "unsubscribe"),
}
WRITES = re.compile(
    r"(add|attach|create|delete|detach|disable|enable|publish|put|remove|set|subscribe|tag|unsubscribe"
    r"|untag|update)(_[a-z_]+)?$"
)


@cache
def model_of(service):
    return botocore.session.get_session().get_service_model(service)


@cache
def operations(service):
    names = model_of(service).operation_names
    return {botocore.xform_name(name): name for name in names}


def planned_writes():
    """Every writing operation that kappa's modules name; some services share a name."""
    words = {
        node.value
        for path in Path(kappa.__file__).parent.rglob("*.py")
        if path.stem != "retries"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    services = ("lambda", "iam", "events", "logs", "s3", "sns")
    known = {name for service in services for name in operations(service)}
    # `publish` is a key of the config: kappa sends no message.
    return {word for word in words & known if WRITES.match(word)} - {"publish"}


def refused(code, text, kind=AwsError):
    return kind(f"AWS refused creating function f: {text} ({code})", code=code, text=text)


def test_every_call_of_the_table_is_one_of_botocores():
    for service, name in calls():
        assert name in operations(service), f"{service}.{name}"


def test_every_code_of_lambda_is_one_that_the_call_may_answer():
    model = model_of("lambda")
    for entry in TRANSIENT_ERRORS:
        if entry.service != "lambda":
            continue
        for name in entry.operations:
            shapes = model.operation_model(operations("lambda")[name]).error_shapes
            if name == "remove_permission":
                # AWS answers a conflict of it all the same: terraform-provider-aws#5154.
                continue
            assert entry.code in {shape.error_code for shape in shapes}, (name, entry.code)


def test_every_write_of_a_plan_is_in_the_table_or_known_to_settle_at_once():
    known = {name for _, name in (*calls(), *AT_ONCE)}
    assert len(planned_writes()) > 30
    assert planned_writes() - known == set()


def test_every_entry_has_a_source_and_a_deadline():
    assert all(entry.source and 0 < entry.deadline_s <= 300 for entry in TRANSIENT_ERRORS)


@pytest.mark.parametrize(
    ("service", "operation", "code", "text"),
    [
        # AWS re:Post and terraform-provider-aws#15067: a role's first seconds, with a VPC
        (
            "lambda",
            "create_function",
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call "
            "CreateNetworkInterface on EC2",
        ),
        (
            "lambda",
            "update_function_configuration",
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call SendMessage on SQS",
        ),
        (
            "lambda",
            "create_function",
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (
            "lambda",
            "create_alias",
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress for "
            "resource: arn:aws:lambda:us-east-1:123456789012:function:f",
        ),
        (
            "lambda",
            "add_permission",
            "ResourceConflictException",
            "The function could not be updated due to a concurrent update operation.",
        ),
        (
            "lambda",
            "put_function_concurrency",
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress.",
        ),
        # terraform-provider-aws#7214: Lambda knows the function, but not yet everywhere
        (
            "lambda",
            "add_permission",
            "ResourceNotFoundException",
            "Function not found: arn:aws:lambda:us-east-1:123456789012:function:f",
        ),
        (
            "lambda",
            "create_alias",
            "ResourceNotFoundException",
            "Function not found: arn:aws:lambda:us-east-1:123456789012:function:f:1",
        ),
        (
            "logs",
            "create_log_group",
            "OperationAbortedException",
            "A conflicting operation is currently in progress against this resource.",
        ),
        ("events", "put_targets", "ResourceNotFoundException", "Rule f-nightly does not exist."),
        ("events", "put_targets", "ConcurrentModificationException", "modified concurrently"),
        (
            "events",
            "delete_rule",
            "ValidationException",
            "Rule can't be deleted since it has targets.",
        ),
        ("iam", "create_role", "ConcurrentModification", "simultaneously submitted"),
        (
            "iam",
            "delete_role",
            "DeleteConflict",
            "Cannot delete entity, must detach all policies first.",
        ),
    ],
)
def test_an_answer_of_a_settling_account_passes(service, operation, code, text):
    assert transient_error(service, operation, refused(code, text)) is not None


@pytest.mark.parametrize(
    ("service", "operation", "code", "text"),
    [
        ("lambda", "create_function", "InvalidParameterValueException", "Unzipped size is over"),
        ("lambda", "add_permission", "ResourceConflictException", "The statement id exists."),
        ("lambda", "create_function", "ResourceConflictException", "Function already exist: f"),
        ("lambda", "delete_function", "ResourceNotFoundException", "Function not found: f"),
        ("lambda", "update_function_code", "ResourceNotFoundException", "Function not found: f"),
        ("lambda", "remove_permission", "ResourceNotFoundException", "Statement s is not found"),
        ("events", "describe_rule", "ResourceNotFoundException", "Rule f does not exist."),
        ("sns", "subscribe", "NotFound", "Topic does not exist"),
        (
            "iam",
            "delete_role",
            "DeleteConflict",
            "Cannot delete entity, must remove roles from instance profile first.",
        ),
    ],
)
def test_an_answer_that_stays_does_not_pass(service, operation, code, text):
    assert transient_error(service, operation, refused(code, text, Conflict)) is None


def test_the_name_of_a_thing_is_not_taken_for_aws_s_words():
    error = AwsError(
        "AWS refused removing rule my-targets: Rule is managed (ValidationException)",
        code="ValidationException",
        text="Rule is managed",
    )
    assert transient_error("events", "delete_rule", error) is None
