"""What is read of a function's sources, and what a refused call keeps from being read."""

import pytest

from kappa.aws import Aws
from kappa.commands.status_data import problems
from kappa.errors import Denied
from kappa.sources.read import read_sources
from kappa.sources.report import source_row, sources_data
from tests.support.builders import kappa_config
from tests.support.kappa.account import FUNCTION, Account
from tests.support.kappa.event_sources import PLACE, TOPIC, UUID_2

KAFKA = {
    "UUID": UUID_2,
    "FunctionArn": FUNCTION,
    "State": "Enabled",
    "Topics": ["letters"],
}


class Refusing(Account):
    """An account where some calls are not allowed."""

    def __init__(self, *refused):
        super().__init__([TOPIC], ["photos"])
        self.refused = refused

    def call(self, service, operation, doing, params=None):
        if operation in self.refused:
            raise Denied(f"AWS refused {doing}", code="AuthorizationError")
        return super().call(service, operation, doing, params)


def read(aws, *sources, **options):
    return read_sources(aws, kappa_config({"sources": sources}), lambda: PLACE, **options)


def test_a_subscription_that_sns_lists_as_deleted_does_not_count():
    aws = Account([TOPIC])
    for arn in ("Deleted", "PendingConfirmation"):
        endpoint = FUNCTION if arn == "Deleted" else f"{FUNCTION}:live"
        aws.subscriptions[arn] = {
            "SubscriptionArn": arn, "TopicArn": TOPIC, "Endpoint": endpoint,
        }  # fmt: skip
    state = read(aws, {"arn": TOPIC})
    assert state.current[TOPIC].subscriptions == {"live": "PendingConfirmation"}


def test_a_topic_that_refuses_its_list_is_found_among_ones_own_subscriptions():
    aws = Refusing("list_subscriptions_by_topic")
    aws.sns_subscribe(TOPIC, FUNCTION)
    aws.sns_subscribe(TOPIC, f"{FUNCTION}-2")
    (subscription,) = read(aws, {"arn": TOPIC}).current[TOPIC].subscriptions.values()
    assert aws.subscriptions[subscription]["Endpoint"] == FUNCTION


def test_the_filter_on_a_topic_that_refuses_its_list_is_read_too():
    aws = Refusing("list_subscriptions_by_topic")
    policy = '{"kind": ["tea"]}'
    aws.sns_subscribe(TOPIC, FUNCTION, Attributes={"FilterPolicy": policy})
    aws.sns_subscribe(TOPIC, f"{FUNCTION}:live", Attributes={"RedrivePolicy": "{}"})
    state = read(aws, {"arn": TOPIC, "filter_policy": policy})
    assert state.current[TOPIC].attributes == {
        "": {"FilterPolicy": policy},
    }


def test_what_may_not_be_read_stops_a_deploy_and_neither_status_nor_delete():
    aws = Refusing("list_subscriptions_by_topic", "list_subscriptions", "describe_rule")
    with pytest.raises(Denied):
        read(aws, {"arn": TOPIC})
    state = read(aws, {"arn": TOPIC}, {"name": "n", "schedule": "rate(1 day)"}, tolerant=True)
    assert set(state.unread) == {TOPIC, "n"}
    config = kappa_config({"sources": [{"arn": TOPIC}]})
    (row,) = sources_data(config, state)
    assert (row["state"], "refused listing" in row["problem"]) == ("unknown", True)


def test_a_mapping_of_a_kafka_of_ones_own_is_shown_by_its_topic():
    aws = Account()
    aws.mappings["k"] = KAFKA
    (row,) = sources_data(kappa_config(), read(aws, everywhere=True))
    assert source_row(row)[1:] == ("letters", "Enabled", "kafka  (not in the config)")


def test_a_mapping_of_another_function_is_not_this_ones():
    aws = Account()
    arn = "arn:aws:sqs:us-east-1:123456789012:orders"
    aws.mappings["x"] = {**KAFKA, "EventSourceArn": arn, "FunctionArn": f"{FUNCTION}-2"}
    state = read(aws, {"arn": arn})
    assert (state.mappings, state.current) == ((), {arn: ()})


def test_a_topic_of_another_region_is_asked_there():
    aws = Aws("us-east-1")
    there = aws.client("sns", "eu-west-1")
    asked = []

    def answer(model, **_):
        asked.append(model.name)
        raise Asked

    class Asked(Exception):
        pass

    there.meta.events.register("before-call", answer)
    arn = "arn:aws:sns:eu-west-1:123456789012:news"
    for operation, params in (
        ("subscribe", {"TopicArn": arn, "Protocol": "lambda", "Endpoint": FUNCTION}),
        ("unsubscribe", {"SubscriptionArn": f"{arn}:1"}),
    ):
        with pytest.raises(Asked):
            aws.call("sns", operation, "asking", params)
    assert asked == ["Subscribe", "Unsubscribe"]
    assert aws.client("sns", "us-east-1") is aws.client("sns")


BUCKET = {"arn": "arn:aws:s3:::photos", "events": ["s3:ObjectCreated:*"]}


def test_a_bucket_that_may_be_another_accounts_is_said_to_be_so():
    aws = Refusing("get_bucket_notification_configuration")
    with pytest.raises(Denied) as error:
        read(aws, BUCKET)
    assert error.value.hint.startswith(
        "Ask for this permission; or the bucket is another account's"
    )


def test_status_says_why_a_source_is_unknown():
    state = read(Refusing("get_bucket_notification_configuration"), BUCKET, tolerant=True)
    config = kappa_config({"sources": [BUCKET]})
    data = dict.fromkeys(("policy", "role", "function", "alias", "async"))
    found = problems(config, {**data, "event_sources": sources_data(config, state)})
    assert found[-1].startswith("event source photos: unknown: AWS refused reading the notif")
