import json

import pytest
from botocore.exceptions import ClientError

from channel_list import MAX_NAMES, SEEN_FOR_S, ChannelList, ChannelListBusy
from s3_folder import Folder
from tests.support.builders import BUCKET, NOW_S, answer_with, before_each_put, calls_of

KEY = "data/channels.json"


def channel_list(s3):
    return ChannelList(Folder(s3, BUCKET, "data/"), lambda: NOW_S)


def content(s3):
    return json.loads(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())


def test_the_first_channel_makes_the_list(s3):
    channel_list(s3).add(["default"])
    assert content(s3) == {"channels": ["default"], "generated_at": "2026-01-01T12:00:00.000Z"}
    head = s3.head_object(Bucket=BUCKET, Key=KEY)
    assert (head["ContentType"], head["CacheControl"]) == ("application/json", "no-cache")


def test_a_further_channel_is_sorted_in(s3):
    channel_list(s3).add(["default", "tea"])
    channel_list(s3).add(["coffee"])
    assert content(s3)["channels"] == ["coffee", "default", "tea"]


def test_a_known_channel_costs_no_call(s3):
    channels = channel_list(s3)
    channels.add(["default"])
    calls = calls_of(s3)
    channels.add(["default"])
    channels.add([])
    assert calls == []


def test_a_listed_channel_costs_one_read_in_a_new_container(s3):
    channel_list(s3).add(["default"])
    calls = calls_of(s3)
    channel_list(s3).add(["default"])
    assert calls == ["GetObject"]


def test_many_new_channels_cost_one_write(s3):
    calls = calls_of(s3)
    channel_list(s3).add(f"channel-{n}" for n in range(100))
    assert calls == ["GetObject", "PutObject"]


@pytest.mark.parametrize("exists", [True, False])
def test_two_writers_lose_no_channel(s3, other_s3, exists):
    if exists:
        channel_list(s3).add(["default"])
    before_each_put(s3, lambda: channel_list(other_s3).add(["tea"]), times=1)
    channel_list(s3).add(["coffee"])
    assert {"coffee", "tea"} <= set(content(s3)["channels"])


def test_a_list_that_never_stands_still_is_an_error_after_some_tries(s3, other_s3):
    number = iter(range(100))
    before_each_put(s3, lambda: channel_list(other_s3).add([f"c{next(number)}"]), times=100)
    with pytest.raises(ChannelListBusy):
        channel_list(s3).add(["coffee"])


def test_a_list_deleted_in_between_is_made_again(s3, other_s3):
    channel_list(s3).add(["default"])
    before_each_put(s3, lambda: other_s3.delete_object(Bucket=BUCKET, Key=KEY), times=1)
    channel_list(s3).add(["tea"])
    assert content(s3)["channels"] == ["tea"]


def test_a_conflict_of_two_creations_is_tried_again(s3):
    answer_with(s3, "PutObject", "ConditionalRequestConflict", 409, times=1)
    channel_list(s3).add(["default"])
    assert content(s3)["channels"] == ["default"]


def test_a_denied_read_of_a_missing_list_makes_it(s3):
    answer_with(s3, "GetObject", "AccessDenied", 403, times=1)
    channel_list(s3).add(["default"])
    assert content(s3)["channels"] == ["default"]


def test_a_denied_read_of_the_list_never_empties_it(s3, other_s3):
    channel_list(other_s3).add(["default", "tea"])
    answer_with(s3, "GetObject", "AccessDenied", 403)
    with pytest.raises(ChannelListBusy):
        channel_list(s3).add(["coffee"])
    assert content(other_s3)["channels"] == ["default", "tea"]


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_a_fault_of_s3_is_raised(s3, operation):
    answer_with(s3, operation, "InternalError", 500)
    with pytest.raises(ClientError, match="InternalError"):
        channel_list(s3).add(["default"])


@pytest.mark.parametrize(
    "broken",
    [b"", b"no JSON", b"[]", b"{}", b'{"channels": 5}', b'{"channels": ["x", 5]}', b"\xff"],
)
def test_a_broken_list_is_written_anew(s3, broken):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=broken)
    channel_list(s3).add(["default"])
    assert content(s3)["channels"] == ["default"]


def test_a_name_that_is_no_channel_leaves_the_list(s3):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b'{"channels": ["tea", "../config", "<b>"]}')
    channel_list(s3).add(["default"])
    assert content(s3)["channels"] == ["default", "tea"]


def full(s3, number=MAX_NAMES):
    """Let the list hold so many channels."""
    names = [f"m{n:04}" for n in range(number)]
    channel_list(s3).add(names)
    return names


def test_the_first_thousand_channels_are_listed_and_no_later_name_drives_them_out(s3):
    names = full(s3)
    channels = channel_list(s3)
    channels.add(["aaa", "zzz"])
    assert content(s3)["channels"] == names
    assert channels.unseen(["aaa", "m0001", "zzz"]) == {"aaa", "zzz"}


def test_the_last_free_place_is_for_the_first_that_asks(s3):
    full(s3, MAX_NAMES - 1)
    channels = channel_list(s3)
    channels.add(["zzz", "aaa"])
    assert len(content(s3)["channels"]) == MAX_NAMES
    assert channels.unseen(["zzz", "aaa"]) == {"aaa"}


def test_a_channel_that_is_not_listed_costs_one_read_and_no_write(s3):
    full(s3)
    calls = calls_of(s3)
    channel_list(s3).add(["another"])
    assert calls == ["GetObject"]


def test_a_list_that_was_deleted_is_made_anew_of_what_is_published(s3):
    channels = channel_list(s3)
    channels.add([*full(s3), "another"])
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    channels.add(["m0001", "another"])
    assert content(s3)["channels"] == ["another", "m0001"]
    channels.add(["m0002"])
    assert content(s3)["channels"] == ["another", "m0001", "m0002"]


def test_a_container_looks_at_the_list_again_after_ten_minutes(s3):
    now = [NOW_S]
    channels = ChannelList(Folder(s3, BUCKET, "data/"), lambda: now[0])
    channels.add(["default"])
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    now[0] += SEEN_FOR_S
    channels.add(["default"])
    with pytest.raises(ClientError):
        content(s3)
    now[0] += 1
    channels.add(["default"])
    assert content(s3)["channels"] == ["default"]


def test_a_second_look_that_fails_fails_no_channel_that_is_listed(s3):
    now_s = [NOW_S]
    channels = ChannelList(Folder(s3, BUCKET, "data/"), lambda: now_s[0])
    channels.add(["default"])
    now_s[0] += SEEN_FOR_S + 1
    answer_with(s3, "GetObject", "InternalError", 500, times=1)
    with pytest.raises(ClientError, match="InternalError"):
        channels.add(["default"])
    assert channels.unseen(["default", "tea"]) == {"tea"}
    calls = calls_of(s3)
    channels.add(["default"])  # looks again
    channels.add(["default"])
    assert calls == ["GetObject"]
