"""Streams and queues: what is planned for their mappings."""

from datetime import UTC, datetime

import pytest

from kappa.errors import Denied
from kappa.plan.step import Note, Wait
from kappa.sources.plan import plan_sources_add
from kappa.sources.state import SourcesState
from tests.support.builders import kappa_config
from tests.support.kappa.event_sources import (
    FUNCTION,
    LIVE,
    PLACE,
    QUEUE,
    STREAM,
    TABLE,
    TOPIC,
    UUID,
    UUID_2,
    add,
    delete,
    invoking,
    mapping,
    switch,
    update,
)


def test_a_stream_gets_a_mapping_and_a_wait_until_it_is_enabled():
    source = {
        "arn": TABLE,
        "batch_size": 10,
        "batch_window_s": 1,
        "starting_position": "TRIM_HORIZON",
        "maximum_retry_attempts": 3,
        "maximum_record_age_s": 60,
        "bisect_on_error": True,
        "report_batch_item_failures": True,
        "parallelization_factor": 2,
        "on_failure": TOPIC,
    }
    (step,) = add(source, SourcesState())
    names = {"FunctionName": "greeter", "EventSourceArn": TABLE}
    assert step.params == {
        **names,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 1,
        "StartingPosition": "TRIM_HORIZON",
        "MaximumRetryAttempts": 3,
        "MaximumRecordAgeInSeconds": 60,
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ParallelizationFactor": 2,
        "DestinationConfig": {"OnFailure": {"Destination": TOPIC}},
        "Enabled": True,
    }
    assert step.wait == Wait(
        "lambda",
        "list_event_source_mappings",
        names,
        "EventSourceMappings.0.State",
        until=("Enabled",),
    )


def test_a_disabled_stream_waits_until_it_is_disabled():
    (step,) = add({"arn": STREAM, "enabled": False}, SourcesState())
    assert (step.params["Enabled"], step.wait.until) == (False, ("Disabled",))


def test_a_stream_may_start_at_a_time():
    source = {
        "arn": STREAM,
        "starting_position": "AT_TIMESTAMP",
        "starting_position_timestamp": "2026-01-01T12:00:00Z",
    }
    (step,) = add(source, SourcesState())
    assert step.params["StartingPositionTimestamp"] == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_stream_added_twice_is_there_already():
    plan = add({"arn": STREAM}, SourcesState((mapping(),)))
    assert plan == [Note("exists", "event source kinesis clicks")]


def test_a_mapping_that_is_being_deleted_does_not_count():
    (step,) = add({"arn": STREAM}, SourcesState((mapping(State="Deleting"),)))
    assert step.operation == "create_event_source_mapping"


def test_update_sends_only_what_differs():
    has = mapping(ParallelizationFactor=1, FunctionResponseTypes=[])
    source = {"arn": STREAM, "batch_size": 7, "parallelization_factor": 1}
    (step,) = update(source, SourcesState((has,)))
    assert step.params == {"UUID": UUID, "BatchSize": 7}
    assert step.wait.until == ("Enabled",)


def test_update_disables_a_mapping():
    (step,) = update({"arn": STREAM, "enabled": False}, SourcesState((mapping(),)))
    assert step.params == {"UUID": UUID, "Enabled": False}
    assert step.wait.until == ("Disabled",)


def test_update_of_what_is_equal_changes_nothing():
    has = mapping(
        BatchSize=7,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": TOPIC}},
    )
    source = {
        "arn": STREAM,
        "batch_size": 7,
        "report_batch_item_failures": True,
        "on_failure": TOPIC,
    }
    assert update(source, SourcesState((has,))) == [
        Note("unchanged", "event source kinesis clicks")
    ]


def test_delete_removes_every_mapping_of_the_function_and_waits():
    state = SourcesState((mapping(), mapping(TABLE, UUID=UUID_2)))
    plan = delete({"arn": STREAM}, state)
    assert [step.params for step in plan] == [{"UUID": UUID}, {"UUID": UUID_2}]
    assert all(step.wait.gone for step in plan)


def test_an_empty_value_takes_a_setting_of_a_mapping_away():
    has = mapping(DestinationConfig={"OnFailure": {"Destination": TOPIC}})
    (step,) = update({"arn": STREAM, "on_failure": ""}, SourcesState(mappings=(has,)))
    assert step.params == {"UUID": UUID, "DestinationConfig": {"OnFailure": {}}}
    assert step.before == {"DestinationConfig": {"OnFailure": {"Destination": TOPIC}}}
    has = mapping(QUEUE, ScalingConfig={"MaximumConcurrency": 5})
    source = {"arn": QUEUE, "maximum_concurrency": "none"}
    (step,) = update(source, SourcesState(mappings=(has,)))
    assert step.params == {"UUID": UUID, "ScalingConfig": {}}


