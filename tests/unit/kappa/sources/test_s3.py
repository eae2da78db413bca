"""A bucket's notifications: which are the config's, and that everything else stays as it is."""

import pytest
from msgspec.structs import replace

from kappa.config.model import KeyFilter
from kappa.config.read import read_config
from kappa.errors import AwsError, ConfigError, Conflict, NotFound
from kappa.plan.apply import apply
from kappa.plan.step import Note
from kappa.sources.plan import (
    plan_sources,
    plan_sources_add,
    plan_sources_remove,
    plan_sources_switch,
    plan_sources_update,
)
from kappa.sources.state import SourcesState
from tests.support.builders import assert_valid, kappa_config
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
    update,
)

CREATED, PUT, REMOVED = "s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectRemoved:*"
OTHERS = {
    "TopicConfigurations": [{"TopicArn": TOPIC, "Events": [REMOVED], "Id": "t"}],
    "LambdaFunctionConfigurations": [
        {"Id": "other", "LambdaFunctionArn": f"{FUNCTION}-2", "Events": [REMOVED]}
    ],
}
# With the digest of no alias, no prefix and no suffix.
OWN_ID = "kappa-greeter-39623ca5"
OWN = {"Id": OWN_ID, "LambdaFunctionArn": FUNCTION, "Events": [CREATED]}


def rules(**filters):
    listed = [{"Name": name.capitalize(), "Value": value} for name, value in filters.items()]
    return {"Filter": {"Key": {"FilterRules": listed}}}


def in_bucket(*functions, **others):
    listed = {**others, "LambdaFunctionConfigurations": [*functions]}
    return SourcesState(current={BUCKET: listed}, target_arn=FUNCTION)


def listed(step):
    return step.params["NotificationConfiguration"].get("LambdaFunctionConfigurations", [])


# A notification is written ID@ALIAS:PREFIX, with +removed for deletions in place of creations.


def notification(text):
    left, _, prefix = text.partition(":")
    id_, _, alias = left.partition("@")
    arn = f"{FUNCTION}:{alias}" if alias else FUNCTION
    events = [REMOVED if prefix.endswith("+removed") else CREATED]
    prefix = prefix.removesuffix("+removed")
    filters = rules(prefix=prefix) if prefix else {}
    return {"Id": id_, "LambdaFunctionArn": arn, "Events": events, **filters}


def written(item):
    id_ = "kappa" if item["Id"].startswith("kappa-greeter-") else item["Id"]
    alias = item["LambdaFunctionArn"].removeprefix(FUNCTION).lstrip(":")
    filters = item.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    more = "+removed" if item["Events"] == [REMOVED] else ""
    return f"{id_}@{alias}:{''.join(rule['Value'] for rule in filters)}{more}"


def source(text):
    """A source: its prefix, or -PREFIX for a disabled one."""
    prefix = text.removeprefix("-")
    filters = (KeyFilter(type="prefix", value=prefix),) if prefix else ()
    enabled = not text.startswith("-")
    return {"arn": BUCKET, "events": (CREATED,), "key_filters": filters, "enabled": enabled}


COMMANDS = {
    "add": plan_sources_add,
    "deploy": plan_sources,
    "disable": lambda *given: plan_sources_switch(*given, False),
    "enable": lambda *given: plan_sources_switch(*given, True),
    "remove": plan_sources_remove,
    "update": plan_sources_update,
}
KAPPAS = "kappa-greeter-12345678"
OLD = "Kappa-greeter-notification"


def planned(command, sources, before, alias=""):
    """Run a command on notifications; return what it does to the bucket, and what is in it."""
    config = kappa_config(
        {"sources": [*map(source, sources.split())] or [source("")], "alias": alias}
    )
    state = in_bucket(*map(notification, before.split()))
    if alias:
        state = replace(state, target_arn=f"{FUNCTION}:{alias}")
    plan = COMMANDS[command](config, PLACE, state, ())
    assert_valid(plan)
    writes = [item for item in plan if getattr(item, "service", "") == "s3"]
    assert len(writes) <= 1, "one write for a bucket"
    if not writes:
        return "", before
    return writes[0].mark, " ".join(map(written, listed(writes[0])))


