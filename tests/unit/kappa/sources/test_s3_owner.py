"""Several notifications of one bucket: those of one config, and those of several configs."""

from pathlib import Path

import msgspec
import pytest

from kappa.commands.deploy import plan_deploy
from kappa.commands.event_sources import (
    plan_add_event_sources,
    plan_remove_event_sources,
    plan_switch_event_sources,
)
from kappa.commands.session import Session
from kappa.config.model import Image, KeyFilter
from kappa.config.read import read_config
from kappa.errors import ConfigError, Conflict
from kappa.plan.apply import apply
from kappa.plan.step import Step
from kappa.sources.read import read_sources
from kappa.sources.report import source_row, sources_data
from tests.support.builders import assert_valid, kappa_config
from tests.support.kappa.account import FUNCTION, ROLE, Account, clock
from tests.support.kappa.event_sources import BUCKET

CREATED = "s3:ObjectCreated:*"
IMAGE = Image(uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:1")


def keys(prefix="", suffix="", **more):
    given = {"prefix": prefix, "suffix": suffix}
    filters = tuple(KeyFilter(type=kind, value=value) for kind, value in given.items() if value)
    return {"arn": BUCKET, "events": (CREATED,), "key_filters": filters, **more}


class Bucket:
    """A bucket of an account, and the configs of one function that name it."""

    def __init__(self, *notifications):
        self.aws = Account(buckets=["photos"])
        if notifications:
            self.aws.buckets["photos"] = {"LambdaFunctionConfigurations": [*notifications]}
        self.reports = []

    def session(self, *sources, file="config.yml", alias="", environment=""):
        function = {"path": "", "handler": "", "runtime": "", "image": IMAGE, "alias": alias}
        config = kappa_config({"sources": sources, **function}, role={"arn": ROLE})
        named = msgspec.structs.replace(config, file=Path(file), environment=environment)
        return Session(named, self.aws)

    def deploy(self, *sources, plan=plan_deploy, **config):
        steps = plan(self.session(*sources, **config))
        assert_valid(steps)
        self.reports = []
        apply(steps, self.aws.call, self.reports.append, clock())
        return [one for one in self.reports if "s3 photos" in one.message]

    @property
    def notifications(self):
        return self.aws.buckets["photos"].get("LambdaFunctionConfigurations", [])

    @property
    def prefixes(self):
        rules = [one.get("Filter", {}).get("Key", {}) for one in self.notifications]
        return sorted("".join(r["Value"] for r in one.get("FilterRules", ())) for one in rules)


def by_kappa(prefix="", id_="kappa-greeter", **more):
    rules = {"Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": prefix}]}}}
    default = {"Id": id_, "LambdaFunctionArn": FUNCTION, "Events": [CREATED]}
    return default | (rules if prefix else {}) | more


def test_two_sources_of_one_bucket_with_other_prefixes_are_both_notified():
    one = Bucket()
    assert [each.mark for each in one.deploy(keys("in/"), keys("out/"))] == ["created", "created"]
    assert one.prefixes == ["in/", "out/"]
    again = plan_deploy(one.session(keys("in/"), keys("out/")))
    assert [item for item in again if isinstance(item, Step)] == []
    assert len({each["Id"] for each in one.notifications}) == 2


def test_a_report_names_the_keys_of_each_source_of_a_bucket():
    one = Bucket()
    messages = [each.message for each in one.deploy(keys("in/", ".jpg"), keys("out/"))]
    assert messages == ["event source s3 photos (in/*.jpg)", "event source s3 photos (out/*)"]
    session = one.session(keys("in/", ".jpg"), keys("out/"), keys("tmp/"))
    state = read_sources(one.aws, session.config, session.place)
    rows = [source_row(each) for each in sources_data(session.config, state)]
    assert [row[1:] for row in rows] == [
        ("photos", "Notifying", "s3  in/*.jpg"),
        ("photos", "Notifying", "s3  out/*"),
        ("photos", "missing", "s3  tmp/*"),
    ]


def test_a_second_source_of_a_bucket_is_added_and_the_first_stays():
    one = Bucket()
    one.deploy(keys("in/"))
    add = plan_add_event_sources
    told = one.deploy(keys("in/"), keys("out/"), plan=add)
    assert [each.mark for each in told] == ["exists", "created"]
    assert one.prefixes == ["in/", "out/"]


def test_two_configs_of_one_function_leave_each_others_notifications():
    one = Bucket()
    one.deploy(keys("in/"), file="a.yml")
    (made, kept) = one.deploy(keys("out/"), file="b.yml")
    assert (made.mark, kept.mark) == ("created", "kept")
    assert "keys in/*" in kept.message
    assert "this config does not name it" in kept.message
    assert [each.mark for each in one.deploy(keys("in/"), file="a.yml")] == ["unchanged", "kept"]
    assert one.prefixes == ["in/", "out/"]


def test_two_environments_of_one_file_leave_each_others_notifications():
    one = Bucket()
    one.deploy(keys("in/"), environment="dev")
    one.deploy(keys("out/"), environment="prod")
    assert one.prefixes == ["in/", "out/"]


@pytest.mark.parametrize("first", ["dev", "prod"])
def test_an_environment_does_not_take_the_notification_of_another_ones_alias(first):
    one = Bucket()
    second = {"dev": "prod", "prod": "dev"}[first]
    one.deploy(keys("in/"), environment=first, alias=first)
    with pytest.raises(Conflict, match=f"already notifies .*:{first} of such keys"):
        one.deploy(keys("in/"), environment=second, alias=second)
    assert one.aws.deliveries()["s3"] == [first]
    session = one.session(keys("in/"), environment=second, alias=second)
    state = read_sources(one.aws, session.config, session.place)
    (data,) = sources_data(session.config, state)
    assert data["state"] == "missing"


