import base64
import json
import math
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats import (
    BITS,
    MAX_CHANNELS,
    MAX_COUNT,
    NOTHING,
    NewMessage,
    at_time,
    bit_of,
    counted,
    people,
    read_new_message,
    read_seen,
    read_stats,
    with_new,
    write_seen,
    write_stats,
)
from tests.support.builders import NOW_S, moment, row

NOW_MS = round(NOW_S * 1000)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def new_message(ago_ms=0, channel="default", user="ada", now_ms=NOW_MS):
    return NewMessage(channel, now_ms - ago_ms, user)


def after(*batches, now_ms=NOW_MS):
    """What the page reads after these batches, all counted now."""
    content = b""
    for batch in batches:
        content = counted(content, batch, now_ms)
    return json.loads(content)


def test_the_object_has_the_contract_s_form():
    content = after(
        [new_message(), new_message(MINUTE_MS), new_message(user="grace", channel="tea")]
    )
    seen = content["today"].pop("seen")
    assert content == {
        "generated_at": "2026-01-01T12:00:00.000Z",
        "per_minute": [0] * 58 + [1, 2],
        "today": {
            "date": "2026-01-01",
            "messages": 3,
            "channels": {"default": 2, "tea": 1},
            "people": 2,
        },
    }
    assert len(seen) < 100


@pytest.mark.parametrize(
    ("ago_ms", "place"),
    [(0, 59), (1, 58), (MINUTE_MS, 58), (59 * MINUTE_MS, 0), (59 * MINUTE_MS + 1, None)],
)
def test_a_message_counts_in_its_own_minute(ago_ms, place):
    per_minute = after([new_message(ago_ms)])["per_minute"]
    assert per_minute == [int(minute == place) for minute in range(60)]


def test_a_message_ahead_of_the_clock_counts_now():
    content = after([new_message(-3 * DAY_MS)])
    assert content["per_minute"][-1] == content["today"]["messages"] == 1


def test_an_old_message_of_today_counts_today_only():
    content = after([new_message(2 * HOUR_MS)])
    assert (sum(content["per_minute"]), content["today"]["messages"]) == (0, 1)


def test_a_message_of_another_day_counts_nowhere():
    content = after([new_message(DAY_MS)])
    assert (sum(content["per_minute"]), content["today"]["messages"]) == (0, 0)
    assert (content["today"]["people"], content["today"]["channels"]) == (0, {})


def test_what_was_said_before_midnight_stays_in_the_hour_but_not_in_today():
    midnight_ms = NOW_MS + 12 * HOUR_MS
    before = counted(b"", [new_message(1, now_ms=midnight_ms)], midnight_ms - 1)
    content = json.loads(
        counted(before, [new_message(now_ms=midnight_ms, user="grace")], midnight_ms)
    )
    assert content["per_minute"][-2:] == [1, 1]
    assert content["today"]["date"] == "2026-01-02"
    assert (content["today"]["messages"], content["today"]["people"]) == (1, 1)


@pytest.mark.parametrize(
    ("gone", "left"), [(0, [1, 2]), (1, [2, 0]), (2, [0, 0]), (59, [0, 0]), (1_000_000, [0, 0])]
)
def test_minutes_move_on(gone, left):
    stats = with_new(
        at_time(NOTHING, NOW_MS), [new_message(), new_message(), new_message(MINUTE_MS)]
    )
    moved = at_time(stats, NOW_MS + gone * MINUTE_MS).per_minute
    assert moved[-2:] == left
    assert len(moved) == 60


def test_a_clock_that_is_behind_turns_nothing_back():
    content = counted(b"", [new_message()], NOW_MS)
    later = json.loads(counted(content, [new_message()], NOW_MS - 2 * MINUTE_MS))
    assert later["generated_at"] == "2026-01-01T12:00:00.000Z"
    assert later["per_minute"][-1] == 2


@pytest.mark.parametrize(("ahead_ms", "messages"), [(300_000, 2), (300_001, 1)])
def test_what_a_broken_clock_wrote_is_dropped(ahead_ms, messages):
    ahead = counted(b"", [new_message(now_ms=NOW_MS + ahead_ms)], NOW_MS + ahead_ms)
    assert json.loads(counted(ahead, [new_message()], NOW_MS))["today"]["messages"] == messages


