"""The event sources of an existing function."""

import pytest

from kappa.commands.init_from.sources import adopt_sources
from kappa.function.permissions import read_statement
from kappa.sources import polled
from tests.support.kappa.existing import SETTINGS, Answers, raw


def test_a_mapping_says_only_what_lambda_would_not_say_itself():
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    plain = {
        "EventSourceArn": arn,
        "State": "Enabled",
        "BatchSize": 100,
        "MaximumRetryAttempts": -1,
        "BisectBatchOnFunctionError": False,
        "StartingPosition": "LATEST",
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
    }
    assert polled.adopt(plain).sections[0] == {
        "arn": arn,
        "batch_size": 100,
        "starting_position": "LATEST",
    }
    more = {
        "State": "Disabled",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 5},
        "FilterCriteria": {"Filters": [{"Pattern": '{"a": [1]}'}]},
    }
    assert polled.adopt(plain | more).sections[0] == {
        "arn": arn,
        "batch_size": 100,
        "starting_position": "LATEST",
        "enabled": False,
        "report_batch_item_failures": True,
        "maximum_concurrency": 5,
        "filter_criteria": ['{"a": [1]}'],
    }


MSK = "arn:aws:kafka:eu-west-1:123456789012:cluster/c/0-1"


QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q"
MQ = "arn:aws:mq:eu-west-1:123456789012:broker:b:b-1"
DOCUMENTS = "arn:aws:rds:eu-west-1:123456789012:cluster:d"
KAFKA = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:9092"]}}


@pytest.mark.parametrize(
    ("mapping", "section"),
    [
        (
            {
                "EventSourceArn": MSK,
                "Topics": ["t"],
                "MetricsConfig": {"Metrics": ["EventCount"]},
                "ProvisionedPollerConfig": {"MinimumPollers": 2},
            },
            {
                "arn": MSK,
                "topics": ["t"],
                "metrics_config": {"metrics": ["EventCount"]},
                "provisioned_poller_config": {"minimum_pollers": 2},
            },
        ),
        ({"EventSourceArn": MQ, "Queues": ["q"]}, {"arn": MQ, "queues": ["q"]}),
        (
            {"EventSourceArn": DOCUMENTS, "DocumentDBEventSourceConfig": {"DatabaseName": "d"}},
            {"arn": DOCUMENTS, "document_db_event_source_config": {"database_name": "d"}},
        ),
        (
            {"SelfManagedEventSource": KAFKA, "Topics": ["tea"]},
            {
                "self_managed_event_source": {
                    "endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:9092"]}
                },
                "topics": ["tea"],
            },
        ),
    ],
)
def test_each_kind_of_mapping_is_written(mapping, section):
    mapping = {"UUID": "1", "State": "Enabled", "FunctionArn": SETTINGS["FunctionArn"], **mapping}
    account = Answers(list_event_source_mappings={"EventSourceMappings": [mapping]})
    sources = adopt_sources(account, SETTINGS["FunctionArn"], ())
    assert sources.sections == (section,)
    assert sources.left_out == ()


def test_what_a_config_cannot_hold_of_a_mapping_is_named():
    common = {"UUID": "1", "State": "Enabled", "FunctionArn": SETTINGS["FunctionArn"]}
    error = {"ErrorCode": "KMSAccessDenied", "Message": "kms says no"}
    mappings = [
        {**common, "EventSourceArn": QUEUE, "FilterCriteriaError": error},
        {**common, "EventSourceArn": "arn:aws:tomorrow:eu-west-1:123456789012:t"},
    ]
    account = Answers(list_event_source_mappings={"EventSourceMappings": mappings})
    sources = adopt_sources(account, SETTINGS["FunctionArn"], ())
    assert sources.left_out == (
        "filters of event source q: kms says no",
        "event source arn:aws:tomorrow:eu-west-1:123456789012:t: of a kind that kappa lacks",
    )


TOPIC = "arn:aws:sns:eu-west-1:123456789012:news"


