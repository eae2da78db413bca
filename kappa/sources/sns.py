"""SNS: a topic's subscription of the function, and what of the topic it lets through.

A subscription has no switch: a source that is disabled is not subscribed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kappa.config.model import EventSource
from kappa.errors import NotFound
from kappa.plan.step import Already, Step
from kappa.sources.part import Part, unchanged
from kappa.sources.state import SourcesState, Topic


def plan(source: EventSource, state: SourcesState) -> Part:
    """Plan the subscription, or what differs of its filter.

    Raises: NotFound, if the topic does not exist.
    """
    topic = state.topics.get(source.arn)
    if topic is None:
        raise NotFound(f"The topic {source.arn} does not exist.", "Make it, or correct its ARN.")
    if not source.enabled:
        own = {state.qualifier, *state.away(topic.subscriptions)}
        steps = [
            _unsubscribe(source, subscription, one, _lost(source, topic.attributes.get(one, {})))
            for one, subscription in topic.subscriptions.items()
            if one in own
        ]
        return Part(bool(steps), steps or [unchanged(source, "disabled")])
    away = state.away(topic.subscriptions)
    old = [_unsubscribe(source, topic.subscriptions[one], one) for one in away]
    if state.qualifier not in topic.subscriptions:
        kept = topic.attributes.get(away[0], {}) if away else {}
        return Part(bool(away), [_subscribe(source, state, kept)], moves=bool(away), after=old)
    changes = _filter(source, topic, state.qualifier)
    return Part(True, changes or [unchanged(source)], after=old)


def plan_remove(source: EventSource, state: SourcesState) -> list[Step | Already]:
    """Plan the end of every subscription of the function, the topic being there or not."""
    found = state.subscriptions(source.arn)
    steps = [_unsubscribe(source, subscription, one) for one, subscription in found.items()]
    return steps or [Already("gone", source.label)]


def _subscribe(source: EventSource, state: SourcesState, kept: Mapping[str, str]) -> Step:
    """Subscribe; what the config does not say is taken from the subscription that is moved."""
    params: dict[str, Any] = {
        "TopicArn": source.arn,
        "Protocol": "lambda",
        "Endpoint": state.invoked,
        "ReturnSubscriptionArn": True,
    }
    scope = "FilterPolicyScope" if kept.get("FilterPolicy") else ""
    taken = ("FilterPolicy", scope, "RedrivePolicy")
    attributes = {name: kept[name] for name in taken if kept.get(name)} | _wanted(source)
    if attributes:
        params["Attributes"] = attributes
    return Step("sns", "subscribe", params, "created", f"{source.label}{_on(state.qualifier)}")


def _on(qualifier: str) -> str:
    return f" on the alias {qualifier}" if qualifier else ""


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


def _filter(source: EventSource, topic: Topic, qualifier: str) -> list[Step | Already]:
    """Plan each attribute that differs.

    The scope comes last when it becomes MessageAttributes: until then the old policy may be
    nested, which that scope refuses.
    """
    has = topic.attributes.get(qualifier, {})
    wanted = _wanted(source, has.get("FilterPolicy", ""))
    if wanted.get("FilterPolicyScope") == "MessageAttributes":
        wanted = dict(reversed(wanted.items()))
    subscription = topic.subscriptions[qualifier]
    return [
        _set(source, subscription, has, name, value)
        for name, value in wanted.items()
        if _comparable(name, has.get(name, "")) != _comparable(name, value)
    ]


def _comparable(name: str, value: str) -> object:
    if name == "FilterPolicy":
        return json.loads(value or "{}")
    return value or "MessageAttributes"


def _set(
    source: EventSource, subscription: str, has: Mapping[str, str], name: str, value: str
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
        before={"AttributeValue": has.get(name, "")},
    )


def _lost(source: EventSource, has: Mapping[str, str]) -> str:
    """Say what a subscription takes with it that the config does not bring back."""
    said = {"FilterPolicy"} if source.filter_policy else set()
    lost = [one for one in ("FilterPolicy", "RedrivePolicy") if has.get(one) and one not in said]
    return f" (its {', '.join(lost)} too, which the config does not say)" if lost else ""


def _unsubscribe(
    source: EventSource, subscription: str, qualifier: str, note: str = ""
) -> Step | Already:
    if not subscription.startswith("arn:"):
        # Source: AWS SNS API, Unsubscribe: a pending subscription has no ARN to remove it by.
        return Already("kept", f"{source.label} ({subscription}: AWS drops it after 3 days)")
    params = {"SubscriptionArn": subscription}
    label = f"{source.label}{_on(qualifier)}{note}"
    return Step("sns", "unsubscribe", params, "removed", label, settled=("NotFound",))