def test_a_config_with_another_prefix_than_before_moves_its_notification_and_says_so():
    one = Bucket()
    one.deploy(keys("in/"))
    (moved,) = one.deploy(keys("out/"))
    assert (moved.mark, one.prefixes) == ("updated", ["out/"])
    assert moved.message == "event source s3 photos (out/*): keys, which were in/*"


def test_a_prefix_within_that_of_another_config_is_refused_with_its_notification():
    one = Bucket()
    one.deploy(keys("in/"), file="a.yml")
    with pytest.raises(Conflict, match=r"already notifies .*greeter of such keys"):
        one.deploy(keys("in/new/"), file="b.yml")
    assert one.prefixes == ["in/"]


def test_a_config_that_was_renamed_finds_its_notification_by_its_keys():
    one = Bucket()
    one.deploy(keys("in/"), file="a.yml")
    assert [each.mark for each in one.deploy(keys("in/"), file="b.yml")] == ["unchanged"]
    narrower = keys("in/", events=("s3:ObjectCreated:Put",))
    with pytest.raises(Conflict):
        one.deploy(narrower, file="b.yml")
    wider = keys("in/", events=(CREATED, "s3:ObjectRemoved:*"))
    assert [each.mark for each in one.deploy(wider, file="b.yml")] == ["updated"]
    assert one.prefixes == ["in/"]


@pytest.mark.parametrize("id_", ["kappa-greeter", "Kappa-greeter-notification"])
def test_a_notification_of_an_older_kappa_gets_the_id_of_its_config(id_):
    one = Bucket(by_kappa("in/", id_))
    (told,) = one.deploy(keys("in/"), file="a.yml")
    assert (told.mark, told.message) == ("updated", "event source s3 photos (in/*): id")
    one.deploy(keys("out/"), file="b.yml")
    assert one.prefixes == ["in/", "out/"]


def test_a_new_id_asks_no_destination_of_others_whether_it_is_there():
    one = Bucket(by_kappa("in/"))
    plan = plan_deploy(one.session(keys("in/")))
    (step,) = [item for item in plan if isinstance(item, Step) and item.service == "s3"]
    assert step.params["SkipDestinationValidation"] is True


def test_a_notification_of_an_older_kappa_for_other_keys_stays_and_is_named():
    one = Bucket(by_kappa("in/"))
    (made, kept) = one.deploy(keys("out/"))
    assert (made.mark, kept.mark, one.prefixes) == ("created", "kept", ["in/", "out/"])
    assert "kappa-greeter" in kept.message


def test_a_notification_of_an_older_kappa_gives_way_to_the_keys_within_it():
    one = Bucket(by_kappa())
    told = one.deploy(keys("in/"), keys("out/"))
    assert [each.mark for each in told] == ["updated", "created"]
    assert told[0].message == "event source s3 photos (in/*): keys, which were *"
    assert one.prefixes == ["in/", "out/"]


def test_a_source_that_is_disabled_leaves_the_others_of_its_bucket():
    one = Bucket()
    one.deploy(keys("in/"), keys("out/"))
    told = one.deploy(keys("in/", enabled=False), keys("out/"))
    assert [each.mark for each in told] == ["removed", "unchanged"]
    assert one.prefixes == ["out/"]


def test_all_sources_of_a_bucket_are_disabled_and_enabled_by_its_name():
    one = Bucket()
    both = keys("in/"), keys("out/")
    one.deploy(*both)
    switch = plan_switch_event_sources
    one.deploy(*both, plan=lambda session: switch(session, ["photos"], enabled=False))
    assert one.prefixes == []
    one.deploy(*both, plan=lambda session: switch(session, ["photos"], enabled=True))
    assert one.prefixes == ["in/", "out/"]


def test_all_sources_of_a_bucket_move_to_an_alias():
    one = Bucket()
    both = keys("in/"), keys("out/")
    one.deploy(*both)
    one.deploy(*both, alias="live")
    assert one.aws.deliveries()["s3"] == ["live", "live"]
    one.deploy(*both, alias="live")
    assert list(one.aws.policies) == ["live"] or not one.aws.policies[""]


def test_remove_names_the_notifications_that_the_config_does_not_name():
    one = Bucket()
    one.deploy(keys("in/"), file="a.yml")
    one.deploy(keys("out/"), file="b.yml")
    remove = plan_remove_event_sources
    told = one.deploy(
        keys("in/"), keys("tmp/"), file="a.yml", plan=lambda session: remove(session, ())
    )
    assert ([each.mark for each in told], one.notifications) == (["removed"], [])
    assert "out/*" in told[0].message


def test_a_second_write_brings_the_first_along_where_s3_answers_what_was_before():
    one = Bucket()
    write, stale = one.aws.s3_put_bucket_notification_configuration, {}
    fresh = one.aws.s3_get_bucket_notification_configuration
    one.aws.s3_put_bucket_notification_configuration = lambda **given: (
        stale.update({"left": 1}),
        write(**given),
    )

    def answer(**given):
        # Right after a write: the check of it sees it, the next reader does not.
        if stale.get("left") == 0:
            stale["left"] = -1
            return {}
        stale["left"] = stale.get("left", 0) - 1
        return fresh(**given)

    one.aws.s3_get_bucket_notification_configuration = answer
    one.deploy(keys("in/"), keys("out/"))
    assert one.prefixes == ["in/", "out/"]


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