def test_operators_send_messages_but_are_no_people():
    image = row(channel="tea", kind="operator")
    one = read_new_message("tea", image, NOW_S)
    assert one == NewMessage("tea", NOW_MS, "")
    today = after([one])["today"]
    assert (today["messages"], today["people"]) == (1, 0)


def test_a_row_counts_when_a_transcript_would_show_it():
    assert read_new_message("default", row(), NOW_S) == NewMessage(
        "default", NOW_MS, "0123456789abcdef"
    )
    assert read_new_message("default", row(expires_at=int(NOW_S)), NOW_S) is None
    assert read_new_message("default", row(name=None), NOW_S) is None
    assert read_new_message("default", row(kind="edit", target="1"), NOW_S) is None
    assert read_new_message("default", row(kind="delete", target="1", message=None), NOW_S) is None


@pytest.mark.parametrize("image", [{}, {"id": None}, {"id": {"S": 5}}, {"kind": "x", "id": "y"}])
def test_an_image_of_another_form_counts_nothing(image):
    assert read_new_message("default", image, NOW_S) is None


def test_the_50_busiest_channels_are_kept():
    batch = [new_message(channel=f"c{n}") for n in range(60) for _ in range(n + 1)]
    today = after(batch)["today"]
    assert list(today["channels"]) == [f"c{n}" for n in range(59, 9, -1)]
    assert today["messages"] == len(batch)


def test_a_new_channel_can_rise_among_50_of_one_message():
    full = [new_message(channel=f"c{n}") for n in range(MAX_CHANNELS)]
    new = [new_message(channel="new")]
    channels = after(full, new, new)["today"]["channels"]
    assert channels["new"] == 2
    assert len(channels) == MAX_CHANNELS


@pytest.mark.parametrize("count", [0, 1, 2, 5, 10])
def test_few_people_are_counted_exactly(count):
    assert after([new_message(user=f"user {n}") for n in range(count)])["today"]["people"] == count


@pytest.mark.parametrize(
    ("count", "error"), [(100, 0.03), (1_000, 0.03), (10_000, 0.03), (50_000, 0.12)]
)
def test_many_people_are_estimated_within_three_standard_errors(count, error):
    estimate = after([new_message(user=f"{n:016x}") for n in range(count)])["today"]["people"]
    assert math.isclose(estimate, count, rel_tol=error)


def test_a_full_bitmap_is_a_number_still():
    assert people(2**BITS - 1) == round(BITS * math.log(BITS))


def test_a_user_has_another_bit_the_next_day():
    users = [f"user {n}" for n in range(20)]
    first, second = (
        [bit_of(user, date) for user in users] for date in ("2026-01-01", "2026-01-02")
    )
    assert sum(a == b for a, b in zip(first, second, strict=True)) <= 1


def test_no_user_is_written():
    content = counted(b"", [new_message(user="0123456789abcdef")], NOW_MS)
    assert b"0123456789abcdef" not in content


def test_the_size_is_bounded():
    content = b""
    for batch in range(20):
        many = [
            new_message(channel=f"{batch}-{n}".rjust(64, "c"), user=f"{batch}-{n}")
            for n in range(1_000)
        ]
        content = counted(content, many, NOW_MS + batch * MINUTE_MS)
    assert len(content) < 8_192


