"""The event sources' state in words."""

import pytest

from kappa.config.model import Url
from kappa.function.permissions import Statement, as_statement
from kappa.sources.report import source_row, sources_data
from kappa.sources.rule import Rule
from kappa.sources.sns import Topic
from kappa.sources.state import SourcesState
from kappa.sources.url import PUBLIC
from tests.support.builders import kappa_config
from tests.support.kappa.event_sources import BUCKET, FUNCTION, QUEUE, TOPIC, UUID

RULE = "arn:aws:events:us-east-1:123456789012:rule/greeter-nightly"
MAPPING = {
    "EventSourceArn": QUEUE,
    "State": "Enabled",
    "UUID": UUID,
    "BatchSize": 10,
    "LastProcessingResult": "OK",
}
NIGHTLY = {"name": "nightly", "schedule": "rate(1 day)"}


def shown(*sources, **state):
    config = kappa_config({"sources": sources})
    data = sources_data(config, SourcesState(**{"target_arn": FUNCTION} | state))
    return [source_row(one)[1:] for one in data]


def rule(*targets, **changes):
    has = {"Arn": RULE, "ScheduleExpression": "rate(1 day)", "State": "ENABLED"}
    return {"nightly": Rule(has | changes, targets)}


def test_a_mapping_says_its_state_and_last_result():
    assert shown({"arn": QUEUE}, mappings=(MAPPING,)) == [
        ("orders", "Enabled", "sqs  batches of 10  OK")
    ]


def test_a_mapping_that_the_config_does_not_name_is_shown():
    assert shown(mappings=(MAPPING,)) == [
        ("orders", "Enabled", "sqs  batches of 10  OK  (not in the config)")
    ]


def test_a_topic_is_subscribed_missing_disabled_or_gone():
    subscribed = {TOPIC: Topic({"": f"{TOPIC}:1"})}
    assert shown({"arn": TOPIC}, current=subscribed) == [("news", "Subscribed", "sns")]
    assert shown({"arn": TOPIC}, current={TOPIC: Topic()})[0][1] == "missing"
    assert shown({"arn": TOPIC, "enabled": False}, current={TOPIC: Topic()})[0][1] == "Disabled"
    assert shown({"arn": TOPIC})[0][1] == "topic is gone"


def test_a_rule_says_its_state_and_schedule():
    target = {"Id": "greeter", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:greeter"}
    assert shown(NIGHTLY, current=rule(target)) == [("nightly", "Enabled", "events  rate(1 day)")]
    assert shown(NIGHTLY, current=rule(target, State="DISABLED"))[0][1] == "Disabled"
    assert shown(NIGHTLY, current=rule())[0][1] == "no target"
    assert shown(NIGHTLY)[0][1] == "missing"


def test_what_is_delivered_twice_to_one_place_is_a_problem():
    targets = [{"Id": name, "Arn": FUNCTION} for name in ("greeter", "again")]
    assert problem_of(NIGHTLY, current=rule(*targets)).startswith("delivered 2 times.")
    twice = (MAPPING, {**MAPPING, "UUID": "2"})
    problem = problem_of({"arn": QUEUE}, mappings=twice)
    assert problem.startswith(
        "mapped 2 times. Fix it: kappa config.yml remove_event_sources orders"
    )


@pytest.mark.parametrize(
    ("prefix", "on_alias", "state"),
    [("", "", "Notifying"), ("in/", "", "Notifying"), ("", "live", "missing")],
)
def test_a_bucket_says_whether_it_notifies_the_function_of_such_keys(prefix, on_alias, state):
    arn = f"{FUNCTION}:{on_alias}" if on_alias else FUNCTION
    rules = {"Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": prefix}]}}}
    notification = {"Id": "x", "LambdaFunctionArn": arn, "Events": ["s3:*"], **rules}
    bucket = {BUCKET: {"LambdaFunctionConfigurations": [notification]}}
    ((_, its, detail),) = shown({"arn": BUCKET, "events": ("s3:ObjectCreated:*",)}, current=bucket)
    assert its == state
    assert detail == ("s3  on live" if on_alias else "s3")


def test_a_url_shows_its_address_and_who_may_call():
    has = {"FunctionUrl": "https://abc.on.aws/", "AuthType": "AWS_IAM"}
    config = kappa_config({"url": Url(auth="AWS_IAM")})
    (one,) = sources_data(config, SourcesState(urls={"": has}))
    assert source_row(one)[1:] == ("url", "AWS_IAM", "url  https://abc.on.aws/")
    assert sources_data(config, SourcesState())[0]["state"] == "missing"


def problem_of(source=None, alias="", **state):
    config = kappa_config({"sources": [source or {"arn": TOPIC}], "alias": alias})
    target_arn = f"{FUNCTION}:{alias}" if alias else FUNCTION
    (one,) = sources_data(config, SourcesState(**{"target_arn": target_arn} | state))
    return one.get("problem", "")


def on(*aliases):
    return {TOPIC: Topic({alias: f"{TOPIC}:{number}" for number, alias in enumerate(aliases)})}


def may(principal="sns.amazonaws.com", source_arn=TOPIC, **more):
    return Statement("any", principal, "lambda:InvokeFunction", source_arn, **more)


@pytest.mark.parametrize("alias", ["", "live"])
def test_a_source_that_may_not_invoke_the_function_is_a_problem(alias):
    state = {"alias": alias, "current": on(alias), "aliases": {"live": {}}}
    problem = problem_of(**state, statements={"": (), "live": ()})
    assert problem.startswith("no permission to invoke")
    assert problem_of(**state, statements={alias: (may(),)}) == ""
    assert problem_of(**state) == ""
    elsewhere = {"": (may(),), "live": (may(),), alias: (may("s3.amazonaws.com"), may("*", BUCKET))}
    assert problem_of(**state, statements=elsewhere).startswith("no permission to invoke")


@pytest.mark.parametrize(
    "statement",
    [
        may(source_arn=""),
        may(source_arn="arn:aws:sns:*:123456789012:*"),
        may("*"),
        may("x", foreign='{"Principal": {"Service": ["sns.amazonaws.com", "x"]}}'),
    ],
)
def test_a_permission_that_is_wider_or_foreign_may_do(statement):
    assert problem_of(current=on(""), statements={"": (statement,)}) == ""


def test_a_rule_that_may_not_invoke_the_function_is_a_problem():
    target = {"Id": "greeter", "Arn": FUNCTION}
    state = {"current": rule(target), "statements": {"": (may("events.amazonaws.com", RULE),)}}
    assert problem_of(NIGHTLY, **state) == ""
    state["statements"] = {"": (may("events.amazonaws.com", f"{RULE}-2"),)}
    assert problem_of(NIGHTLY, **state).startswith("no permission to invoke the function itself")


def test_a_url_for_anyone_without_its_permission_is_a_problem():
    has = {"FunctionUrl": "https://abc.on.aws/", "AuthType": "NONE"}
    config = kappa_config({"url": Url(auth="NONE")})
    given = tuple(map(as_statement, PUBLIC))

    def problem(**state):
        (one,) = sources_data(config, SourcesState(urls={"": has}, **state))
        return one.get("problem", "")

    assert problem(statements={"": given}) == ""
    assert problem() == ""
    assert problem(statements={"": given[:1]}).startswith("a permission for anyone is missing")