@pytest.mark.parametrize(
    ("command", "sources", "alias", "before", "mark", "after"),
    [
        ("deploy", "in/", "", "", "created", "kappa@:in/"),
        ("deploy", "in/ out/", "", "", "created", "kappa@:in/ kappa@:out/"),
        ("deploy", "in/ out/", "", f"{KAPPAS}@:in/", "updated", "kappa@:in/ kappa@:out/"),
        # Changed keys move it, and a source that is gone leaves no notification.
        ("deploy", "out/", "", f"{KAPPAS}@:in/", "updated", "kappa@:out/"),
        ("deploy", "in/", "", f"{KAPPAS}@:in/ {KAPPAS}@:out/", "updated", "kappa@:in/"),
        ("deploy", "in/ -out/", "", f"{KAPPAS}@:in/ {KAPPAS}@:out/", "updated", "kappa@:in/"),
        ("deploy", "-in/", "", f"{KAPPAS}@:in/", "removed", ""),
        ("deploy", "in/", "", f"{KAPPAS}@:in/", "", f"{KAPPAS}@:in/"),
        # Those of kappa 0.3 and 0.7 have one id for each function.
        ("deploy", "in/", "", f"{OLD}@:in/", "", f"{OLD}@:in/"),
        ("deploy", "out/", "", f"{OLD}@:in/", "updated", "kappa@:out/"),
        # One that somebody made is the config's for its very keys and events, and no other.
        ("deploy", "in/", "", "hand@:in/", "", "hand@:in/"),
        ("deploy", "in/", "", "hand@:out/", "created", "hand@:out/ kappa@:in/"),
        ("deploy", "in/", "", "hand@:in/+removed", "created", "hand@:in/+removed kappa@:in/"),
        ("remove", "in/", "", f"hand@:out/ {KAPPAS}@:in/", "removed", "hand@:out/"),
        # They follow the alias, and those on other aliases stay.
        ("deploy", "in/ out/", "live", f"{KAPPAS}@:in/ {KAPPAS}@:out/", "updated",
         "kappa@live:in/ kappa@live:out/"),
        ("deploy", "in/", "live", "hand@:in/", "updated", "kappa@live:in/"),
        ("deploy", "in/", "dev", f"{KAPPAS}@prod:out/", "created", "kappa@prod:out/ kappa@dev:in/"),
        ("remove", "in/", "dev", f"hand@prod:out/ {KAPPAS}@dev:in/", "removed", "hand@prod:out/"),
        ("remove", "in/", "dev", f"{KAPPAS}@prod:in/", "", f"{KAPPAS}@prod:in/"),
        # Other commands do a part of that.
        ("add", "in/", "", f"{KAPPAS}@:out/", "", f"{KAPPAS}@:out/"),
        ("add", "in/ out/", "", f"{KAPPAS}@:in/", "updated", "kappa@:in/ kappa@:out/"),
        ("update", "in/", "", "", "", ""),
        ("update", "out/", "", f"{KAPPAS}@:in/", "updated", "kappa@:out/"),
        ("disable", "in/ out/", "", f"{KAPPAS}@:in/ {KAPPAS}@:out/", "removed", ""),
        ("enable", "in/ -out/", "", "", "created", "kappa@:in/ kappa@:out/"),
    ],
)  # fmt: skip
def test_the_notifications_of_the_config_become_its_sources(
    command, sources, alias, before, mark, after
):
    assert planned(command, sources, before, alias) == (mark, after)


def test_the_id_of_a_notification_tells_function_alias_and_keys():
    ids = set()
    for alias in ("", "live"):
        for prefix in ("in/", "out/"):
            config = kappa_config({"sources": [source(prefix)], "alias": alias})
            arn = f"{FUNCTION}:{alias}" if alias else FUNCTION
            *_, write = plan_sources(config, PLACE, replace(in_bucket(), target_arn=arn), ())
            ids.add(listed(write)[0]["Id"])
    assert len(ids) == 4
    assert all(id_.startswith("kappa-greeter-") for id_ in ids)


@pytest.mark.parametrize("alias", ["prod", ""])
def test_one_key_cannot_notify_two_aliases(alias):
    with pytest.raises(Conflict, match=r"already notifies \S+:dev of such keys"):
        planned("deploy", "in/new/", f"{KAPPAS}@dev:in/", alias)


def test_a_bucket_gets_a_permission_of_its_account_and_a_notification():
    plan = add(PHOTOS, SourcesState(current={BUCKET: {}}))
    assert plan[0].params["SourceAccount"] == "123456789012"
    assert plan[1].params == {
        "Bucket": "photos",
        "NotificationConfiguration": {"LambdaFunctionConfigurations": [OWN]},
    }


def test_the_notifications_of_others_are_kept():
    (step,) = add(PHOTOS, SourcesState(current={BUCKET: OTHERS}), (MAY_S3,))
    both = [*OTHERS["LambdaFunctionConfigurations"], OWN]
    written_ = {**OTHERS, "LambdaFunctionConfigurations": both}
    assert step.params["NotificationConfiguration"] == written_
    (step,) = delete(PHOTOS, SourcesState(current={BUCKET: written_}))
    assert step.params["NotificationConfiguration"] == OTHERS