@pytest.mark.parametrize("has", [{}, {"DestinationConfig": {"OnFailure": {}}}])
def test_what_a_mapping_has_not_is_not_taken_away(has):
    none = {"arn": STREAM, "on_failure": "", "filter_criteria": ()}
    assert update(none, SourcesState(mappings=(mapping(**has),)))[0].mark == "unchanged"
    (step,) = add(none, SourcesState())
    assert "DestinationConfig" not in step.params


def test_a_filter_is_equal_however_it_is_written():
    has = mapping(FilterCriteria={"Filters": [{"Pattern": '{ "a":["x"],"b":[1] }'}]})
    source = {"arn": STREAM, "filter_criteria": ('{"b": [1], "a": ["x"]}',)}
    assert update(source, SourcesState(mappings=(has,)))[0].mark == "unchanged"


def test_filters_that_aws_may_not_show_are_an_error_that_names_the_permission():
    has = mapping(FilterCriteriaError={"ErrorCode": "x", "Message": "KMS says no"})
    source = {"arn": STREAM, "filter_criteria": ("{}",)}
    with pytest.raises(Denied, match="KMS says no") as error:
        update(source, SourcesState(mappings=(has,)))
    assert "kms:Decrypt" in error.value.hint


@pytest.mark.parametrize(("later", "start"), [(False, "TRIM_HORIZON"), (True, "LATEST")])
def test_a_stream_begins_where_the_kappa_of_the_layout_began(later, start):
    config = kappa_config({"sources": [{"arn": STREAM}]}, is_layout_07=later)
    (step,) = plan_sources_add(config, PLACE, invoking(SourcesState()), ())
    assert step.params["StartingPosition"] == start


def test_a_queue_gets_a_mapping_without_a_starting_position():
    source = {
        "arn": QUEUE,
        "batch_size": 100,
        "batch_window_s": 5,
        "maximum_concurrency": 4,
        "report_batch_item_failures": True,
        "filter_criteria": ('{"body": {}}',),
    }
    (step,) = add(source, SourcesState())
    assert step.params == {
        "FunctionName": "greeter",
        "EventSourceArn": QUEUE,
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 5,
        "ScalingConfig": {"MaximumConcurrency": 4},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": '{"body": {}}'}]},
        "Enabled": True,
    }


def test_filters_are_taken_away_when_the_config_says_none():
    has = mapping(FilterCriteria={"Filters": [{"Pattern": "{}"}]})
    (step,) = update({"arn": STREAM, "filter_criteria": ()}, SourcesState((has,)))
    assert step.params == {"UUID": UUID, "FilterCriteria": {"Filters": []}}
    assert step.before == {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}


def test_zero_windows_are_what_aws_has_unsaid():
    source = {"arn": STREAM, "tumbling_window_s": 0, "batch_window_s": 0}
    assert [item.mark for item in update(source, SourcesState((mapping(),)))] == ["unchanged"]


def test_an_update_says_what_there_was_before():
    (step,) = update({"arn": STREAM, "batch_size": 7, "enabled": False}, SourcesState((mapping(),)))
    assert step.before == {"BatchSize": 100, "Enabled": True}


def test_a_second_mapping_of_another_alias_is_named_and_stays():
    canary = mapping(FunctionArn=f"{FUNCTION}:canary", UUID=UUID_2)
    state = SourcesState((mapping(FunctionArn=LIVE), canary), target_arn=LIVE)
    plan = add({"arn": STREAM}, state, alias="live")
    assert [item.mark for item in plan] == ["exists", "kept"]
    assert "the alias canary" in plan[1].message


def test_a_mapping_is_switched_whatever_else_differs():
    (step,) = switch({"arn": STREAM, "batch_size": 7}, SourcesState((mapping(),)), False)
    assert step.params == {"UUID": UUID, "Enabled": False}
    (step,) = switch(
        {"arn": STREAM, "enabled": False}, SourcesState((mapping(State="Disabled"),)), True
    )
    assert (step.params["Enabled"], step.wait.until) == (True, ("Enabled",))


def test_a_mapping_that_is_as_asked_or_missing_is_said():
    assert switch({"arn": STREAM}, SourcesState((mapping(),)), True)[0].mark == "unchanged"
    assert switch({"arn": STREAM}, SourcesState(), True)[0].mark == "missing"


def test_a_mapping_that_is_there_twice_goes_with_delete():
    state = SourcesState((mapping(), mapping(UUID=UUID_2)))
    assert [step.params["UUID"] for step in delete({"arn": STREAM}, state)] == [UUID, UUID_2]


