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


KAFKA = {
    "UUID": UUID_2,
    "FunctionArn": FUNCTION,
    "State": "Enabled",
    "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:9092"]}},
    "Topics": ["letters"],
}


def test_a_mapping_of_a_kafka_of_ones_own_is_left_alone_until_the_function_goes():
    state = SourcesState((mapping(), KAFKA))
    assert [item.mark for item in update({"arn": STREAM}, state)] == ["unchanged"]
    plan = delete({"arn": STREAM}, state)
    assert plan[1].message == "event source kafka letters"
