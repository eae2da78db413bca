"""Event sources: what is planned for all of them together."""

import pytest

from kappa.sources.plan import (
    plan_sources,
    plan_sources_delete,
)
from kappa.sources.sns import Topic
from kappa.sources.state import SourcesState
from tests.support.builders import assert_valid, kappa_config
from tests.support.kappa.event_sources import (
    FUNCTION,
    LIVE,
    MAY_SNS,
    PLACE,
    QUEUE,
    STREAM,
    SUBSCRIPTION,
    TOPIC,
    UUID,
    add,
    delete,
    invoking,
    mapping,
    update,
)


@pytest.mark.parametrize("arn", [TOPIC, STREAM])
def test_update_says_what_is_missing_and_adds_nothing(arn):
    state = SourcesState(current={TOPIC: Topic()})
    assert [item.mark for item in update({"arn": arn}, state)] == ["missing"]


@pytest.mark.parametrize("source", [{"arn": TOPIC}, {"arn": STREAM}])
def test_delete_of_a_source_that_is_gone_says_so(source):
    assert [item.mark for item in delete(source, SourcesState())] == ["gone"]


def test_an_alias_is_what_is_mapped_subscribed_and_permitted():
    on_live = SourcesState(current={TOPIC: Topic()}, target_arn=LIVE)
    permission, subscription = add({"arn": TOPIC}, on_live, alias="live")
    assert permission.params["Qualifier"] == "live"
    assert subscription.params["Endpoint"] == LIVE
    (created,) = add({"arn": STREAM}, on_live, alias="live")
    assert created.params["FunctionName"] == "greeter:live"
    assert created.wait.params["FunctionName"] == "greeter:live"


def test_what_was_bound_to_the_function_is_moved_to_its_alias():
    state = SourcesState(
        (mapping(FunctionArn=FUNCTION),),
        {TOPIC: Topic({"": SUBSCRIPTION})},
        target_arn=LIVE,
    )
    (moved,) = update({"arn": STREAM}, state, alias="live")
    assert moved.params == {"UUID": UUID, "FunctionName": "greeter:live"}
    assert moved.before == {"FunctionName": FUNCTION}
    plan = add({"arn": TOPIC}, state, (MAY_SNS,), alias="live")
    assert [step.operation for step in plan] == ["add_permission", "subscribe", "unsubscribe"]


def whole(config, state, statements=()):
    plan = plan_sources(config, PLACE, invoking(state), statements)
    assert_valid(plan)
    return [item.mark for item in plan]


def test_the_plan_of_all_adds_what_is_missing_and_updates_what_differs():
    config = kappa_config(
        {"sources": [{"arn": STREAM, "batch_size": 7}, {"arn": QUEUE}, {"arn": TOPIC}]}
    )
    state = SourcesState((mapping(),), current={TOPIC: Topic({"": SUBSCRIPTION})})
    assert whole(config, state, (MAY_SNS,)) == ["updated", "created", "unchanged"]


def test_delete_names_a_source_that_it_may_not_read_and_goes_on():
    state = SourcesState((mapping(),), unread={TOPIC: "AWS refused reading the subscriptions"})
    config = kappa_config({"sources": [{"arn": TOPIC}, {"arn": STREAM}]})
    assert [item.mark for item in plan_sources_delete(config, state)] == ["kept", "removed"]
