"""What AWS has of the function's event sources. It only reads; sources.py plans with it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from kappa import arn as arns
from kappa.arn import Place
from kappa.aws import Aws
from kappa.errors import NotFound
from kappa.settings import Config


@dataclass(frozen=True)
class Topic:
    """A topic that exists. `subscription` is the function's: an ARN, "" or PendingConfirmation."""

    subscription: str = ""


@dataclass(frozen=True)
class SourcesState:
    """Mappings of the function; topics and buckets that exist, by ARN.

    `orphans` are the function's subscriptions to topics that exist no more.
    """

    mappings: tuple[Mapping[str, Any], ...] = ()
    topics: Mapping[str, Topic] = field(default_factory=dict)
    orphans: Mapping[str, str] = field(default_factory=dict)
    buckets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def mapping(self, source_arn: str) -> Mapping[str, Any] | None:
        """The mapping of one stream; one that is being deleted does not count."""
        return next(
            (
                one
                for one in self.mappings
                if one["EventSourceArn"] == source_arn and one["State"] != "Deleting"
            ),
            None,
        )


def read(aws: Aws, config: Config, place: Place) -> SourcesState:
    """Read mappings, subscriptions and notifications, side by side."""
    function_arn = place.function(config.function.name)
    sources = config.function.event_sources
    topic_arns = [one.arn for one in sources if one.service == "sns"]
    bucket_arns = [one.arn for one in sources if one.service == "s3"]
    with ThreadPoolExecutor(8) as pool:
        mappings = pool.submit(_read_mappings, aws, config.function.name)
        topics = list(pool.map(lambda arn: _read_topic(aws, arn, function_arn), topic_arns))
        buckets = list(pool.map(lambda arn: _read_bucket(aws, arn), bucket_arns))
        found = {arn: topic for arn, topic in zip(topic_arns, topics, strict=True) if topic}
        gone = set(topic_arns) - set(found)
        return SourcesState(
            mappings=mappings.result(),
            topics=found,
            orphans=_read_orphans(aws, function_arn, gone) if gone else {},
            buckets={
                arn: bucket
                for arn, bucket in zip(bucket_arns, buckets, strict=True)
                if bucket is not None
            },
        )


def _read_mappings(aws: Aws, function: str) -> tuple[Mapping[str, Any], ...]:
    try:
        found = aws.pages(
            "lambda",
            "list_event_source_mappings",
            f"listing the event sources of {function}",
            "EventSourceMappings",
            {"FunctionName": function},
        )
    except NotFound:
        return ()
    return tuple(found)


def _read_topic(aws: Aws, topic_arn: str, function_arn: str) -> Topic | None:
    try:
        found = aws.pages(
            "sns",
            "list_subscriptions_by_topic",
            f"reading the subscriptions of {topic_arn}",
            "Subscriptions",
            {"TopicArn": topic_arn},
        )
    except NotFound:
        return None
    own = (one["SubscriptionArn"] for one in found if one["Endpoint"] == function_arn)
    return Topic(next(own, ""))


def _read_orphans(aws: Aws, function_arn: str, topic_arns: set[str]) -> dict[str, str]:
    found = aws.pages("sns", "list_subscriptions", "listing the subscriptions", "Subscriptions")
    return {
        one["TopicArn"]: one["SubscriptionArn"]
        for one in found
        if one["Endpoint"] == function_arn and one["TopicArn"] in topic_arns
    }


def _read_bucket(aws: Aws, bucket_arn: str) -> Mapping[str, Any] | None:
    bucket = arns.parse(bucket_arn).name
    try:
        answer = aws.call(
            "s3",
            "get_bucket_notification_configuration",
            f"reading the notifications of {bucket}",
            {"Bucket": bucket},
        )
    except NotFound:
        return None
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}
