"""The types of values: what each takes, and what it refuses."""

import botocore.session
import pytest
from msgspec import Meta, ValidationError, convert

from kappa.config import value_types
from kappa.config.value_types import FunctionName, ImageUri, LayerArn

LOADER = botocore.session.get_session().get_component("data_loader")


def suffixes():
    return sorted({one["dnsSuffix"] for one in LOADER.load_data("endpoints")["partitions"]})


@pytest.mark.parametrize("suffix", suffixes())
@pytest.mark.parametrize("host", ["ecr", "ecr-fips"])
def test_an_image_may_be_in_every_partition(suffix, host):
    uri = f"123456789012.dkr.{host}.eusc-de-east-1.{suffix}/team/greeter@sha256:{'0' * 64}"
    assert convert(uri, ImageUri) == uri


@pytest.mark.parametrize("host", ["amazonaws.com.evil.example", "example.com", "amazonaws.org"])
def test_an_image_of_another_registry_is_refused(host):
    with pytest.raises(ValueError, match="matching regex"):
        convert(f"123456789012.dkr.ecr.us-east-1.{host}/greeter:1", ImageUri)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:lambda:us-east-1:123456789012:layer:tools:3",
        "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:layer:tools:3",
        "arn:aws:lambda:::awslayer:AmazonLinux1703",
    ],
)
def test_a_layer_has_either_form_of_the_model(arn):
    assert convert(arn, LayerArn) == arn


@pytest.mark.parametrize("text", ["greeter\n", "greeter\n\n", "greeter ", ""])
def test_a_name_ends_with_its_last_letter(text):
    assert convert("greeter", FunctionName) == "greeter"
    with pytest.raises(ValidationError, match="matching regex"):
        convert(text, FunctionName)


def test_no_pattern_takes_a_line_break_after_the_value():
    patterns = {
        name: meta.pattern
        for name, kind in vars(value_types).items()
        for meta in getattr(kind, "__metadata__", ())
        if isinstance(meta, Meta) and meta.pattern and name != "ProfileName"
    }
    assert "FunctionName" in patterns
    assert [name for name, text in patterns.items() if not text.endswith(r"$(?!\n)")] == []
