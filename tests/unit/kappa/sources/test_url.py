"""The function's URL: what is planned for what there is."""

import pytest
from msgspec.structs import replace

from kappa.config.model import Cors, Url
from kappa.errors import Conflict
from kappa.function.permissions import Statement, read_statement
from kappa.plan.step import Note
from kappa.sources.plan import (
    plan_sources,
    plan_sources_add,
    plan_sources_remove,
    plan_sources_update,
)
from kappa.sources.state import SourcesState
from tests.support.builders import assert_valid, kappa_config
from tests.support.kappa.event_sources import PLACE

PUBLIC = Url(auth="NONE")
CLOSED = Url(auth="AWS_IAM")
ANYONE = (
    Statement("kappa-url", "*", "lambda:InvokeFunctionUrl", url_auth="NONE"),
    Statement("kappa-url-invoke", "*", "lambda:InvokeFunction", via_url=True),
)
HAS = {"FunctionUrl": "https://abc.lambda-url.us-east-1.on.aws/", "AuthType": "NONE"}


def run(select, url, has=None, statements=(), **function):
    config = kappa_config({"url": url, **function})
    plan = select(config, PLACE, SourcesState(urls={"": has} if has else {}), statements)
    assert_valid(plan)
    return plan


def test_a_public_url_gets_both_permissions_first():
    plan = run(plan_sources, PUBLIC)
    assert [step.params for step in plan] == [
        {
            "FunctionName": "greeter",
            "StatementId": "kappa-url",
            "Principal": "*",
            "Action": "lambda:InvokeFunctionUrl",
            "FunctionUrlAuthType": "NONE",
        },
        {
            "FunctionName": "greeter",
            "StatementId": "kappa-url-invoke",
            "Principal": "*",
            "Action": "lambda:InvokeFunction",
            "InvokedViaFunctionUrl": True,
        },
        {"FunctionName": "greeter", "AuthType": "NONE"},
    ]


def test_permissions_that_the_console_made_are_enough():
    console = tuple(
        Statement("c", one.principal, one.action, "", "", one.url_auth, one.via_url)
        for one in ANYONE
    )
    assert [step.mark for step in run(plan_sources, PUBLIC, HAS, console)] == ["unchanged"]


def test_leave_to_invoke_in_any_other_way_is_not_taken_for_the_urls():
    others = (Statement("x", "*", "lambda:InvokeFunction", source_arn="arn:aws:s3:::b"),)
    plan = run(plan_sources, PUBLIC, HAS, (*ANYONE[:1], *others))
    assert [getattr(one, "operation", one.mark) for one in plan] == ["add_permission", "unchanged"]


def test_a_closed_url_has_no_permission_for_anyone():
    (step,) = run(plan_sources, CLOSED)
    assert step.params == {"FunctionName": "greeter", "AuthType": "AWS_IAM"}


def test_closing_a_url_takes_the_permissions_back_after_it():
    plan = run(plan_sources, CLOSED, HAS, ANYONE)
    assert [step.operation for step in plan] == [
        "update_function_url_config",
        "remove_permission",
        "remove_permission",
    ]
    assert plan[0].before == {"AuthType": "NONE"}


def test_only_what_differs_is_sent():
    url = Url(auth="NONE", cors=Cors(allow_origins=("*",), max_age_s=60), invoke_mode="BUFFERED")
    has = {**HAS, "InvokeMode": "BUFFERED", "Cors": {"AllowOrigins": ["*"]}}
    (step,) = run(plan_sources, url, has, ANYONE)
    assert step.params == {
        "FunctionName": "greeter",
        "Cors": {"AllowOrigins": ["*"], "MaxAge": 60},
    }
    assert step.before == {"Cors": {"AllowOrigins": ["*"]}}


def test_cors_is_equal_as_lambda_writes_it():
    cors = Cors(allow_headers=("X-Tea", "Content-Type"), allow_methods=("POST", "GET"))
    written = {"AllowHeaders": ["content-type", "x-tea"], "AllowMethods": ["GET", "POST"]}
    plan = run(plan_sources, Url(auth="NONE", cors=cors), {**HAS, "Cors": written}, ANYONE)
    assert [one.mark for one in plan] == ["unchanged"]
    other = {**written, "AllowHeaders": ["x-tea"]}
    plan = run(plan_sources, Url(auth="NONE", cors=cors), {**HAS, "Cors": other}, ANYONE)
    assert [one.mark for one in plan] == ["updated"]


def test_an_empty_cors_is_what_a_url_without_has():
    assert [one.mark for one in run(plan_sources, Url(auth="NONE", cors=Cors()), HAS, ANYONE)] == [
        "unchanged"
    ]


def test_the_urls_of_an_alias_are_its_own():
    plan = run(plan_sources, PUBLIC, alias="live")
    assert {step.params["Qualifier"] for step in plan} == {"live"}


def test_add_leaves_a_url_and_update_makes_none():
    assert run(plan_sources_add, CLOSED, HAS) == [Note("exists", "function URL")]
    assert [one.mark for one in run(plan_sources_update, CLOSED)] == ["missing"]


def test_a_url_is_removed_with_its_permissions():
    plan = run(plan_sources_remove, PUBLIC, HAS, ANYONE)
    assert [step.operation for step in plan] == [
        "delete_function_url_config",
        "remove_permission",
        "remove_permission",
    ]
    assert [one.mark for one in run(plan_sources_remove, PUBLIC)] == ["gone"]


def test_a_config_without_a_url_plans_none():
    assert run(plan_sources, None, HAS, ANYONE) == []


def foreign(name):
    raw = {"Sid": name, "Effect": "Deny", "Principal": "*", "Action": "lambda:*"}
    return read_statement(raw, "greeter")


def test_a_permission_with_more_conditions_is_not_taken_for_the_urls():
    narrow = (replace(ANYONE[0], source_account="123456789012"), ANYONE[1])
    plan = run(plan_sources, PUBLIC, HAS, narrow)
    assert [getattr(one, "operation", one.mark) for one in plan] == [
        "remove_permission",
        "add_permission",
        "unchanged",
    ]


def test_a_statement_that_is_not_kappas_is_never_replaced_for_a_url():
    with pytest.raises(Conflict, match="kappa-url"):
        run(plan_sources, PUBLIC, HAS, (foreign("kappa-url"),))


def test_a_statement_that_is_not_kappas_outlives_the_url():
    plan = run(plan_sources_remove, PUBLIC, HAS, (foreign("kappa-url"), ANYONE[1]))
    assert [one.mark for one in plan] == ["removed", "kept", "removed"]
    closed = run(plan_sources, CLOSED, HAS | {"AuthType": "AWS_IAM"}, (foreign("kappa-url"),))
    assert [one.mark for one in closed] == ["unchanged", "kept"]
