"""A value of the wrong kind is an error with its line, its key and what is allowed."""

import pytest

from tests.support.kappa.configs import error_of, source

STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("  timeout: 5401\n", "9: lambda.timeout is '5401'.\n  Allowed: 1 to 5400 (seconds)."),
        ("  timeout: soon\n", "9: lambda.timeout is 'soon'.\n  Allowed: 1 to 5400 (seconds)."),
        ("  timeout: 3.5\n", "9: lambda.timeout is '3.5'.\n  Allowed: 1 to 5400 (seconds)."),
        ("  timeout: yes\n", "9: lambda.timeout is 'yes'.\n  Allowed: 1 to 5400 (seconds)."),
        ("  timeout: [3]\n", "9: lambda.timeout is of the wrong kind."),
        ("  memory_size: 64\n", "9: lambda.memory_size is '64'.\n  Allowed: 128 to 32768 (MB)."),
        (
            "  memmory_size: 64\n",
            "9: unknown key lambda.memmory_size.\n  Did you mean `memory_size`",
        ),
        (
            "  provisioned_concurrency: 5\n",
            "9: unknown key lambda.provisioned_concurrency.\n  kappa does not support provisioned",
        ),
        ("  zzz: 1\n", "9: unknown key lambda.zzz.\n  Allowed: alias, architectures,"),
        ("  timeout: 3\n  timeout: 4\n", "10: lambda.timeout is given twice (first: line 9)."),
        ("  architectures: [arm]\n", "architectures[0] is 'arm'.\n  Did you mean `arm64`?"),
        (
            "  architectures: [arm64, x86_64]\n",
            "Allowed: [arm64] or [x86_64].",
        ),
        ("  log_retention_days: 31\n", "9: lambda.log_retention_days is 31.\n  Allowed: 1, 3, 5"),
        ("  environment: {9A: x}\n", "9: '9A' is not a valid variable name."),
        ("  environment: {AWS_REGION: x}\n", "9: AWS_REGION is set by Lambda itself."),
        ("  environment: {NAME: }\n", "9: lambda.environment.NAME must be one value."),
        ("  environment: {NAME: [1]}\n", "9: lambda.environment.NAME must be one value."),
        # As AWS measures it: {"NAME":"xxx..."} has 11 bytes besides.
        (f"  environment: {{NAME: {'x' * 4086}}}\n", "has 4097 bytes as JSON; Lambda takes 4096"),
        ("  async: {maximum_retry_attempts: 3}\n", "is '3'.\n  Allowed: 0 to 2."),
        ("  permissions: [{statement_id: a}]\n", "permissions[0].principal is missing."),
        (
            "  permissions:\n    - {statement_id: a, principal: b}\n"
            "    - {statement_id: a, principal: c}\n",
            "11: lambda.permissions[1].statement_id 'a' is given twice.",
        ),
        (
            source("arn: nonsense"),
            "10: lambda.event_sources[0].arn is 'nonsense'.\n  Allowed: an",
        ),
        (source("arn: arn:aws:ec2:us-east-1:123456789012:i"), "10: ec2 cannot be an event source"),
        (source(f"arn: {TOPIC}", "batch_size: 1"), "11: lambda.event_sources[0].batch_size: a"),
        (
            source(f"arn: {STREAM}", "batch_size: 0"),
            "lambda.event_sources[0].batch_size is '0'",
        ),
        (source(f"arn: {STREAM}", "starting_position: NOW"), "Allowed: TRIM_HORIZON, LATEST, AT_"),
        (source("arn: arn:aws:s3:::bucket"), "10: a source of s3 needs events."),
        (
            source(f"arn: {STREAM}") + f"    - arn: {STREAM}\n",
            f"11: the event source {STREAM} is given twice.",
        ),
        (
            source(
                f"arn: {STREAM}",
                "starting_position: AT_TIMESTAMP",
                "starting_position_timestamp: noon",
            ),
            "A time such as",
        ),
    ],
)
def test_a_wrong_value_is_said_with_line_key_and_what_is_allowed(write, more, said):
    assert said in error_of(write(more=more))


def test_an_error_does_not_repeat_a_value_of_many_pages(write):
    assert len(error_of(write(more=f"  timeout: {'9' * 100_000}\n"))) < 600
    assert len(error_of(write(more=f"  {'k' * 5000}: 1\n"))) < 1600
