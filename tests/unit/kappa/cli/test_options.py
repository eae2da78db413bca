"""Times on the command line, and options that contradict each other."""

from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner

from kappa.cli.main import cli
from kappa.cli.options import moment_ms
from tests.support.builders import NOW_S


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


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["logs", "--since", "soon"], "is no time"),
        (["logs", "--since", "99999999999d"], "is no time since 1970"),
        (["logs", "--since", "9" * 5000 + "d"], "is no time since 1970"),
        (["logs", "--since", "0001-01-01"], "is no time since 1970"),
        (["logs", "--follow", "--until", "1m"], "--follow has no end"),
        (["logs", "--since", "1m", "--until", "2m"], "--until is not after --since"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_read(args, message):
    done = CliRunner().invoke(cli, ["nowhere.yml", *args], standalone_mode=False)
    assert isinstance(done.exception, click.UsageError)
    assert message in done.exception.message
