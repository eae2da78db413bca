import json

import pytest
from botocore.exceptions import ClientError

from s3_folder import Folder
from stats import NewMessage
from stats_file import StatsBusy, StatsFile
from tests.support.builders import BUCKET, NOW_S, answer_with, before_each_put, calls_of

KEY = "data/stats.json"
NOW_MS = round(NOW_S * 1000)


def stats_file(s3):
    return StatsFile(Folder(s3, BUCKET, "data/"), lambda: NOW_S)


def new_messages(user="ada"):
    return [NewMessage("default", NOW_MS, user)]


def today(s3):
    return json.loads(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())["today"]


def test_the_first_message_makes_the_object(s3):
    calls = calls_of(s3)
    stats_file(s3).add(new_messages())
    assert calls == ["GetObject", "PutObject"]
    assert (today(s3)["messages"], today(s3)["people"]) == (1, 1)
    head = s3.head_object(Bucket=BUCKET, Key=KEY)
    assert (head["ContentType"], head["CacheControl"]) == ("application/json", "no-cache")


def test_a_further_batch_costs_one_write(s3):
    stats = stats_file(s3)
    stats.add(new_messages())
    calls = calls_of(s3)
    stats.add(new_messages("grace"))
    assert calls == ["PutObject"]
    assert (today(s3)["messages"], today(s3)["people"]) == (2, 2)


def test_no_message_costs_no_call(s3):
    calls = calls_of(s3)
    stats_file(s3).add([])
    assert calls == []


def test_a_new_container_goes_on_with_what_is_stored(s3):
    stats_file(s3).add(new_messages())
    stats_file(s3).add(new_messages())
    assert (today(s3)["messages"], today(s3)["people"]) == (2, 1)


@pytest.mark.parametrize("warm", [True, False])
def test_two_containers_lose_no_message(s3, other_s3, warm):
    stats, other = stats_file(s3), stats_file(other_s3)
    if warm:
        stats.add(new_messages())
        other.add(new_messages())
    before_each_put(s3, lambda: other.add(new_messages("grace")), times=2)
    stats.add(new_messages("edsger"))
    assert today(s3)["messages"] == (5 if warm else 3)
    assert today(s3)["people"] == (3 if warm else 2)


def test_what_found_no_turn_is_counted_with_the_next_batch(s3, other_s3):
    stats, other = stats_file(s3), stats_file(other_s3)
    before_each_put(s3, lambda: other.add(new_messages("grace")), times=5)
    with pytest.raises(StatsBusy):
        stats.add(new_messages())
    stats.add(new_messages("edsger"))
    assert (today(s3)["messages"], today(s3)["people"]) == (7, 3)


def test_what_waits_for_a_turn_is_bounded(s3):
    answer_with(s3, "PutObject", "PreconditionFailed", 412, times=10)
    stats = stats_file(s3)
    for _ in range(2):
        with pytest.raises(StatsBusy):
            stats.add(new_messages() * 800)
    stats.add(new_messages())
    assert today(s3)["messages"] == 1_001


def test_a_write_that_is_sent_again_by_the_sdk_counts_once(s3, other_s3):
    stats = stats_file(s3)
    stats.add(new_messages())

    def write_first(params, **_):
        other_s3.put_object(Bucket=BUCKET, Key=KEY, Body=params["Body"])
        s3.meta.events.unregister("before-parameter-build.s3.PutObject", write_first)

    s3.meta.events.register("before-parameter-build.s3.PutObject", write_first)
    stats.add(new_messages())
    assert today(s3)["messages"] == 2
    stats.add(new_messages())
    assert today(s3)["messages"] == 3


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_after_a_fault_the_object_is_read_again(s3, operation):
    stats = stats_file(s3)
    answer_with(s3, operation, "InternalError", 500, times=1)
    with pytest.raises(ClientError, match="InternalError"):
        stats.add(new_messages())
    calls = calls_of(s3)
    stats.add(new_messages())
    assert calls == ["GetObject", "PutObject"]
    assert today(s3)["messages"] == 1


def test_a_denied_read_never_empties_the_object(s3, other_s3):
    stats_file(other_s3).add(new_messages())
    answer_with(s3, "GetObject", "AccessDenied", 403)
    with pytest.raises(StatsBusy):
        stats_file(s3).add(new_messages())
    assert today(other_s3)["messages"] == 1


def test_an_object_deleted_in_between_is_made_again(s3, other_s3):
    stats = stats_file(s3)
    stats.add(new_messages())
    other_s3.delete_object(Bucket=BUCKET, Key=KEY)
    stats.add(new_messages())
    assert today(s3)["messages"] == 1


def test_a_broken_object_is_written_anew(s3):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"<html>")
    stats_file(s3).add(new_messages())
    assert today(s3)["messages"] == 1