CLUSTER = "arn:aws:kafka:us-east-1:123456789012:cluster/letters/0a1b-1"
BROKER = "arn:aws:mq:us-east-1:123456789012:broker:letters:b-1"
DOCUMENTS = "arn:aws:rds:us-east-1:123456789012:cluster:letters"
HOSTS = {"KAFKA_BOOTSTRAP_SERVERS": ["kafka-1:9092", "kafka-2:9092"]}
OWN_KAFKA = {"self_managed_event_source": {"endpoints": HOSTS}, "topics": ["letters"]}
KAFKA = {
    "UUID": UUID_2,
    "FunctionArn": FUNCTION,
    "State": "Enabled",
    "SelfManagedEventSource": {"Endpoints": HOSTS},
    "Topics": ["letters"],
}
LOGIN = {"type": "SASL_SCRAM_512_AUTH", "uri": "arn:aws:secretsmanager:us-east-1:1:secret:s"}


@pytest.mark.parametrize(
    ("source", "params"),
    [
        (
            {
                "arn": CLUSTER,
                "topics": ["tea"],
                "provisioned_poller_config": {"minimum_pollers": 1, "maximum_pollers": 3},
                "amazon_managed_kafka_event_source_config": {"consumer_group_id": "g"},
                "metrics_config": {"metrics": ["EventCount", "KafkaMetrics"]},
            },
            {
                "EventSourceArn": CLUSTER,
                "StartingPosition": "TRIM_HORIZON",
                "Topics": ["tea"],
                "ProvisionedPollerConfig": {"MinimumPollers": 1, "MaximumPollers": 3},
                "AmazonManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"},
                "MetricsConfig": {"Metrics": ["EventCount", "KafkaMetrics"]},
            },
        ),
        (
            {**OWN_KAFKA, "source_access_configurations": [LOGIN]},
            {
                "StartingPosition": "TRIM_HORIZON",
                "SelfManagedEventSource": {"Endpoints": HOSTS},
                "Topics": ["letters"],
                "SourceAccessConfigurations": [{"Type": LOGIN["type"], "URI": LOGIN["uri"]}],
            },
        ),
        ({"arn": BROKER, "queues": ["q"]}, {"EventSourceArn": BROKER, "Queues": ["q"]}),
        (
            {
                "arn": DOCUMENTS,
                "document_db_event_source_config": {
                    "database_name": "d",
                    "full_document": "UpdateLookup",
                },
            },
            {
                "EventSourceArn": DOCUMENTS,
                "StartingPosition": "TRIM_HORIZON",
                "DocumentDBEventSourceConfig": {
                    "DatabaseName": "d",
                    "FullDocument": "UpdateLookup",
                },
            },
        ),
    ],
)
def test_each_kind_that_lambda_polls_gets_a_mapping_by_the_model(source, params):
    (step,) = add(source, SourcesState())
    assert step.params == {"FunctionName": "greeter", "Enabled": True, **params}
    assert update(source, SourcesState((mapping("", **params),)))[0].mark == "unchanged"


def test_a_cluster_has_a_mapping_for_each_topic():
    tea = mapping(CLUSTER, Topics=["tea"])
    (step,) = add({"arn": CLUSTER, "topics": ["cocoa"]}, SourcesState((tea,)))
    assert (step.operation, step.params["Topics"]) == ("create_event_source_mapping", ["cocoa"])
    (same,) = add({"arn": CLUSTER, "topics": ["tea"]}, SourcesState((tea,)))
    assert same == Note("exists", "event source kafka tea")


def test_pollers_that_are_left_open_stay():
    has = mapping(QUEUE, ProvisionedPollerConfig={"MinimumPollers": 2, "MaximumPollers": 9})
    source = {"arn": QUEUE, "provisioned_poller_config": {"minimum_pollers": 3}}
    (step,) = update(source, SourcesState((has,)))
    assert step.params == {
        "UUID": UUID,
        "ProvisionedPollerConfig": {"MinimumPollers": 3, "MaximumPollers": 9},
    }


def test_a_kafka_of_ones_own_is_told_by_its_addresses_and_topic():
    assert [item.mark for item in update(OWN_KAFKA, SourcesState((KAFKA,)))] == ["unchanged"]
    (step,) = add({**OWN_KAFKA, "topics": ["tea"]}, SourcesState((KAFKA,)))
    assert step.params["Topics"] == ["tea"]
    (gone,) = delete(OWN_KAFKA, SourcesState((KAFKA,)))
    assert gone.message == "event source kafka letters"


def test_a_mapping_of_a_kafka_that_the_config_lacks_is_left_alone_until_the_function_goes():
    state = SourcesState((mapping(), KAFKA))
    assert [item.mark for item in update({"arn": STREAM}, state)] == ["unchanged"]
    plan = delete({"arn": STREAM}, state)
    assert plan[1].message == "event source kafka letters"
