"""SNS: the function's subscription to a topic, with its filter.

A subscription has no switch, so a disabled source is not subscribed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kappa.arn import invokes, parse_arn, qualifier
from kappa.aws import Aws
from kappa.config.model import Config, EventSource
from kappa.errors import Denied, NotFound
from kappa.plan.step import Note, Plan, Step
from kappa.sources.kind import Adopted, Kind, Occasion, Part, Reading, absent, unchanged
from kappa.sources.state import SourcesState

# Attributes of a subscription that a config has no key for.
_WITHOUT_KEY = ("DeliveryPolicy", "RedrivePolicy", "ReplayPolicy")


class Topic(msgspec.Struct, frozen=True):
    """The function's subscriptions to a topic, and their attributes, by qualifier.

    A subscription is an ARN or PendingConfirmation. It may outlive its topic.
    """

    subscriptions: Mapping[str, str] = msgspec.field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    exists: bool = True


def read(reading: Reading, source: EventSource) -> Topic:
    """Read the function's subscriptions, and the attributes that a plan needs."""
    doing, params = f"reading the subscriptions of {source.arn}", {"TopicArn": source.arn}
    operation = "list_subscriptions_by_topic"
    try:
        listed = reading.aws.pages("sns", operation, doing, "Subscriptions", params)
    except NotFound:
        return Topic(_listed_by_account(reading, source.arn), exists=False)
    except Denied:
        # Another account's topic may refuse this. Our account can list its own subscriptions.
        return _with_attributes(reading, source, _listed_by_account(reading, source.arn))
    return _with_attributes(reading, source, _own(reading, listed))


def _listed_by_account(reading: Reading, topic_arn: str) -> Mapping[str, str]:
    """Find the function's subscriptions to one topic among all of the account's."""
    listed = reading.aws.pages(
        "sns",
        "list_subscriptions",
        "listing the subscriptions",
        "Subscriptions",
        region=parse_arn(topic_arn).region,
    )
    return _own(
        reading, [subscription for subscription in listed if subscription["TopicArn"] == topic_arn]
    )


