"""Arguments: the config files that a shell is offered, and times."""

from datetime import UTC, datetime

import pytest

from kappa.commands.argument_types import config_files, moment_ms
from tests.support.builders import NOW_S


@pytest.mark.parametrize(
    ("begun", "files"),
    [
        ("", ["config.yml", "lambda/sns/config.yml", "lambda/sqs/config.yaml"]),
        ("lam", ["lambda/sns/config.yml", "lambda/sqs/config.yaml"]),
        ("lambda/s", ["lambda/sns/config.yml", "lambda/sqs/config.yaml"]),
        ("lambda/sns/", ["lambda/sns/config.yml"]),
        ("./c", ["./config.yml"]),
        ("x", []),
        ("no/such/", []),
    ],
)
def test_a_config_is_a_yaml_file_here_or_not_far_below(project, begun, files):
    assert config_files(begun) == files


def test_an_absolute_path_stays_absolute(project):
    assert config_files(f"{project}/c") == [f"{project}/config.yml"]


@pytest.mark.parametrize(
    ("text", "ago_s"), [("0s", 0), ("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400)]
)
def test_a_span_is_that_long_ago(text, ago_s):
    assert moment_ms(text, NOW_S) == (NOW_S - ago_s) * 1000


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T12:00",
        "2026-01-01 12:00:00",
        "2026-01-01T12:00:00.000Z",
        "2026-01-01T13:00:00+01:00",
    ],
)
def test_a_time_is_utc_unless_it_says_otherwise(text):
    assert moment_ms(text, 0) == NOW_S * 1000


def test_a_day_begins_at_midnight():
    assert moment_ms("2026-01-31", 0) == datetime(2026, 1, 31, tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "5 m", "10w", "yesterday", "2026-13-01"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        moment_ms(text, NOW_S)


def test_a_home_that_nobody_has_completes_to_nothing():
    assert config_files("~no-such-person/c") == []
