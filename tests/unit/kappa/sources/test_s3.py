"""A bucket's notifications: what is planned, and that what others write meanwhile stays."""

import pytest

from kappa.config.model import KeyFilter
from kappa.errors import AwsError, Conflict, NotFound
from kappa.plan.apply import apply
from kappa.plan.step import Note
from kappa.sources.plan import plan_sources_remove
from kappa.sources.state import SourcesState
from tests.support.builders import kappa_config
from tests.support.kappa.account import clock
from tests.support.kappa.event_sources import (
    BUCKET,
    FUNCTION,
    MAY_S3,
    PHOTOS,
    PLACE,
    TOPIC,
    add,
    delete,
    invoking,
    switch,
    update,
)

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
    plan = add(PHOTOS, SourcesState(current={BUCKET: {}}))
    assert plan[0].params["SourceAccount"] == "123456789012"
    assert plan[1].params == {
        "Bucket": "photos",
        "NotificationConfiguration": {"LambdaFunctionConfigurations": [OWN]},
    }


def test_the_notifications_of_others_are_kept_when_one_is_added():
    plan = add(PHOTOS, SourcesState(current={BUCKET: OTHERS}), (MAY_S3,))
    assert plan[0].params["NotificationConfiguration"] == {
        **OTHERS,
        "LambdaFunctionConfigurations": [*OTHERS["LambdaFunctionConfigurations"], OWN],
    }


def test_the_notifications_of_others_are_kept_when_one_is_removed():
    mine = [*OTHERS["LambdaFunctionConfigurations"], OWN]
    state = SourcesState(current={BUCKET: {**OTHERS, "LambdaFunctionConfigurations": mine}})
    (step,) = delete(PHOTOS, state)
    assert step.params["NotificationConfiguration"] == OTHERS


def test_a_notification_is_equal_whatever_case_s3_answers():
    filtered = {**PHOTOS, "key_filters": ()}
    has = {**OWN, "Filter": {"Key": {"FilterRules": []}}}
    state = SourcesState(current={BUCKET: {"LambdaFunctionConfigurations": [has]}})
    assert add(filtered, state, (MAY_S3,))[0].mark == "exists"


def test_update_changes_the_events_of_a_notification():
    has = {**OWN, "Events": ["s3:ObjectRemoved:*"]}
    state = SourcesState(current={BUCKET: {"LambdaFunctionConfigurations": [has]}})
    assert [item.mark for item in update(PHOTOS, state)] == ["updated"]


def test_a_bucket_that_is_missing_is_said_when_added_and_gone_when_deleted():
    with pytest.raises(NotFound, match="photos does not exist"):
        add(PHOTOS, SourcesState(), (MAY_S3,))
    assert delete(PHOTOS, SourcesState())[0].mark == "gone"


def test_a_disabled_bucket_is_not_notified_and_says_so():
    off = {**PHOTOS, "enabled": False}
    has = {BUCKET: {**OTHERS, "LambdaFunctionConfigurations": [OWN]}}
    (step,) = update(off, SourcesState(current=has))
    assert (step.mark, OWN["Id"] in str(step.params)) == ("removed", False)
    assert add(off, SourcesState(current={BUCKET: OTHERS})) == [
        Note("unchanged", "event source s3 photos (disabled)")
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
        current={BUCKET: {"TopicConfigurations": [{"TopicArn": TOPIC, "Id": "t", **other}]}}
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
    return SourcesState(current={BUCKET: {**others, "LambdaFunctionConfigurations": [*functions]}})


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
    (step,) = plan_sources_remove(config, PLACE, state, ())
    assert listed(step) == []


def test_delete_takes_every_notification_of_the_function_and_of_its_aliases():
    by_hand = {**OWN, "Id": "by-hand", "LambdaFunctionArn": f"{FUNCTION}:live"}
    namesake = {**OWN, "Id": "x", "LambdaFunctionArn": f"{FUNCTION}-2"}
    (step,) = delete(PHOTOS, in_bucket(OWN, by_hand, namesake))
    assert listed(step) == [namesake]


def test_a_removal_is_not_stopped_by_a_destination_of_others_that_is_gone():
    assert delete(PHOTOS, in_bucket(OWN))[0].params["SkipDestinationValidation"] is True
    assert "SkipDestinationValidation" not in add(PHOTOS, in_bucket(), (MAY_S3,))[0].params


def test_a_refusal_names_the_other_destinations_of_the_bucket():
    (step,) = add(PHOTOS, SourcesState(current={BUCKET: OTHERS}), (MAY_S3,))
    call = Bucket(OTHERS, refusing="InvalidArgument")
    with pytest.raises(AwsError, match="Unable to validate") as error:
        apply([step], call, lambda _: None, clock())
    assert error.value.hint == f"S3 checks all destinations of the bucket: {FUNCTION}-2, {TOPIC}."


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


def others_notification():
    removed = {**OWN, "Id": "b", "LambdaFunctionArn": "b", "Events": ["s3:ObjectRemoved:*"]}
    return {"LambdaFunctionConfigurations": [removed]}


def test_what_another_has_written_since_the_plan_is_kept():
    (step,) = add(PHOTOS, in_bucket(), (MAY_S3,))
    bucket = Bucket(others_notification())
    assert carried_out(step, bucket) == ["created"]
    assert bucket.ids == ["b", OWN_ID]


def test_what_another_overwrites_at_the_same_time_is_written_again():
    (step,) = add(PHOTOS, in_bucket(), (MAY_S3,))
    bucket = Bucket({}, meanwhile={2: others_notification()})
    assert carried_out(step, bucket) == ["waiting", "created"]
    assert bucket.ids == ["b", OWN_ID]
    assert bucket.writes == 2


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
