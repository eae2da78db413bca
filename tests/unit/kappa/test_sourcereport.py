"""The event sources' state in words."""

from kappa.sourcereport import source_row, sources_data
from kappa.sourcesettings import Url
from kappa.sourcestate import Rule, SourcesState, Topic
from tests.builders import kappa_config

TOPIC = "arn:aws:sns:us-east-1:123456789012:news"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:greeter"
BUCKET = "arn:aws:s3:::photos"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
RULE = "arn:aws:events:us-east-1:123456789012:rule/greeter-nightly"
MAPPING = {
    "EventSourceArn": QUEUE,
    "State": "Enabled",
    "UUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2",
    "BatchSize": 10,
    "LastProcessingResult": "OK",
}
NIGHTLY = {"name": "nightly", "schedule": "rate(1 day)"}


def shown(*sources, **state):
    config = kappa_config({"sources": sources})
    data = sources_data(config, SourcesState(**{"invoked": FUNCTION} | state))
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
    assert shown({"arn": TOPIC}, topics=subscribed) == [("news", "Subscribed", "sns")]
    assert shown({"arn": TOPIC}, topics={TOPIC: Topic()})[0][1] == "missing"
    assert shown({"arn": TOPIC, "enabled": False}, topics={TOPIC: Topic()})[0][1] == "Disabled"
    assert shown({"arn": TOPIC})[0][1] == "topic is gone"


def test_a_rule_says_its_state_and_schedule():
    target = {"Id": "greeter", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:greeter"}
    assert shown(NIGHTLY, rules=rule(target)) == [("nightly", "Enabled", "events  rate(1 day)")]
    assert shown(NIGHTLY, rules=rule(target, State="DISABLED"))[0][1] == "Disabled"
    assert shown(NIGHTLY, rules=rule())[0][1] == "no target"
    assert shown(NIGHTLY)[0][1] == "missing"


def test_every_delivery_of_a_rule_and_of_a_bucket_is_reported():
    targets = [{"Id": name, "Arn": FUNCTION} for name in ("greeter", "again")]
    by_hand = {"Id": "hand", "LambdaFunctionArn": f"{FUNCTION}:live", "Events": ["s3:*"]}
    config = kappa_config(
        {"sources": [NIGHTLY, {"arn": BUCKET, "events": ("s3:ObjectCreated:*",), "enabled": False}]}
    )
    state = SourcesState(
        rules=rule(*targets),
        buckets={BUCKET: {"LambdaFunctionConfigurations": [by_hand]}},
        invoked=FUNCTION,
    )
    nightly, bucket = sources_data(config, state)
    assert nightly["problem"].startswith("delivered 2 times.")
    assert bucket["state"] == "Notifying"
    assert bucket["problem"] == f"notified too by hand ({FUNCTION}:live), which kappa did not make"


def test_a_url_shows_its_address_and_who_may_call():
    has = {"FunctionUrl": "https://abc.on.aws/", "AuthType": "AWS_IAM"}
    config = kappa_config({"url": Url(auth="AWS_IAM")})
    (one,) = sources_data(config, SourcesState(urls={"": has}))
    assert source_row(one)[1:] == ("url", "AWS_IAM", "url  https://abc.on.aws/")
    assert sources_data(config, SourcesState())[0]["state"] == "missing"
