"""Regions that are mistyped, new, or none."""

import socket

import pytest

from kappa.aws import Aws
from kappa.aws.regions import meant
from kappa.errors import ConfigError, Unavailable
from tests.unit.kappa.aws.test_credentials import profile

KNOWN = frozenset(
    {
        "ap-southeast-2",
        "eu-central-1",
        "eu-west-1",
        "us-east-1",
        "us-east-2",
        "us-gov-east-1",
        "us-west-1",
    }
)


@pytest.mark.parametrize(
    ("typed", "region"),
    [
        ("us-esat-1", "us-east-1"),
        ("us-east1", "us-east-1"),
        ("us-east-11", "us-east-1"),
        ("us-east-1a", "us-east-1"),
        ("eu-wset-1", "eu-west-1"),
        ("eu-cental-1", "eu-central-1"),
        ("ap-soutest-2", "ap-southeast-2"),
        ("us-east-1", ""),
        ("us-east-3", ""),
        ("nz-north-1", ""),
        ("eusc-fr-west-1", ""),
        ("local", ""),
    ],
)
def test_a_typo_is_told_from_a_region_that_is_new(typed, region):
    assert meant(typed, KNOWN) == region


def test_a_mistyped_region_is_named_before_any_call():
    with pytest.raises(ConfigError, match="Did you mean us-east-1"):
        Aws("us-esat-1").client("sts")


@pytest.mark.parametrize("region", ["nowhere-1", "<region>", "US-EAST-1", "us-east-1a"])
def test_what_no_region_can_be_called_is_said_before_any_call(region):
    with pytest.raises(ConfigError, match=f"^{region} is not an AWS region"):
        Aws(region).client("sts")


def test_a_new_region_that_is_not_reached_is_questioned(monkeypatch, keys):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(Unavailable) as caught:
            Aws("us-east-9").call("sts", "get_caller_identity", "trying")
    assert "Did you mean us-east-" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({}, "sa-east-1"),
    ],
)
def test_the_regions_of_the_environment_rank_as_in_the_aws_cli(
    monkeypatch, tmp_path, given, expected
):
    profile(monkeypatch, tmp_path, "[default]\nregion = sa-east-1\n")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Aws().region == expected
    assert Aws("ca-west-1").region == "ca-west-1"
