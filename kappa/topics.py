"""SNS: a topic's subscription of the function, and what of the topic it lets through.

A subscription has no switch: a source that is disabled is not subscribed.
"""

from __future__ import annotations

import json
from typing import Any

from kappa.errors import NotFound
from kappa.part import Part, unchanged
from kappa.sourcesettings import EventSource
from kappa.sourcestate import SourcesState, Topic
from kappa.steps import Already, Step


def plan(source: EventSource, state: SourcesState) -> Part:
    """Plan the subscription, or what differs of its filter.

    Raises: NotFound, if the topic does not exist.
    """
    topic = state.topics.get(source.arn)
    if topic is None:
        raise NotFound(f"The topic {source.arn} does not exist.", "Make it, or correct its ARN.")
    if not source.enabled:
        off = plan_remove(source, state)
        steps = [one for one in off if isinstance(one, Step)]
        return Part(bool(steps), steps or [unchanged(source, "disabled")])
    old = [_unsubscribe(source, topic.unqualified)] if topic.unqualified else []
    if not topic.subscription:
        return Part(False, [_subscribe(source, state.invoked), *old])
    return Part(True, [*(_filter(source, topic) or [unchanged(source)]), *old])


def plan_remove(source: EventSource, state: SourcesState) -> list[Step | Already]:
    """Plan the end of the subscription, the topic being there or not."""
    topic = state.topics.get(source.arn) or Topic(state.orphans.get(source.arn, ""))
    found = [one for one in (topic.subscription, topic.unqualified) if one]
    return [_unsubscribe(source, one) for one in found] or [Already("gone", source.label)]


def _subscribe(source: EventSource, invoked: str) -> Step:
    params: dict[str, Any] = {
        "TopicArn": source.arn,
        "Protocol": "lambda",
        "Endpoint": invoked,
        "ReturnSubscriptionArn": True,
    }
    attributes = _wanted(source)
    if attributes:
        params["Attributes"] = attributes
    return Step("sns", "subscribe", params, "created", source.label)


def _wanted(source: EventSource, present: str = "") -> dict[str, str]:
    """Say the filter; `present` is the policy that AWS has, which stays if the config has none.

    SNS does not show the scope of a subscription that has no policy, or an empty one.
    """
    filters = json.loads(source.filter_policy or present or "{}")
    wanted = {
        "FilterPolicyScope": (filters and source.filter_policy_scope) or "",
        "FilterPolicy": source.filter_policy,
    }
    return {name: value for name, value in wanted.items() if value}


def _filter(source: EventSource, topic: Topic) -> list[Step | Already]:
    """Plan each attribute that differs.

    The scope comes last when it becomes MessageAttributes: until then the old policy may be
    nested, which that scope refuses.
    """
    wanted = _wanted(source, topic.attributes.get("FilterPolicy", ""))
    if wanted.get("FilterPolicyScope") == "MessageAttributes":
        wanted = dict(reversed(wanted.items()))
    return [
        _set(source, topic, name, value)
        for name, value in wanted.items()
        if _comparable(name, topic.attributes.get(name, "")) != _comparable(name, value)
    ]


def _comparable(name: str, value: str) -> object:
    if name == "FilterPolicy":
        return json.loads(value or "{}")
    return value or "MessageAttributes"


def _set(source: EventSource, topic: Topic, name: str, value: str) -> Step:
    return Step(
        "sns",
        "set_subscription_attributes",
        {
            "SubscriptionArn": topic.subscription,
            "AttributeName": name,
            "AttributeValue": value,
        },
        "updated",
        f"{source.label}: {name}",
        before={"AttributeValue": topic.attributes.get(name, "")},
    )


def _unsubscribe(source: EventSource, subscription: str) -> Step | Already:
    if not subscription.startswith("arn:"):
        # Source: AWS SNS API, Unsubscribe: a pending subscription has no ARN to remove it by.
        return Already("kept", f"{source.label} ({subscription}: AWS drops it after 3 days)")
    params = {"SubscriptionArn": subscription}
    return Step("sns", "unsubscribe", params, "removed", source.label, settled=("NotFound",))
