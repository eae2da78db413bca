"""Event sources: what is planned for what there is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kappa.arn import Place
from kappa.config.model import KeyFilter
from kappa.errors import AwsError, Conflict, Denied, NotFound
from kappa.function.permissions import Statement
from kappa.plan.apply import apply
from kappa.plan.step import Already, Step, Wait
from kappa.sources import plan as sources
from kappa.sources.state import SourcesState, Topic
from tests.support.builders import assert_valid, kappa_config
from tests.support.kappa.account import clock

PLACE = Place("aws", "us-east-1", "123456789012")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:greeter"
TOPIC = "arn:aws:sns:us-east-1:123456789012:news"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/chat/stream/2026-01-01T00:00:00.000"
BUCKET = "arn:aws:s3:::photos"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
UUID = "14e0db71-5d35-4eb5-b481-8945cf9d10c2"
UUID_2 = "7a3c8a2b-0d3f-4b8e-9a55-53c0c1a3b7de"
SUBSCRIPTION = f"{TOPIC}:6a5e7b0c"
INVOKE = "lambda:InvokeFunction"
MAY_SNS = Statement("any", "sns.amazonaws.com", INVOKE, TOPIC)
MAY_S3 = Statement("any", "s3.amazonaws.com", INVOKE, BUCKET, "123456789012")


def mapping(arn=STREAM, **changes):
    default = {"UUID": UUID, "EventSourceArn": arn, "State": "Enabled", "BatchSize": 100}
    return default | changes


def add(source, state, statements=(), **function):
    config = kappa_config({"sources": [source], **function})
    plan = sources.plan_add(config, PLACE, invoking(state), statements)
    assert_valid(plan)
    return plan


def invoking(state):
    return state if state.invoked else replace(state, invoked=FUNCTION)


def update(source, state, statements=(MAY_SNS, MAY_S3), **function):
    config = kappa_config({"sources": [source], **function})
    plan = sources.plan_update(config, PLACE, invoking(state), statements)
    assert_valid(plan)
    return plan


def delete(source, state):
    plan = sources.plan_delete(kappa_config({"sources": [source]}), invoking(state))
    assert_valid(plan)
    return plan


def test_a_topic_gets_a_permission_and_a_subscription():
    plan = add({"arn": TOPIC}, SourcesState(topics={TOPIC: Topic()}))
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


def test_a_topic_that_may_invoke_already_gets_no_second_permission():
    plan = add({"arn": TOPIC}, SourcesState(topics={TOPIC: Topic()}), (MAY_SNS,))
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
    ],
)
def test_only_a_statement_for_exactly_this_topic_lets_it_in(has):
    plan = add({"arn": TOPIC}, SourcesState(topics={TOPIC: Topic()}), (has,))
    assert [step.operation for step in plan] == ["add_permission", "subscribe"]


def test_a_statement_with_the_topics_own_account_is_as_good_as_without():
    has = Statement("any", "sns.amazonaws.com", INVOKE, TOPIC, "123456789012")
    plan = add({"arn": TOPIC}, SourcesState(topics={TOPIC: Topic()}), (has,))
    assert [step.operation for step in plan] == ["subscribe"]


def test_a_buckets_statement_without_an_account_is_not_enough():
    has = Statement("any", "s3.amazonaws.com", INVOKE, BUCKET)
    source = {"arn": BUCKET, "events": ("s3:ObjectCreated:*",)}
    plan = add(source, SourcesState(buckets={BUCKET: {}}), (has,))
    assert plan[0].params["SourceAccount"] == "123456789012"


def test_the_configs_own_permission_is_used_for_its_topic():
    grant = {
        "statement_id": "sns_invoke",
        "action": "lambda:invokeFunction",
        "principal": "sns.amazonaws.com",
        "source_arn": TOPIC,
    }
    plan = add({"arn": TOPIC}, SourcesState(topics={TOPIC: Topic()}), grants=[grant])
    assert plan[0].params["StatementId"] == "sns_invoke"


def test_a_topic_added_twice_is_there_already():
    state = SourcesState(topics={TOPIC: Topic({"": SUBSCRIPTION})})
    assert add({"arn": TOPIC}, state, (MAY_SNS,)) == [Already("exists", "event source sns news")]


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
    state = SourcesState(topics={arn: Topic()}, invoked=place.function_arn("greeter"))
    other = "sns.amazonaws.com" if principal != "sns.amazonaws.com" else "sns.eu.amazonaws.com"
    given = (Statement("any", other, INVOKE, arn),)
    assert sources.plan(config, place, state, given)[0].params["Principal"] == principal
    given = (Statement("any", principal, INVOKE, arn),)
    assert [one.operation for one in sources.plan(config, place, state, given)] == ["subscribe"]


def test_a_topic_that_is_missing_is_said():
    with pytest.raises(NotFound, match="news does not exist"):
        add({"arn": TOPIC}, SourcesState())


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
    assert plan == [Already("exists", "event source kinesis clicks")]


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
        Already("unchanged", "event source kinesis clicks")
    ]


@pytest.mark.parametrize("arn", [TOPIC, STREAM])
def test_update_says_what_is_missing_and_adds_nothing(arn):
    state = SourcesState(topics={TOPIC: Topic()})
    assert [item.mark for item in update({"arn": arn}, state)] == ["missing"]


def test_update_leaves_a_subscription():
    state = SourcesState(topics={TOPIC: Topic({"": SUBSCRIPTION})})
    assert update({"arn": TOPIC}, state)[0].mark == "unchanged"


def test_delete_unsubscribes():
    (step,) = delete({"arn": TOPIC}, SourcesState(topics={TOPIC: Topic({"": SUBSCRIPTION})}))
    assert (step.operation, step.params) == ("unsubscribe", {"SubscriptionArn": SUBSCRIPTION})


def test_delete_removes_a_subscription_whose_topic_is_gone():
    (step,) = delete({"arn": TOPIC}, SourcesState(orphans={TOPIC: {"": SUBSCRIPTION}}))
    assert step.params == {"SubscriptionArn": SUBSCRIPTION}


def test_delete_says_that_a_pending_subscription_cannot_be_removed():
    state = SourcesState(topics={TOPIC: Topic({"": "PendingConfirmation"})})
    assert delete({"arn": TOPIC}, state)[0].mark == "kept"


@pytest.mark.parametrize("source", [{"arn": TOPIC}, {"arn": STREAM}])
def test_delete_of_a_source_that_is_gone_says_so(source):
    assert [item.mark for item in delete(source, SourcesState())] == ["gone"]


def test_delete_removes_every_mapping_of_the_function_and_waits():
    state = SourcesState((mapping(), mapping(TABLE, UUID=UUID_2)))
    plan = delete({"arn": STREAM}, state)
    assert [step.params for step in plan] == [{"UUID": UUID}, {"UUID": UUID_2}]
    assert all(step.wait.gone for step in plan)


PHOTOS = {"arn": BUCKET, "events": ("s3:ObjectCreated:*",)}
OTHERS = {
    "TopicConfigurations": [{"TopicArn": TOPIC, "Events": ["s3:ObjectRemoved:*"], "Id": "t"}],
    "LambdaFunctionConfigurations": [
        {"Id": "other", "LambdaFunctionArn": f"{FUNCTION}-2", "Events": ["s3:ObjectRemoved:*"]}
    ],
}
# With the digests of the config's name, and of no prefix and no suffix.
OWN_ID = "kappa-greeter-a6265399-5e253af5"
OWN = {
    "Id": OWN_ID,
    "LambdaFunctionArn": FUNCTION,
    "Events": ["s3:ObjectCreated:*"],
}


def test_a_bucket_gets_a_permission_of_its_account_and_a_notification():
    plan = add(PHOTOS, SourcesState(buckets={BUCKET: {}}))
    assert plan[0].params["SourceAccount"] == "123456789012"
    assert plan[1].params == {
        "Bucket": "photos",
        "NotificationConfiguration": {"LambdaFunctionConfigurations": [OWN]},
    }


def test_the_notifications_of_others_are_kept_when_one_is_added():
    plan = add(PHOTOS, SourcesState(buckets={BUCKET: OTHERS}), (MAY_S3,))
    assert plan[0].params["NotificationConfiguration"] == {
        **OTHERS,
        "LambdaFunctionConfigurations": [*OTHERS["LambdaFunctionConfigurations"], OWN],
    }


def test_the_notifications_of_others_are_kept_when_one_is_removed():
    mine = [*OTHERS["LambdaFunctionConfigurations"], OWN]
    state = SourcesState(buckets={BUCKET: {**OTHERS, "LambdaFunctionConfigurations": mine}})
    (step,) = delete(PHOTOS, state)
    assert step.params["NotificationConfiguration"] == OTHERS


def test_a_notification_is_equal_whatever_case_s3_answers():
    filtered = {**PHOTOS, "key_filters": ()}
    has = {**OWN, "Filter": {"Key": {"FilterRules": []}}}
    state = SourcesState(buckets={BUCKET: {"LambdaFunctionConfigurations": [has]}})
    assert add(filtered, state, (MAY_S3,))[0].mark == "exists"


def test_update_changes_the_events_of_a_notification():
    has = {**OWN, "Events": ["s3:ObjectRemoved:*"]}
    state = SourcesState(buckets={BUCKET: {"LambdaFunctionConfigurations": [has]}})
    assert [item.mark for item in update(PHOTOS, state)] == ["updated"]


def test_a_bucket_that_is_missing_is_said_when_added_and_gone_when_deleted():
    with pytest.raises(NotFound, match="photos does not exist"):
        add(PHOTOS, SourcesState(), (MAY_S3,))
    assert delete(PHOTOS, SourcesState())[0].mark == "gone"


def test_a_disabled_bucket_is_not_notified_and_says_so():
    off = {**PHOTOS, "enabled": False}
    has = {BUCKET: {**OTHERS, "LambdaFunctionConfigurations": [OWN]}}
    (step,) = update(off, SourcesState(buckets=has))
    assert (step.mark, OWN["Id"] in str(step.params)) == ("removed", False)
    assert add(off, SourcesState(buckets={BUCKET: OTHERS})) == [
        Already("unchanged", "event source s3 photos (disabled)")
    ]


def rules(**filters):
    listed = [{"Name": name.capitalize(), "Value": value} for name, value in filters.items()]
    return {"Filter": {"Key": {"FilterRules": listed}}}


@pytest.mark.parametrize(
    ("other", "mine", "clash"),
    [
        ({"Events": ["s3:ObjectCreated:*"]}, {}, True),
        ({"Events": ["s3:ObjectCreated:Put"]}, {}, True),
        ({"Events": ["s3:ObjectRemoved:*"]}, {}, False),
        ({"Events": ["s3:ObjectCreated:*"], **rules(prefix="in/")}, {"prefix": "in/a/"}, True),
        ({"Events": ["s3:ObjectCreated:*"], **rules(prefix="in/")}, {"prefix": "out/"}, False),
        ({"Events": ["s3:ObjectCreated:*"], **rules(suffix=".png")}, {"suffix": ".jpg"}, False),
        ({"Events": ["s3:ObjectCreated:*"], **rules(suffix=".gz")}, {"suffix": ".tar.gz"}, True),
    ],
)
def test_a_notification_of_others_that_overlaps_is_refused(other, mine, clash):
    state = SourcesState(
        buckets={BUCKET: {"TopicConfigurations": [{"TopicArn": TOPIC, "Id": "t", **other}]}}
    )
    filters = tuple(KeyFilter(type=kind, value=value) for kind, value in mine.items())
    source = {**PHOTOS, "key_filters": filters}
    if clash:
        with pytest.raises(Conflict, match=f"already notifies {TOPIC}"):
            add(source, state, (MAY_S3,))
    else:
        assert [step.mark for step in add(source, state, (MAY_S3,))] == ["created"]


ORIGINAL = {
    "Id": "Kappa-greeter-notification",
    "LambdaFunctionArn": FUNCTION,
    "Events": ["s3:ObjectCreated:*"],
}


def in_bucket(*functions, **others):
    return SourcesState(buckets={BUCKET: {**others, "LambdaFunctionConfigurations": [*functions]}})


def listed(step):
    return step.params["NotificationConfiguration"].get("LambdaFunctionConfigurations", [])


def test_a_notification_of_an_earlier_kappa_is_taken_over():
    state = in_bucket(*OTHERS["LambdaFunctionConfigurations"], {**ORIGINAL, **rules(prefix="in/")})
    source = {**PHOTOS, "key_filters": (KeyFilter(type="prefix", value="in/"),)}
    assert add(source, state, (MAY_S3,))[0].mark == "exists"
    (step,) = update({**PHOTOS, "events": ("s3:ObjectCreated:Put",)}, state)
    assert [one["Id"] for one in listed(step)] == ["other", OWN_ID]
    (step,) = delete(PHOTOS, state)
    assert [one["Id"] for one in listed(step)] == ["other"]


def test_two_notifications_of_kappas_become_one():
    (step,) = update(PHOTOS, in_bucket(ORIGINAL, OWN))
    assert listed(step) == [OWN]


def test_a_notification_of_the_function_for_the_same_keys_is_taken_over_and_no_other():
    same = {**OWN, "Id": "by-hand", "Events": ["s3:ObjectCreated:Put"]}
    other = {**OWN, "Id": "too", "Events": ["s3:ObjectRemoved:*"]}
    step, kept = update(PHOTOS, in_bucket(same, other))
    assert [one["Id"] for one in listed(step)] == ["too", OWN_ID]
    assert "notification too" in kept.message


CANARY = {**OWN, "Id": "canary", "LambdaFunctionArn": f"{FUNCTION}:canary", **rules(prefix="c/")}


@pytest.mark.parametrize("other", [CANARY, {**OWN, "Id": "all", "Events": ["s3:*"]}])
def test_a_notification_made_by_hand_for_other_keys_or_more_events_is_named(other):
    with pytest.raises(Conflict, match=f"notification {other['Id']}.*S3 notifies one only"):
        update(PHOTOS, in_bucket(OWN | {"Events": ["s3:ObjectRemoved:*"]}, other))


def test_a_notification_of_a_namesake_in_another_account_is_not_ours():
    theirs = {**OWN, "LambdaFunctionArn": FUNCTION.replace("123456789012", "210987654321")}
    with pytest.raises(Conflict, match=rf"notification {OWN_ID} of arn:.*210987654321"):
        update(PHOTOS, in_bucket(theirs))
    assert delete(PHOTOS, in_bucket(theirs))[0].mark == "gone"


def test_a_notification_made_by_hand_is_named_and_goes_with_remove():
    by_hand = {**OWN, "Id": "by-hand", "Events": ["s3:ObjectRemoved:*"]}
    state = invoking(in_bucket(OWN, by_hand))
    same, kept = update(PHOTOS, state)
    assert (same.mark, kept.mark) == ("unchanged", "kept")
    assert "notification by-hand" in kept.message
    (step, kept) = switch(PHOTOS, state, False)
    assert ([one["Id"] for one in listed(step)], kept.mark) == (["by-hand"], "kept")
    config = kappa_config({"sources": [PHOTOS]})
    (step,) = sources.plan_remove(config, PLACE, state, ())
    assert listed(step) == []


def test_remove_leaves_the_permission_of_a_bucket_that_it_may_not_read():
    (grant, _) = add(PHOTOS, SourcesState(buckets={BUCKET: {}}))
    given = replace(MAY_S3, statement_id=grant.params["StatementId"])
    state = invoking(SourcesState(unread={BUCKET: "AWS refused it"}))
    config = kappa_config({"sources": [PHOTOS]})
    assert [item.mark for item in sources.plan_remove(config, PLACE, state, (given,))] == ["kept"]


def test_delete_takes_every_notification_of_the_function_and_of_its_aliases():
    by_hand = {**OWN, "Id": "by-hand", "LambdaFunctionArn": f"{FUNCTION}:live"}
    namesake = {**OWN, "Id": "x", "LambdaFunctionArn": f"{FUNCTION}-2"}
    (step,) = delete(PHOTOS, in_bucket(OWN, by_hand, namesake))
    assert listed(step) == [namesake]


def test_a_removal_is_not_stopped_by_a_destination_of_others_that_is_gone():
    assert delete(PHOTOS, in_bucket(OWN))[0].params["SkipDestinationValidation"] is True
    assert "SkipDestinationValidation" not in add(PHOTOS, in_bucket(), (MAY_S3,))[0].params


def test_a_refusal_names_the_other_destinations_of_the_bucket():
    (step,) = add(PHOTOS, SourcesState(buckets={BUCKET: OTHERS}), (MAY_S3,))
    call = Bucket(OTHERS, refusing="InvalidArgument")
    with pytest.raises(AwsError, match="Unable to validate") as error:
        apply([step], call, lambda _: None, clock())
    assert error.value.hint == f"S3 asks all destinations of the bucket: {FUNCTION}-2, {TOPIC}."


class Bucket:
    """A bucket's notifications behind Aws.call; `meanwhile` writes before one of our reads.

    `refusing` is the code of a refusal, again and again or as often as `refusals` says.
    """

    def __init__(self, has, meanwhile=(), refusing="", refusals=99):
        self.has, self.meanwhile, self.refusing = dict(has), dict(meanwhile), refusing
        self.reads = self.writes = 0
        self.refusals = refusals if refusing else 0

    def __call__(self, service, operation, doing, params):
        if operation.startswith("get_"):
            self.reads += 1
            self.has = self.meanwhile.get(self.reads, self.has)
            return {**self.has, "ResponseMetadata": {}}
        if self.refusals:
            self.refusals -= 1
            text = "Unable to validate the following destination configurations (other words)"
            raise AwsError(text, code=self.refusing, text=text)
        self.writes += 1
        self.has = params["NotificationConfiguration"]
        return {}

    @property
    def ids(self):
        return [one["Id"] for one in self.has["LambdaFunctionConfigurations"]]


def carried_out(step, bucket):
    reports = []
    apply([step], bucket, reports.append, clock())
    return [report.mark for report in reports]


def test_what_another_has_written_since_the_plan_is_kept():
    (step,) = add(PHOTOS, in_bucket(), (MAY_S3,))
    theirs = {"LambdaFunctionConfigurations": [{**OWN, "Id": "b", "LambdaFunctionArn": "b"}]}
    theirs["LambdaFunctionConfigurations"][0]["Events"] = ["s3:ObjectRemoved:*"]
    bucket = Bucket(theirs)
    assert carried_out(step, bucket) == ["created"]
    assert bucket.ids == ["b", OWN_ID]


def test_what_another_overwrites_at_the_same_time_is_written_again():
    (step,) = add(PHOTOS, in_bucket(), (MAY_S3,))
    theirs = {"LambdaFunctionConfigurations": [{**OWN, "Id": "b", "LambdaFunctionArn": "b"}]}
    theirs["LambdaFunctionConfigurations"][0]["Events"] = ["s3:ObjectRemoved:*"]
    bucket = Bucket({}, meanwhile={2: theirs})
    assert carried_out(step, bucket) == ["waiting", "created"]
    assert bucket.ids == ["b", OWN_ID]
    assert bucket.writes == 2


def others_notification():
    removed = {**OWN, "Id": "b", "LambdaFunctionArn": "b", "Events": ["s3:ObjectRemoved:*"]}
    return {"LambdaFunctionConfigurations": [removed]}


def test_what_another_writes_while_s3_refuses_ours_is_kept():
    (step,) = add(PHOTOS, in_bucket(), (MAY_S3,))
    bucket = Bucket(
        {}, meanwhile={3: others_notification()}, refusing="InvalidArgument", refusals=2
    )
    assert carried_out(step, bucket) == ["waiting", "created"]
    assert bucket.ids == ["b", OWN_ID]


def test_what_another_writes_during_a_pause_is_kept():
    (step,) = add(PHOTOS, in_bucket(), (MAY_S3,))
    bucket = Bucket({}, meanwhile={2: {}, 3: others_notification()})
    assert carried_out(step, bucket) == ["waiting", "created"]
    assert bucket.ids == ["b", OWN_ID]


def test_what_another_overwrites_a_moment_later_is_written_again():
    (step,) = add(PHOTOS, in_bucket(), (MAY_S3,))
    bucket = Bucket({}, meanwhile={3: others_notification()})
    assert carried_out(step, bucket) == ["created", "created"]
    assert bucket.ids == ["b", OWN_ID]


def test_a_bucket_that_is_overwritten_again_and_again_is_an_error():
    (step,) = add(PHOTOS, in_bucket(), (MAY_S3,))
    with pytest.raises(Conflict, match="again and again"):
        carried_out(step, Bucket({}, meanwhile={read: {} for read in range(99)}))


def test_a_notification_that_is_gone_meanwhile_is_not_removed_again():
    (step,) = delete(PHOTOS, in_bucket(OWN))
    bucket = Bucket({})
    assert (carried_out(step, bucket), bucket.writes) == (["exists"], 0)


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
    state = SourcesState(topics={TOPIC: Topic({"": SUBSCRIPTION}, {"": has})})
    plan = update({**FILTERED, **said}, state)
    names = [item.params["AttributeName"] for item in plan if isinstance(item, Step)]
    assert names == sent


@pytest.mark.parametrize(("later", "start"), [(False, "TRIM_HORIZON"), (True, "LATEST")])
def test_a_stream_begins_where_the_kappa_of_the_layout_began(later, start):
    config = kappa_config({"sources": [{"arn": STREAM}]}, is_layout_07=later)
    (step,) = sources.plan_add(config, PLACE, invoking(SourcesState()), ())
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


def test_a_topics_filter_goes_along_with_its_subscription():
    source = {
        "arn": TOPIC,
        "filter_policy": '{"kind": ["tea"]}',
        "filter_policy_scope": "MessageBody",
    }
    plan = add(source, SourcesState(topics={TOPIC: Topic()}), (MAY_SNS,))
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
    plan = update(source, SourcesState(topics={TOPIC: Topic({"": SUBSCRIPTION}, {"": has})}))
    steps = [item for item in plan if isinstance(item, Step)]
    assert [step.params["AttributeName"] for step in steps] == order


def test_a_disabled_topic_is_not_subscribed():
    off = {"arn": TOPIC, "enabled": False}
    assert [item.mark for item in add(off, SourcesState(topics={TOPIC: Topic()}))] == ["unchanged"]
    (step,) = update(off, SourcesState(topics={TOPIC: Topic({"": SUBSCRIPTION})}))
    assert (step.operation, step.mark) == ("unsubscribe", "removed")


def test_disabling_a_topic_says_which_settings_made_by_hand_are_lost():
    has = {"FilterPolicy": '{"kind": ["tea"]}', "RedrivePolicy": "{}"}
    state = SourcesState(topics={TOPIC: Topic({"": SUBSCRIPTION}, {"": has})})
    (step,) = switch({"arn": TOPIC}, state, False)
    assert "(its FilterPolicy, RedrivePolicy too, which the config does not say)" in step.message
    (step,) = switch({"arn": TOPIC, "filter_policy": '{"kind": ["tea"]}'}, state, False)
    assert "(its RedrivePolicy too" in step.message


LIVE = f"{FUNCTION}:live"


def test_an_alias_is_what_is_mapped_subscribed_and_permitted():
    on_live = SourcesState(topics={TOPIC: Topic()}, invoked=LIVE)
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
        invoked=LIVE,
    )
    (moved,) = update({"arn": STREAM}, state, alias="live")
    assert moved.params == {"UUID": UUID, "FunctionName": "greeter:live"}
    assert moved.before == {"FunctionName": FUNCTION}
    plan = add({"arn": TOPIC}, state, (MAY_SNS,), alias="live")
    assert [step.operation for step in plan] == ["subscribe", "unsubscribe"]


def test_the_only_mapping_of_a_source_is_moved_from_another_alias():
    state = SourcesState((mapping(FunctionArn=f"{FUNCTION}:test"),), invoked=LIVE)
    (step,) = add({"arn": STREAM}, state, alias="live")
    assert step.params == {"UUID": UUID, "FunctionName": "greeter:live"}


def test_a_second_mapping_of_another_alias_is_named_and_stays():
    canary = mapping(FunctionArn=f"{FUNCTION}:canary", UUID=UUID_2)
    state = SourcesState((mapping(FunctionArn=LIVE), canary), invoked=LIVE)
    plan = add({"arn": STREAM}, state, alias="live")
    assert [item.mark for item in plan] == ["exists", "kept"]
    assert "the alias canary" in plan[1].message


def whole(config, state, statements=()):
    plan = sources.plan(config, PLACE, invoking(state), statements)
    assert_valid(plan)
    return [item.mark for item in plan]


def test_the_plan_of_all_adds_what_is_missing_and_updates_what_differs():
    config = kappa_config(
        {"sources": [{"arn": STREAM, "batch_size": 7}, {"arn": QUEUE}, {"arn": TOPIC}]}
    )
    state = SourcesState((mapping(),), topics={TOPIC: Topic({"": SUBSCRIPTION})})
    assert whole(config, state, (MAY_SNS,)) == ["updated", "created", "unchanged"]


def switch(source, state, enabled, statements=()):
    config = kappa_config({"sources": [source]})
    plan = sources.plan_switch(config, PLACE, invoking(state), statements, enabled)
    assert_valid(plan)
    return plan


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


def test_remove_takes_back_the_permission_that_kappa_gave_and_no_other():
    (grant, _) = add({"arn": TOPIC}, SourcesState(topics={TOPIC: Topic()}))
    given = Statement(grant.params["StatementId"], "sns.amazonaws.com", INVOKE, TOPIC)
    config = kappa_config({"sources": [{"arn": TOPIC}]})
    state = SourcesState(topics={TOPIC: Topic({"": SUBSCRIPTION})}, invoked=FUNCTION)
    plan = sources.plan_remove(config, PLACE, state, (given, MAY_SNS))
    assert_valid(plan)
    assert [step.operation for step in plan] == ["unsubscribe", "remove_permission"]
    assert plan[1].params == {"FunctionName": "greeter", "StatementId": given.statement_id}


def test_a_mapping_that_is_there_twice_is_reported_and_both_go_with_delete():
    state = SourcesState((mapping(), mapping(UUID=UUID_2)))
    plan = update({"arn": STREAM}, state)
    assert [item.mark for item in plan] == ["unchanged", "kept"]
    assert UUID_2 in plan[1].message
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


def test_delete_names_a_source_that_it_may_not_read_and_goes_on():
    state = SourcesState((mapping(),), unread={TOPIC: "AWS refused reading the subscriptions"})
    config = kappa_config({"sources": [{"arn": TOPIC}, {"arn": STREAM}]})
    assert [item.mark for item in sources.plan_delete(config, state)] == ["kept", "removed"]
