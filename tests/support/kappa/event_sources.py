"""The function greeter, its event sources, and kappa's plans for them."""

from msgspec.structs import replace

from kappa.arn import Place
from kappa.function.permissions import Statement
from kappa.sources.plan import (
    plan_sources_add,
    plan_sources_delete,
    plan_sources_switch,
    plan_sources_update,
)
from tests.support.builders import assert_valid, kappa_config

PLACE = Place("aws", "us-east-1", "123456789012")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:greeter"
TOPIC = "arn:aws:sns:us-east-1:123456789012:news"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/chat/stream/2026-01-01T00:00:00.000"
BUCKET = "arn:aws:s3:::photos"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
UUID = "14e0db71-5d35-4eb5-b481-8945cf9d10c2"
UUID_2 = "7a3c8a2b-0d3f-4b8e-9a55-53c0c1a3b7de"
SUBSCRIPTION = f"{TOPIC}:6a5e7b0c"
LIVE = f"{FUNCTION}:live"
PHOTOS = {"arn": BUCKET, "events": ("s3:ObjectCreated:*",)}
INVOKE = "lambda:InvokeFunction"
# kappa's own permissions for these, on the function itself.
MAY_SNS = Statement("kappa-sns-news-4ff00f0c", "sns.amazonaws.com", INVOKE, TOPIC)
MAY_S3 = Statement("kappa-s3-photos-9de5a723", "s3.amazonaws.com", INVOKE, BUCKET, "123456789012")


def mapping(arn=STREAM, **changes):
    default = {"UUID": UUID, "EventSourceArn": arn, "State": "Enabled", "BatchSize": 100}
    return default | changes


def add(source, state, statements=(), **function):
    config = kappa_config({"sources": [source], **function})
    plan = plan_sources_add(config, PLACE, invoking(state), statements)
    assert_valid(plan)
    return plan


def invoking(state):
    return state if state.target_arn else replace(state, target_arn=FUNCTION)


def update(source, state, statements=(MAY_SNS, MAY_S3), **function):
    config = kappa_config({"sources": [source], **function})
    plan = plan_sources_update(config, PLACE, invoking(state), statements)
    assert_valid(plan)
    return plan


def delete(source, state):
    plan = plan_sources_delete(kappa_config({"sources": [source]}), invoking(state))
    assert_valid(plan)
    return plan


def switch(source, state, enabled, statements=()):
    config = kappa_config({"sources": [source]})
    plan = plan_sources_switch(config, PLACE, invoking(state), statements, enabled)
    assert_valid(plan)
    return plan
