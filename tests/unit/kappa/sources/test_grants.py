"""The permissions of event sources: which is enough, which is made, which goes."""

import pytest
from msgspec.structs import replace

from kappa.arn import Place
from kappa.errors import Conflict
from kappa.function.permissions import Statement
from kappa.sources.plan import (
    plan_sources,
    plan_sources_remove,
)
from kappa.sources.sns import Topic
from kappa.sources.state import SourcesState
from tests.support.builders import assert_valid, kappa_config
from tests.support.kappa.event_sources import (
    BUCKET,
    FUNCTION,
    INVOKE,
    MAY_S3,
    MAY_SNS,
    PHOTOS,
    PLACE,
    SUBSCRIPTION,
    TOPIC,
    add,
    invoking,
)


def test_a_topic_that_may_invoke_already_gets_no_second_permission():
    plan = add({"arn": TOPIC}, SourcesState(current={TOPIC: Topic()}), (MAY_SNS,))
    assert [step.operation for step in plan] == ["subscribe"]


@pytest.mark.parametrize(
    "has",
    [
        Statement("any", "sns.amazonaws.com", INVOKE, TOPIC, principal_org_id="o-1234567890"),
        Statement("any", "sns.amazonaws.com", INVOKE, "arn:aws:sns:us-east-1:123456789012:*"),
        Statement("any", "sns.amazonaws.com", "lambda:*", TOPIC),
        Statement("any", "sns.amazonaws.com", INVOKE, TOPIC, "210987654321"),
        Statement("any", "sns.amazonaws.com", INVOKE, TOPIC, foreign="{}"),
        Statement("any", "sns.amazonaws.com", INVOKE),
        replace(MAY_SNS, statement_id="by-hand"),
    ],
)
def test_only_the_statement_with_kappas_id_lets_a_topic_in(has):
    plan = add({"arn": TOPIC}, SourcesState(current={TOPIC: Topic()}), (has,))
    assert [step.operation for step in plan] == ["add_permission", "subscribe"]


def test_a_buckets_statement_without_an_account_is_not_enough():
    has = Statement("any", "s3.amazonaws.com", INVOKE, BUCKET)
    source = {"arn": BUCKET, "events": ("s3:ObjectCreated:*",)}
    plan = add(source, SourcesState(current={BUCKET: {}}), (has,))
    assert plan[0].params["SourceAccount"] == "123456789012"


def test_the_configs_own_permission_is_used_for_its_topic():
    grant = {
        "statement_id": "sns_invoke",
        "action": "lambda:invokeFunction",
        "principal": "sns.amazonaws.com",
        "source_arn": TOPIC,
    }
    plan = add({"arn": TOPIC}, SourcesState(current={TOPIC: Topic()}), grants=[grant])
    assert plan[0].params["StatementId"] == "sns_invoke"


@pytest.mark.parametrize(
    ("topic_in", "function_in", "principal"),
    [
        ("ap-east-1", "us-east-1", "sns.ap-east-1.amazonaws.com"),
        ("eu-south-1", "us-east-1", "sns.eu-south-1.amazonaws.com"),
        ("eu-west-1", "us-east-1", "sns.amazonaws.com"),
        ("ap-east-1", "ap-east-1", "sns.amazonaws.com"),
    ],
)
def test_a_topic_is_let_in_by_the_name_that_sns_calls_with(topic_in, function_in, principal):
    arn = f"arn:aws:sns:{topic_in}:123456789012:news"
    config = kappa_config({"sources": [{"arn": arn}]})
    place = Place("aws", function_in, "123456789012")
    state = SourcesState(current={arn: Topic()}, target_arn=place.function_arn("greeter"))
    assert plan_sources(config, place, state, ())[0].params["Principal"] == principal


@pytest.mark.parametrize("foreign", ["", '{"Effect": "Deny"}'])
def test_a_statement_of_kappas_id_that_differs_is_replaced_unless_a_config_cannot_express_it(
    foreign,
):
    has = replace(MAY_SNS, principal="*", foreign=foreign)
    state = SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION})})
    if foreign:
        with pytest.raises(Conflict, match="that a config cannot express"):
            add({"arn": TOPIC}, state, (has,))
        return
    plan = add({"arn": TOPIC}, state, (has,))
    assert [item.mark for item in plan] == ["removed", "created", "exists"]


def test_remove_takes_back_the_permission_that_kappa_gave_and_no_other():
    (grant, _) = add({"arn": TOPIC}, SourcesState(current={TOPIC: Topic()}))
    given = Statement(grant.params["StatementId"], "sns.amazonaws.com", INVOKE, TOPIC)
    config = kappa_config({"sources": [{"arn": TOPIC}]})
    state = SourcesState(current={TOPIC: Topic({"": SUBSCRIPTION})}, target_arn=FUNCTION)
    by_hand = replace(MAY_SNS, statement_id="by-hand")
    plan = plan_sources_remove(config, PLACE, state, (given, by_hand))
    assert_valid(plan)
    assert [step.operation for step in plan] == ["unsubscribe", "remove_permission"]
    assert plan[1].params == {"FunctionName": "greeter", "StatementId": given.statement_id}


def test_remove_leaves_the_permission_of_a_bucket_that_it_may_not_read():
    (grant, _) = add(PHOTOS, SourcesState(current={BUCKET: {}}))
    given = replace(MAY_S3, statement_id=grant.params["StatementId"])
    state = invoking(SourcesState(unread={BUCKET: "AWS refused it"}))
    config = kappa_config({"sources": [PHOTOS]})
    assert [item.mark for item in plan_sources_remove(config, PLACE, state, (given,))] == ["kept"]