def _own(reading: Reading, listed: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Select the function's own, by qualifier. SNS still lists removed ones for a while."""
    return {
        qualifier(subscription["Endpoint"]): subscription["SubscriptionArn"]
        for subscription in listed
        if invokes(subscription["Endpoint"], reading.function_arn)
        and (
            _is_confirmed(subscription["SubscriptionArn"])
            or subscription["SubscriptionArn"] == "PendingConfirmation"
        )
    }


def _with_attributes(
    reading: Reading, source: EventSource, subscriptions: Mapping[str, str]
) -> Topic:
    """Read attributes that are compared, or that a subscription loses as it moves or ends."""
    filters, alias = (
        source.filter_policy or source.filter_policy_scope,
        reading.config.function.alias,
    )
    needed = bool(filters or reading.ending or not source.enabled)
    places = {"", alias} if needed else {""} - {alias}
    return Topic(
        subscriptions,
        {
            place: _attributes(reading, subscription)
            for place, subscription in subscriptions.items()
            if place in places and _is_confirmed(subscription)
        },
    )


def _attributes(reading: Reading, subscription: str) -> Mapping[str, str]:
    doing, params = f"reading the filter of {subscription}", {"SubscriptionArn": subscription}
    try:
        answer = reading.aws.call("sns", "get_subscription_attributes", doing, params)
    except NotFound:
        return {}
    attributes: Mapping[str, str] = answer["Attributes"]
    return attributes


def _is_confirmed(subscription: str) -> bool:
    return subscription.startswith("arn:")


def _topic(source: EventSource, state: SourcesState) -> Topic:
    topic: Topic = state.current.get(source.key, Topic(exists=False))
    return topic


def _own_subscriptions(source: EventSource, state: SourcesState) -> dict[str, str]:
    """The config's subscriptions, by qualifier."""
    listed = _topic(source, state).subscriptions
    return {alias: arn for alias, arn in listed.items() if state.is_own(alias)}


def _deliveries(_: Config, source: EventSource, state: SourcesState) -> list[str]:
    return sorted(_topic(source, state).subscriptions)


def plan(_: Config, source: EventSource, state: SourcesState) -> Part:
    """Plan the subscription, or what differs of its filter.

    Raises: NotFound, if the topic does not exist.
    """
    topic = _topic(source, state)
    if not topic.exists:
        raise NotFound(f"The topic {source.arn} does not exist.", "Make it, or correct its ARN.")
    own, attributes = _own_subscriptions(source, state), topic.attributes
    if not source.enabled:
        steps = [
            _unsubscribe(source, subscription, alias, _lost(source, attributes.get(alias, {})))
            for alias, subscription in own.items()
        ]
        return Part(bool(steps), steps or [unchanged(source, "disabled")])
    old = [_unsubscribe(source, own[""], "")] if state.leaves(own) else []
    if state.qualifier not in own:
        kept = attributes.get("", {}) if old else {}
        return Part(bool(old), [_subscribe(source, state, kept)], after=old)
    changes = _filter(source, topic, state.qualifier)
    return Part(True, changes or [unchanged(source)], after=old)


def plan_remove(_: Config, source: EventSource, state: SourcesState) -> Plan:
    """Plan the end of the config's subscriptions, even if the topic is gone."""
    own = _own_subscriptions(source, state)
    steps = [_unsubscribe(source, subscription, alias) for alias, subscription in own.items()]
    return steps or [Note("gone", source.label)]


def _subscribe(source: EventSource, state: SourcesState, kept: Mapping[str, str]) -> Step:
    """Subscribe; attributes that the config does not set come from the subscription that moves."""
    params: dict[str, Any] = {
        "TopicArn": source.arn,
        "Protocol": "lambda",
        "Endpoint": state.target_arn,
        "ReturnSubscriptionArn": True,
    }
    scope = "FilterPolicyScope" if kept.get("FilterPolicy") else ""
    moved = ("FilterPolicy", scope, "RedrivePolicy")
    attributes = {name: kept[name] for name in moved if kept.get(name)} | _desired(source)
    if attributes:
        params["Attributes"] = attributes
    return Step("sns", "subscribe", params, "created", f"{source.label}{_on(state.qualifier)}")


def _on(qualifier: str) -> str:
    return f" on the alias {qualifier}" if qualifier else ""


def _desired(source: EventSource, current_policy: str = "") -> dict[str, str]:
    """The filter's attributes. AWS's `current_policy` stays if the config has none.

    SNS shows no scope for a subscription without a policy or with an empty one.
    """
    filters = json.loads(source.filter_policy or current_policy or "{}")
    desired = {
        "FilterPolicyScope": (filters and source.filter_policy_scope) or "",
        "FilterPolicy": source.filter_policy,
    }
    return {name: value for name, value in desired.items() if value}


def _filter(source: EventSource, topic: Topic, qualifier: str) -> list[Step | Note]:
    """Plan each attribute that differs.

    The scope MessageAttributes is set last, since it refuses the old policy if that is nested.
    """
    current = topic.attributes.get(qualifier, {})
    desired = _desired(source, current.get("FilterPolicy", ""))
    if desired.get("FilterPolicyScope") == "MessageAttributes":
        desired = dict(reversed(desired.items()))
    subscription = topic.subscriptions[qualifier]
    return [
        _set(source, subscription, current, name, value)
        for name, value in desired.items()
        if _comparable(name, current.get(name, "")) != _comparable(name, value)
    ]


def _comparable(name: str, value: str) -> object:
    if name == "FilterPolicy":
        return json.loads(value or "{}")
    return value or "MessageAttributes"


def _set(
    source: EventSource, subscription: str, current: Mapping[str, str], name: str, value: str
) -> Step:
    return Step(
        "sns",
        "set_subscription_attributes",
        {
            "SubscriptionArn": subscription,
            "AttributeName": name,
            "AttributeValue": value,
        },
        "updated",
        f"{source.label}: {name}",
        before={"AttributeValue": current.get(name, "")},
    )


def _lost(source: EventSource, attributes: Mapping[str, str]) -> str:
    """Name the attributes that are lost with a subscription and that the config does not have."""
    kept = {"FilterPolicy"} if source.filter_policy else set()
    lost = [
        name
        for name in ("FilterPolicy", "RedrivePolicy")
        if attributes.get(name) and name not in kept
    ]
    return f" (its {', '.join(lost)} too, which the config does not have)" if lost else ""


def _unsubscribe(
    source: EventSource, subscription: str, qualifier: str, note: str = ""
) -> Step | Note:
    if not _is_confirmed(subscription):
        # Source: AWS SNS API, Unsubscribe: a pending subscription has no ARN to remove it by.
        return Note("kept", f"{source.label} ({subscription}: AWS drops it after 3 days)")
    params = {"SubscriptionArn": subscription}
    label = f"{source.label}{_on(qualifier)}{note}"
    return Step("sns", "unsubscribe", params, "removed", label, settled=("NotFound",))


def _describe(_: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    topic = _topic(source, state)
    if not topic.exists:
        return {"state": "topic is gone"}
    listed = list(_own_subscriptions(source, state).values())
    is_subscribed = any(map(_is_confirmed, listed))
    return {"state": "Subscribed" if is_subscribed else next(iter(listed), absent(source))}


def adopt(aws: Aws, topic: str, function: str, doing: str) -> Adopted:
    """Read the function's subscription to a topic as a config section."""
    params = {"TopicArn": topic}
    listed = aws.pages("sns", "list_subscriptions_by_topic", doing, "Subscriptions", params)
    own = next(
        (
            subscription["SubscriptionArn"]
            for subscription in listed
            if subscription["Endpoint"] == function
        ),
        None,
    )
    if own is None:
        return Adopted()
    if not _is_confirmed(own):
        return Adopted(left_out=(f"subscription to {topic}: {own}",))
    which = {"SubscriptionArn": own}
    attributes = aws.call("sns", "get_subscription_attributes", doing, which)["Attributes"]
    source = {"arn": topic}
    if attributes.get("FilterPolicy"):
        source["filter_policy"] = attributes["FilterPolicy"]
        if attributes.get("FilterPolicyScope") == "MessageBody":
            source["filter_policy_scope"] = "MessageBody"
    extra = [key for key in _WITHOUT_KEY if attributes.get(key)]
    return Adopted(
        (source,), tuple(f"of event source {topic}: {key}: {attributes[key]}" for key in extra)
    )


def sample(source: EventSource, occasion: Occasion) -> dict[str, Any]:
    """Make the event of a message that the filter lets through.

    Source: AWS Lambda guide, "Invoking Lambda functions with Amazon SNS notifications".
    """
    from kappa.sources.pattern_examples import example

    wanted = example(json.loads(source.filter_policy or "{}"))
    in_body = source.filter_policy_scope == "MessageBody"
    text = json.dumps(wanted) if in_body and wanted and not occasion.body else occasion.text
    region = parse_arn(source.arn).region
    subscription = f"{source.arn}:21be56ed-a058-49f5-8c98-aedd2564c486"
    host = f"https://sns.{region}.amazonaws.com"
    message = {
        "SignatureVersion": "1",
        "Timestamp": occasion.time,
        "Signature": "EXAMPLE",
        "SigningCertUrl": f"{host}/SimpleNotificationService-EXAMPLE.pem",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "Message": text,
        "MessageAttributes": {} if in_body else {key: _sent(wanted[key]) for key in wanted},
        "Type": "Notification",
        "UnsubscribeUrl": f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription}",
        "TopicArn": source.arn,
        "Subject": None,
    }
    record = {"EventVersion": "1.0", "EventSubscriptionArn": subscription, "EventSource": "aws:sns"}
    return {"Records": [{**record, "Sns": message}]}


def _sent(value: object) -> dict[str, str]:
    """An attribute of a message, whose value is always a text."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = value if isinstance(value, str) else json.dumps(value)
    return {"Type": "Number" if is_number else "String", "Value": text}


KIND = Kind(
    read=read,
    deliveries=_deliveries,
    plan=plan,
    plan_remove=plan_remove,
    describe=_describe,
    adopt=adopt,
    sample=sample,
)