@pytest.mark.parametrize(
    "seen", [0, 1, 1 << 4_000, random.Random(1).getrandbits(BITS), 2**BITS - 1]
)
def test_the_bitmap_is_read_as_this_version_or_an_earlier_one_wrote_it(seen):
    plain = base64.b64encode(seen.to_bytes(BITS // 8, "big")).decode()
    assert read_seen(write_seen(seen)) == read_seen(plain) == seen
    assert len(write_seen(seen)) <= len(plain)


@pytest.mark.parametrize("users", [0, 1, 100, 5_000, 100_000])
def test_an_earlier_version_keeps_the_counts_of_a_file_that_this_one_wrote(users):
    """It takes the compressed bitmap for a plain one: only `people` is wrong, and only that day."""
    seen = sum(1 << bit for bit in {bit_of(f"user{user}", "2026-01-01") for user in range(users)})
    as_read_before = int.from_bytes(base64.b64decode(write_seen(seen), validate=True), "big")
    assert as_read_before.bit_length() <= BITS, "it would start from zero"


def packed(content):
    return base64.b64encode(zlib.compress(content)).decode()


SOUND = json.loads(counted(b"", [new_message()], NOW_MS))


@pytest.mark.parametrize(
    "changes",
    [
        {"per_minute": [0] * 59},
        {"per_minute": [0] * 59 + [-1]},
        {"per_minute": [0] * 59 + [1.5]},
        {"per_minute": [0] * 59 + [True]},
        {"per_minute": [0] * 59 + [MAX_COUNT + 1]},
        {"per_minute": None},
        {"generated_at": "soon"},
        {"generated_at": 5},
        {"generated_at": "1969-12-31T23:59:59.000Z"},
        {"generated_at": "2026-01-02T12:00:00.000Z"},
        {"today": None},
        {"today": {}},
        {"today": SOUND["today"] | {"messages": "1"}},
        {"today": SOUND["today"] | {"date": "2026-01-02"}},
        {"today": SOUND["today"] | {"channels": ["default"]}},
        {"today": SOUND["today"] | {"channels": {"../x": 1}}},
        {"today": SOUND["today"] | {"channels": {"default": -1}}},
        {"today": SOUND["today"] | {"seen": "?"}},
        {"today": SOUND["today"] | {"seen": 5}},
        {"today": SOUND["today"] | {"seen": "/" * 1372}},
        {"today": SOUND["today"] | {"seen": "AAAA"}},
        {"today": SOUND["today"] | {"seen": packed(b"\xff" * 1_000_000)}},
    ],
)
def test_a_broken_object_counts_nothing(changes):
    assert read_stats(json.dumps(SOUND).encode(), NOW_MS) != NOTHING
    assert read_stats(json.dumps(SOUND | changes).encode(), NOW_MS) == NOTHING


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"\xff", b"{", b"[" * 100_000, b"1" * 5_000]
)
def test_an_object_that_is_no_json_object_counts_nothing(content):
    assert read_stats(content, NOW_MS) == NOTHING


TIMES_MS = st.integers(NOW_MS - 2 * DAY_MS, NOW_MS + DAY_MS)
BATCH = st.lists(
    st.builds(
        NewMessage,
        st.sampled_from(["default", "tea", "coffee"]),
        TIMES_MS,
        st.sampled_from(["", *(f"user {n}" for n in range(30))]),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(batches=st.lists(BATCH, max_size=5), now_ms=TIMES_MS)
def test_how_messages_are_cut_into_batches_changes_nothing(batches, now_ms):
    whole = [one for batch in batches for one in batch]
    assert after([], *batches, now_ms=now_ms) == after(whole, now_ms=now_ms)


@settings(deadline=None)
@given(batch=BATCH, now_ms=TIMES_MS)
def test_counting_a_batch_again_counts_nobody_again(batch, now_ms):
    once, twice = after(batch, now_ms=now_ms), after(batch, batch, now_ms=now_ms)
    assert twice["today"]["people"] == once["today"]["people"]
    assert twice["today"]["messages"] == 2 * once["today"]["messages"]


@settings(deadline=None)
@given(batches=st.lists(st.tuples(BATCH, TIMES_MS), max_size=8))
def test_whatever_the_clock_does_the_sums_agree_and_can_be_read_back(batches):
    content, clock_ms = b"", 0
    for batch, now_ms in batches:
        content = counted(content, batch, now_ms)
        stats = read_stats(content, now_ms)
        assert write_stats(stats) == content
        assert stats.messages == sum(stats.channels.values())
        assert len(stats.per_minute) == 60
        clock_ms = max(clock_ms, now_ms) if stats.generated_ms > now_ms else now_ms
        assert stats.generated_ms == clock_ms


def test_the_builders_moment_is_the_clock_s():
    assert read_new_message("default", row(moment(0)), NOW_S).sent_ms == NOW_MS