@pytest.mark.parametrize(
    ("condition", "found_sources"),
    [
        ({"ArnLike": {"AWS:SourceArn": TOPIC}}, [{"arn": TOPIC}]),
        (
            {
                "ArnLike": {"AWS:SourceArn": TOPIC},
                "StringEquals": {"aws:PrincipalOrgID": "o-1234567890"},
            },
            [],
        ),
        ({"ArnLike": {"AWS:SourceArn": TOPIC}, "Bool": {"aws:SecureTransport": "true"}}, []),
        ({"ArnLike": {"AWS:SourceArn": f"{TOPIC[:-4]}*"}}, []),
    ],
)
def test_a_source_is_adopted_only_with_its_permission(condition, found_sources):
    statement = raw(Principal={"Service": "sns.amazonaws.com"}, Condition=condition)
    listed = {"Endpoint": SETTINGS["FunctionArn"], "SubscriptionArn": f"{TOPIC}:1"}
    account = Answers(
        list_event_source_mappings={},
        list_subscriptions_by_topic={"Subscriptions": [listed]},
        get_subscription_attributes={"Attributes": {}},
    )
    statements = (read_statement(statement, "greeter"),)
    sources = adopt_sources(account, SETTINGS["FunctionArn"], statements)
    assert list(sources.sections) == found_sources
    assert bool(sources.left_out) == (not found_sources)
    assert all("sns" in one and "permission any" in one for one in sources.left_out)


def test_a_topic_of_an_opt_in_region_is_adopted():
    topic = TOPIC.replace("eu-west-1", "ap-east-1")
    function = SETTINGS["FunctionArn"]
    condition = {"ArnLike": {"AWS:SourceArn": topic}}
    account = Answers(
        list_event_source_mappings={},
        list_subscriptions_by_topic={
            "Subscriptions": [{"Endpoint": function, "SubscriptionArn": f"{topic}:1"}]
        },
        get_subscription_attributes={"Attributes": {}},
    )
    principal = {"Service": "sns.ap-east-1.amazonaws.com"}
    statement = read_statement(raw(Principal=principal, Condition=condition), "greeter")
    assert adopt_sources(account, function, (statement,)).sections == ({"arn": topic},)


def rule_sources(targets, **rule):
    arn = "arn:aws:events:eu-west-1:123456789012:rule/nightly"
    statement = raw(
        Principal={"Service": "events.amazonaws.com"},
        Condition={"ArnLike": {"AWS:SourceArn": arn}},
    )
    default = {"Name": "nightly", "ScheduleExpression": "rate(1 day)", "State": "ENABLED"}
    account = Answers(
        list_event_source_mappings={},
        list_targets_by_rule={
            "Targets": [{"Arn": SETTINGS["FunctionArn"], **one} for one in targets]
        },
        describe_rule=default | rule,
    )
    statements = (read_statement(statement, "greeter"),)
    return adopt_sources(account, SETTINGS["FunctionArn"], statements)


def test_a_rule_is_adopted_and_what_its_target_has_besides_is_named():
    role = "arn:aws:iam::123456789012:role/r"
    retries = {"MaximumRetryAttempts": 1}
    target = {"Id": "greeter", "Input": "{}", "RetryPolicy": retries, "RoleArn": role}
    sources = rule_sources([target], RoleArn=role, State="DISABLED")
    (source,) = sources.sections
    assert source == {
        "arn": "arn:aws:events:eu-west-1:123456789012:rule/nightly",
        "schedule": "rate(1 day)",
        "input": "{}",
        "retry_policy": {"maximum_retry_attempts": 1},
        "role_arn": role,
        "enabled": False,
    }
    assert sources.left_out == (f"of event source {source['arn']}: RoleArn: {role}",)


@pytest.mark.parametrize("targets", [[{"Id": "1"}], [{"Id": "greeter"}, {"Id": "2"}]])
def test_a_rule_with_targets_that_are_not_kappas_is_named(targets):
    sources = rule_sources(targets)
    assert sources.sections == ()
    assert sources.left_out[0].endswith(f"target {', '.join(one['Id'] for one in targets)}")


def test_the_notifications_of_two_prefixes_of_a_bucket_are_both_adopted():
    bucket, function = "arn:aws:s3:::photos", SETTINGS["FunctionArn"]
    event = {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}

    def notification(prefix):
        rules = [{"Name": "Prefix", "Value": prefix}]
        return {**event, "Id": prefix, "Filter": {"Key": {"FilterRules": rules}}}

    others = {**event, "LambdaFunctionArn": f"{function}-2"}
    listed = [notification("in/"), others, notification("out/")]
    statement = raw(
        Principal={"Service": "s3.amazonaws.com"},
        Condition={"ArnLike": {"AWS:SourceArn": bucket}},
    )
    account = Answers(
        list_event_source_mappings={},
        get_bucket_notification_configuration={"LambdaFunctionConfigurations": listed},
    )
    sources = adopt_sources(account, function, (read_statement(statement, "greeter"),))
    assert sources.left_out == ()
    assert [one["key_filters"] for one in sources.sections] == [
        [{"type": "prefix", "value": "in/"}],
        [{"type": "prefix", "value": "out/"}],
    ]