def test_a_notification_is_equal_whatever_case_s3_answers():
    filtered = {**PHOTOS, "key_filters": ()}
    has = {**OWN, "Filter": {"Key": {"FilterRules": []}}}
    assert add(filtered, in_bucket(has), (MAY_S3,))[0].mark == "exists"


def test_update_changes_the_events_of_a_notification():
    assert [item.mark for item in update(PHOTOS, in_bucket({**OWN, "Events": [REMOVED]}))] == [
        "updated"
    ]


def test_a_bucket_that_is_missing_is_said_when_added_and_gone_when_deleted():
    with pytest.raises(NotFound, match="photos does not exist"):
        add(PHOTOS, SourcesState(), (MAY_S3,))
    assert delete(PHOTOS, SourcesState())[0].mark == "gone"


def test_a_bucket_of_a_disabled_source_is_not_notified():
    off = {**PHOTOS, "enabled": False}
    assert add(off, SourcesState(current={BUCKET: OTHERS})) == [
        Note("unchanged", "event source s3 photos (disabled)")
    ]


@pytest.mark.parametrize(
    ("other", "mine", "clash"),
    [
        ({"Events": [CREATED]}, {}, True),
        ({"Events": [PUT]}, {}, True),
        ({"Events": [REMOVED]}, {}, False),
        ({"Events": [CREATED], **rules(prefix="in/")}, {"prefix": "in/a/"}, True),
        ({"Events": [CREATED], **rules(prefix="in/")}, {"prefix": "out/"}, False),
        ({"Events": [CREATED], **rules(suffix=".png")}, {"suffix": ".jpg"}, False),
        ({"Events": [CREATED], **rules(suffix=".gz")}, {"suffix": ".tar.gz"}, True),
    ],
)
def test_a_notification_of_others_that_overlaps_is_refused(other, mine, clash):
    state = SourcesState(
        current={BUCKET: {"TopicConfigurations": [{"TopicArn": TOPIC, "Id": "t", **other}]}}
    )
    filters = tuple(KeyFilter(type=kind, value=value) for kind, value in mine.items())
    photos = {**PHOTOS, "key_filters": filters}
    if clash:
        with pytest.raises(Conflict, match=f"already notifies {TOPIC}"):
            add(photos, state, (MAY_S3,))
    else:
        assert [step.mark for step in add(photos, state, (MAY_S3,))] == ["created"]


@pytest.mark.parametrize("events", [["s3:*"], [PUT, REMOVED]])
def test_a_notification_made_by_hand_for_more_events_is_named(events):
    by_hand = {**OWN, "Id": "all", "Events": events}
    with pytest.raises(Conflict, match=r"notification all.*S3 notifies one only"):
        add(PHOTOS, in_bucket(by_hand), (MAY_S3,))


def test_a_notification_of_a_namesake_in_another_account_is_not_ours():
    theirs = {**OWN, "LambdaFunctionArn": FUNCTION.replace("123456789012", "210987654321")}
    with pytest.raises(Conflict, match=r"notifies arn:.*210987654321"):
        add(PHOTOS, in_bucket(theirs), (MAY_S3,))
    assert delete(PHOTOS, in_bucket(theirs))[0].mark == "gone"


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


CONFIG = """
lambda:
  name: greeter
  path: .
  handler: greeter.handler
  runtime: python3.13
  event_sources:
    - arn: arn:aws:s3:::photos
      events: ["s3:ObjectCreated:*"]
      key_filters: [{type: prefix, value: in/}]
    - arn: arn:aws:s3:::photos
      events: [EVENTS]
      key_filters: [{type: prefix, value: PREFIX}]
"""


@pytest.mark.parametrize(
    ("prefix", "events", "problem"),
    [
        ("out/", "s3:ObjectCreated:*", ""),
        ("in/new/", "s3:ObjectRemoved:*", ""),
        ("in/new/", "s3:ObjectCreated:Put", "S3 notifies one only"),
        ("in/", "s3:ObjectRemoved:*", "given twice"),
    ],
)
def test_sources_of_one_bucket_that_s3_would_refuse_are_an_error_of_the_config(
    tmp_path, prefix, events, problem
):
    file = tmp_path / "config.yml"
    file.write_text(CONFIG.replace("PREFIX", prefix).replace("EVENTS", f'"{events}"'))
    if not problem:
        assert len(read_config(file).function.event_sources) == 2
        return
    with pytest.raises(ConfigError, match=problem):
        read_config(file)
