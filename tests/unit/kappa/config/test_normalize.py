"""Values whose keys want them as texts, or as the JSON that AWS takes."""

from pathlib import Path

import pytest

from kappa.config.read import read_config
from kappa.errors import ConfigError
from tests.support.kappa.configs import error_of, source

DATA = Path(__file__).parents[3] / "data" / "kappa"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


def test_a_slash_after_a_streams_arn_is_dropped():
    config = read_config(DATA / "chat-dynamodb" / "config.yml")
    assert config.function.event_sources[0].arn.endswith("7b9f5f0c")


def test_environment_values_are_taken_as_they_are_written(write):
    more = "  environment: {VERSION: 1.10, AGENT: 007, FLAG: on, EMPTY: '', DAY: 2026-01-01}\n"
    assert read_config(write(more=more)).function.environment == {
        "VERSION": "1.10",
        "AGENT": "007",
        "FLAG": "on",
        "EMPTY": "",
        "DAY": "2026-01-01",
    }


def test_an_input_of_a_hundred_thousand_levels_is_one_clear_error(write):
    deep = f"input: '{'[' * 100_000}{']' * 100_000}'"
    rule = source("name: n", "schedule: rate(1 minute)", deep)
    assert "input is not JSON" in error_of(write(more=rule))


def test_an_input_of_a_thousand_levels_is_read_or_one_clear_error(write):
    """How deep JSON may be is Python's rule: 3.13 reads a thousand levels, 3.11 does not."""
    rule = source("name: n", "schedule: rate(1 minute)", f"input: '{'[' * 1000}{']' * 1000}'")
    try:
        read_config(write(more=rule))
    except ConfigError as error:
        assert "input is not JSON" in str(error)  # noqa: PT017 - it may be read, too


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("filter_policy: {country: [NO]}", "filter_policy.country[0] is NO, which YAML reads as"),
        (
            """filter_policy: '{"a": ["b"], "a": ["c"]}'""",
            "filter_policy is not JSON.\n  Write a ma",
        ),
        ("""filter_policy: '{"a": [NaN]}'""", "filter_policy is not JSON.\n  Write a mapping, or"),
    ],
)
def test_a_filter_of_which_something_would_get_lost_is_refused(write, line, said):
    more = source(f"arn: {TOPIC}", line)
    assert error_of(write(more=more)).startswith(f"11: lambda.event_sources[0].{said}")
