"""A bucket's notifications: which of them are for the same keys and events."""

import pytest

from kappa.config.model import EventSource, KeyFilter
from kappa.config.s3_notification import key_pattern, notification_of, overlap, replaces

CREATED, PUT, REMOVED = "s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectRemoved:*"


def notification(*events, prefix="", suffix=""):
    given = {"prefix": prefix, "suffix": suffix}
    filters = tuple(KeyFilter(type=type_, value=value) for type_, value in given.items() if value)
    return notification_of(
        EventSource(arn="arn:aws:s3:::photos", events=events, key_filters=filters)
    )


def test_keys_are_named_for_people():
    assert key_pattern(notification(CREATED, prefix="in/", suffix=".jpg")) == "in/*.jpg"
    assert key_pattern(notification(CREATED)) == "*"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (notification(PUT, prefix="in/"), True),
        (notification(CREATED, prefix="in/2026/"), True),
        (notification(CREATED, suffix=".jpg"), True),
        (notification(CREATED, prefix="out/"), False),
        (notification(REMOVED, prefix="in/"), False),
    ],
)
def test_two_overlap_where_some_event_of_some_key_is_for_both(other, expected):
    own = notification(CREATED, prefix="in/")
    assert overlap(own, other) is expected
    assert overlap(other, own) is expected


def test_one_replaces_another_of_the_same_keys_whose_events_it_has():
    wide, narrow = notification(CREATED, prefix="in/"), notification(PUT, prefix="in/")
    assert replaces(wide, narrow)
    assert not replaces(narrow, wide)
    assert not replaces(notification(CREATED), narrow)
