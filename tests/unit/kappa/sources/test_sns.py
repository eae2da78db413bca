"""SNS: what is planned for a topic and its subscription."""

import pytest

from kappa.errors import NotFound
from kappa.plan.step import Note, Step
from kappa.sources.sns import Topic
from kappa.sources.state import SourcesState
from tests.support.kappa.event_sources import (
    FUNCTION,
    MAY_SNS,
    SUBSCRIPTION,
    TOPIC,
    add,
    delete,
    switch,
    update,
)


def test_a_topic_gets_a_permission_and_a_subscription():
    plan = add({"arn": TOPIC}, SourcesState(current={TOPIC: Topic()}))
    assert [step.operation for step in plan] == ["add_permission", "subscribe"]
    assert plan[0].params["SourceArn"] == TOPIC
    assert plan[1] == Step(
        "sns",
        "subscribe",
        {
            "TopicArn": TOPIC,
            "Protocol": "lambda",
            "Endpoint": FUNCTION,
            "ReturnSubscriptionArn": True,
        },
        "created",
        "event source sns news",
    )


def test_a_topic_added_twice_is_there_already():
    state = SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION})})
    assert add({"arn": TOPIC}, state, (MAY_SNS,)) == [Note("exists", "event source sns news")]


def test_a_topic_that_is_missing_is_said():
    with pytest.raises(NotFound, match="news does not exist"):
        add({"arn": TOPIC}, SourcesState())


def test_update_leaves_a_subscription():
    state = SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION})})
    assert update({"arn": TOPIC}, state)[0].mark == "unchanged"


def test_delete_unsubscribes():
    (step,) = delete({"arn": TOPIC}, SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION})}))
    assert (step.operation, step.params) == ("unsubscribe", {"SubscriptionArn": SUBSCRIPTION})


def test_delete_removes_a_subscription_whose_topic_is_gone():
    (step,) = delete(
        {"arn": TOPIC}, SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION}, exists=False)})
    )
    assert step.params == {"SubscriptionArn": SUBSCRIPTION}


def test_delete_says_that_a_pending_subscription_cannot_be_removed():
    state = SourcesState(current={TOPIC: Topic({"": "PendingConfirmation"})})
    assert delete({"arn": TOPIC}, state)[0].mark == "kept"


FILTERED = {"arn": TOPIC, "filter_policy_scope": "MessageBody"}


@pytest.mark.parametrize(
    ("said", "has", "sent"),
    [
        # Recorded: SNS does not show the scope of a subscription without a policy.
        ({}, {}, []),
        ({"filter_policy": "{}"}, {}, []),
        ({"filter_policy": "{}"}, {"FilterPolicy": "{}"}, []),
        ({"filter_policy": '{"a": [1]}'}, {}, ["FilterPolicyScope", "FilterPolicy"]),
        ({}, {"FilterPolicy": '{"a": [1]}'}, ["FilterPolicyScope"]),
        (
            {"filter_policy": '{"a": [1]}'},
            {"FilterPolicy": '{"a":[1]}', "FilterPolicyScope": "MessageBody"},
            [],
        ),
    ],
)
def test_the_scope_of_a_filter_counts_only_beside_a_policy(said, has, sent):
    state = SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION}, {"": has})})
    plan = update({**FILTERED, **said}, state)
    names = [item.params["AttributeName"] for item in plan if isinstance(item, Step)]
    assert names == sent


def test_a_topics_filter_goes_along_with_its_subscription():
    source = {
        "arn": TOPIC,
        "filter_policy": '{"kind": ["tea"]}',
        "filter_policy_scope": "MessageBody",
    }
    plan = add(source, SourcesState(current={TOPIC: Topic()}), (MAY_SNS,))
    assert plan[0].params["Attributes"] == {
        "FilterPolicy": '{"kind": ["tea"]}',
        "FilterPolicyScope": "MessageBody",
    }


@pytest.mark.parametrize(
    ("scope", "has", "order"),
    [
        ("MessageBody", {}, ["FilterPolicyScope", "FilterPolicy"]),
        (
            "MessageAttributes",
            {"FilterPolicyScope": "MessageBody"},
            ["FilterPolicy", "FilterPolicyScope"],
        ),
        ("MessageAttributes", {}, ["FilterPolicy"]),
        ("MessageAttributes", {"FilterPolicy": '{"kind":["tea"]}'}, []),
    ],
)
def test_a_filters_policy_never_meets_a_scope_that_refuses_it(scope, has, order):
    source = {"arn": TOPIC, "filter_policy": '{"kind": ["tea"]}', "filter_policy_scope": scope}
    plan = update(source, SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION}, {"": has})}))
    steps = [item for item in plan if isinstance(item, Step)]
    assert [step.params["AttributeName"] for step in steps] == order


def test_a_disabled_topic_is_not_subscribed():
    off = {"arn": TOPIC, "enabled": False}
    assert [item.mark for item in add(off, SourcesState(current={TOPIC: Topic()}))] == ["unchanged"]
    (step,) = update(off, SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION})}))
    assert (step.operation, step.mark) == ("unsubscribe", "removed")


def test_disabling_a_topic_says_which_settings_made_by_hand_are_lost():
    has = {"FilterPolicy": '{"kind": ["tea"]}', "RedrivePolicy": "{}"}
    state = SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION}, {"": has})})
    (step,) = switch({"arn": TOPIC}, state, False)
    assert "(its FilterPolicy, RedrivePolicy too, which the config does not have)" in step.message
    (step,) = switch({"arn": TOPIC, "filter_policy": '{"kind": ["tea"]}'}, state, False)
    assert "(its RedrivePolicy too" in step.message
