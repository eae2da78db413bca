"""What AWS has of the function's event sources. It only reads; sources.py plans with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kappa import arn as arns
from kappa.arn import Place
from kappa.aws import Aws
from kappa.errors import NotFound
from kappa.settings import Config
from kappa.sourcesettings import EventSource

T = TypeVar("T")

# Services that call the function; Lambda polls the others, by a mapping.
_CALLERS = ("events", "s3", "sns")


@dataclass(frozen=True)
class Topic:
    """A topic that exists. `subscription` is the function's: an ARN, "" or PendingConfirmation.

    `attributes` are the subscription's, read when the config filters. `unqualified` is one of
    the function itself, where the config wants its alias to be subscribed.
    """

    subscription: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    unqualified: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule of EventBridge that exists, and all that it invokes."""

    settings: Mapping[str, Any]
    targets: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class SourcesState:
    """Mappings of the function; topics, buckets and rules that exist, by the source's key.

    `orphans` are the function's subscriptions to topics that exist no more. `invoked` is the
    ARN that the sources shall invoke: the function's, or its alias's.
    """

    mappings: tuple[Mapping[str, Any], ...] = ()
    topics: Mapping[str, Topic] = field(default_factory=dict)
    orphans: Mapping[str, str] = field(default_factory=dict)
    buckets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    url: Mapping[str, Any] | None = None
    invoked: str = ""

    def mapping(self, source_arn: str) -> Mapping[str, Any] | None:
        """The mapping of one stream or queue; one that is being deleted does not count.

        The one of the function itself stands in for the alias's: it is to be moved there.
        """
        there = {
            one.get("FunctionArn", self.invoked): one
            for one in self.mappings
            if one["EventSourceArn"] == source_arn and one["State"] != "Deleting"
        }
        return there.get(self.invoked) or there.get(unqualified(self.invoked))


def unqualified(function_arn: str) -> str:
    """Take the alias or version off a function's ARN, which has seven parts without."""
    return ":".join(function_arn.split(":")[:7])


def read(aws: Aws, config: Config, place: Place, *, extra: bool = True) -> SourcesState:
    """Read mappings, subscriptions, notifications, rules and the URL, side by side.

    Mappings that the config does not name are read too, if those `extra` ones matter.
    """
    invoked = place.function_arn(config.function.name, config.function.alias)
    sources = config.function.event_sources
    with ThreadPoolExecutor(8) as pool:

        def ask(service: str, read_one: Callable[[EventSource], T]) -> dict[str, Future[T]]:
            asked = [one for one in sources if one.service == service]
            return {one.key: pool.submit(read_one, one) for one in asked}

        polled = any(one.service not in _CALLERS for one in sources)
        mappings = pool.submit(_read_mappings, aws, config) if polled or extra else None
        url = pool.submit(_read_url, aws, config) if config.function.url else None
        asked = ask("sns", lambda one: _read_topic(aws, one, invoked))
        buckets = ask("s3", lambda one: _read_bucket(aws, one.arn))
        rules = ask("events", lambda one: _read_rule(aws, config, one))
        topics = _there(asked)
        gone = set(asked) - set(topics)
        return SourcesState(
            mappings=mappings.result() if mappings else (),
            topics=topics,
            orphans=_read_orphans(aws, invoked, gone) if gone else {},
            buckets=_there(buckets),
            rules=_there(rules),
            url=url.result() if url else None,
            invoked=invoked,
        )


def _there(asked: Mapping[str, Future[T | None]]) -> dict[str, T]:
    answers = {key: one.result() for key, one in asked.items()}
    return {key: found for key, found in answers.items() if found is not None}


def _read_mappings(aws: Aws, config: Config) -> tuple[Mapping[str, Any], ...]:
    """List by function. An alias has a list of its own, so it takes two calls."""
    name, alias = config.function.name, config.function.alias
    found = _list_mappings(aws, name)
    if alias:
        found += _list_mappings(aws, f"{name}:{alias}")
    return tuple({one["UUID"]: one for one in found}.values())


def _list_mappings(aws: Aws, function: str) -> list[Mapping[str, Any]]:
    try:
        return aws.pages(
            "lambda",
            "list_event_source_mappings",
            f"listing the event sources of {function}",
            "EventSourceMappings",
            {"FunctionName": function},
        )
    except NotFound:
        return []


def _read_topic(aws: Aws, source: EventSource, invoked: str) -> Topic | None:
    try:
        found = aws.pages(
            "sns",
            "list_subscriptions_by_topic",
            f"reading the subscriptions of {source.arn}",
            "Subscriptions",
            {"TopicArn": source.arn},
        )
    except NotFound:
        return None
    by_endpoint = {one["Endpoint"]: one["SubscriptionArn"] for one in found}
    subscription = by_endpoint.get(invoked, "")
    bare = unqualified(invoked)
    return Topic(
        subscription,
        _read_filter(aws, source, subscription),
        by_endpoint.get(bare, "") if bare != invoked else "",
    )


def _read_filter(aws: Aws, source: EventSource, subscription: str) -> Mapping[str, str]:
    filters = source.filter_policy or source.filter_policy_scope
    if not filters or not subscription.startswith("arn:"):
        return {}
    answer = aws.call(
        "sns",
        "get_subscription_attributes",
        f"reading the filter of {subscription}",
        {"SubscriptionArn": subscription},
    )
    found: Mapping[str, str] = answer["Attributes"]
    return found


def _read_orphans(aws: Aws, invoked: str, topic_arns: set[str]) -> dict[str, str]:
    found = aws.pages("sns", "list_subscriptions", "listing the subscriptions", "Subscriptions")
    return {
        one["TopicArn"]: one["SubscriptionArn"]
        for one in found
        if one["Endpoint"] == invoked and one["TopicArn"] in topic_arns
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


def rule_names(function: str, source: EventSource) -> dict[str, str]:
    """The rule's name, as DescribeRule wants it, and its bus unless that is the default one."""
    if source.name:
        return {"Name": f"{function}-{source.name}"}
    *bus, name = arns.parse(source.arn).resource.removeprefix("rule/").split("/")
    return {"Name": name, **({"EventBusName": "/".join(bus)} if bus else {})}


def _read_rule(aws: Aws, config: Config, source: EventSource) -> Rule | None:
    names = rule_names(config.function.name, source)
    bus = {key: value for key, value in names.items() if key == "EventBusName"}
    doing = f"reading the rule {names['Name']}"
    try:
        settings = aws.call("events", "describe_rule", doing, names)
    except NotFound:
        return None
    targets = aws.pages(
        "events", "list_targets_by_rule", doing, "Targets", {"Rule": names["Name"], **bus}
    )
    return Rule(settings, tuple(targets))


def _read_url(aws: Aws, config: Config) -> Mapping[str, Any] | None:
    name, alias = config.function.name, config.function.alias
    qualifier = {"Qualifier": alias} if alias else {}
    params = {"FunctionName": name, **qualifier}
    try:
        return aws.call("lambda", "get_function_url_config", f"reading the URL of {name}", params)
    except NotFound:
        return None
