"""Whose bucket it is, where only the published page shows it: a damaged config shows nothing."""

import gzip
import json

import boto3
import pytest
from moto import mock_aws

from kappa.aws import Aws
from kappa.errors import ConfigError
from lambda_chat.site.owner import refuse_foreign
from tests.support.builders import chat_config

CONFIG = chat_config()
OURS = json.dumps({"topicArn": CONFIG.sns_topic_arn}).encode()


@pytest.fixture
def refuse(monkeypatch):
    """Check a bucket that has this config of a page, for a caller who may not ask for the stack."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")

    def check(body, key="config.json", **headers):
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket=CONFIG.s3_bucket)
        s3.put_object(Bucket=CONFIG.s3_bucket, Key=key, Body=body, **headers)
        refuse_foreign(Aws("us-east-1"), CONFIG, None, {key: "e"})

    with mock_aws():
        yield check


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (OURS, {}),
        (gzip.compress(OURS, mtime=0), {"ContentEncoding": "gzip"}),
        (b"export default " + OURS + b";\n", {"key": "config.js"}),
    ],
)
def test_a_page_that_sends_to_this_stacks_topic_is_its_own(refuse, body, headers):
    refuse(body, **headers)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"topicArn": "arn:aws:sns:us-east-1:1:other"}', {}),
        (b"", {}),
        (b"[]", {}),
        (b"\xff\xfe", {}),
        (b'{"topicArn": ' + b"[" * 200_000, {}),
        (OURS, {"ContentEncoding": "gzip"}),
        (gzip.compress(OURS, mtime=0)[:10] + b"\xff" * 20, {"ContentEncoding": "gzip"}),
        (gzip.compress(OURS, mtime=0)[:-9], {"ContentEncoding": "gzip"}),
    ],
)
def test_another_or_a_damaged_config_is_not_this_stacks(refuse, body, headers):
    with pytest.raises(ConfigError, match="is not empty, and you may not ask whether it belongs"):
        refuse(body, **headers)
