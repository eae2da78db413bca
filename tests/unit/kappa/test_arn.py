"""ARNs: parsed, named, built."""

import pytest

from kappa.arn import Place, parse_arn


@pytest.mark.parametrize(
    ("text", "service", "name"),
    [
        ("arn:aws:sns:us-east-1:123456789012:topic", "sns", "topic"),
        (
            "arn:aws:dynamodb:us-east-1:123456789012:table/chat/stream/2026-01-01T00:00:00.000",
            "dynamodb",
            "chat",
        ),
        ("arn:aws-cn:kinesis:cn-north-1:123456789012:stream/s", "kinesis", "s"),
        ("arn:aws:s3:::bucket", "s3", "bucket"),
        ("arn:aws:iam::aws:policy/service-role/Basic", "iam", "Basic"),
    ],
)
def test_an_arn_says_its_service_and_name(text, service, name):
    arn = parse_arn(text)
    assert (arn.service, arn.name, str(arn)) == (service, name, text)


@pytest.mark.parametrize("text", ["", "topic", "arn:aws:sns", "arn:aws:sns:us-east-1:12:topic"])
def test_what_is_no_arn_is_refused(text):
    with pytest.raises(ValueError, match="is not an ARN"):
        parse_arn(text)


def test_a_place_gives_every_arn_from_a_name():
    place = Place("aws-us-gov", "us-gov-west-1", "123456789012")
    assert place.function_arn("f") == "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f"
    assert place.role("/kappa/", "r") == "arn:aws-us-gov:iam::123456789012:role/kappa/r"
    assert place.policy("/", "p") == "arn:aws-us-gov:iam::123456789012:policy/p"
    assert (
        place.aws_policy("/service-role/", "B") == "arn:aws-us-gov:iam::aws:policy/service-role/B"
    )
